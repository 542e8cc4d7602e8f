"""What the farm tells a process in which a script runs, and what it may hear of it."""

from __future__ import annotations

from pathlib import Path

from farm.spec.base import Spec
from farm.spec.task import RenderTask


class Walls(Spec):
    """How a process is closed off, and what it renders on."""

    device: str
    threads: int | None
    folder: Path
    """The only one that it may write; it goes with the process."""
    reads: tuple[Path, ...]
    """What it may read beside: its software, and its job's assets."""


class Order(Spec):
    """One attempt at a task."""

    task: RenderTask
    """With the paths of its assets on this machine."""
    attempt: int
    worker: str
