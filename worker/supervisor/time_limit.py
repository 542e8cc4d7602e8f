"""How long an attempt may take before it is taken for hung."""

from __future__ import annotations

import os

from farm.devices import view_seconds
from farm.settings import Settings
from farm.spec.task import RenderTask

FACTOR = 30.0
"""Models differ by more than ten times, and so do machines."""
FLOOR_S = 600.0
"""For loading: a large model, over a slow network."""
START_S = 1800.0
"""Extra seconds for the first task of a process: a driver may compile its kernels."""


class TimeLimits:
    """The time limits of a worker's attempts, from what each of them has to do."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warm: int | None = None

    def warm(self, pid: int | None) -> None:
        """Note that a process has done a task: it has all that it needs."""
        self._warm = pid

    def limit_s(self, task: RenderTask) -> float:
        """Return after how long an attempt that begins now is ended."""
        settings, cpu = self._settings, self._settings.device == "cpu"
        view_s = view_seconds(
            resolution_px=task.render.resolution_px,
            samples=task.render.samples,
            cores=(settings.threads or os.cpu_count() or 1) if cpu else None,
        )
        start_s = 0.0 if is_alive(self._warm) else START_S
        pictures = len(task.views) * task.setup.pictures_per_view
        limit_s = FLOOR_S + FACTOR * view_s * pictures + task.setup_s
        return min(settings.task_timeout_scale * limit_s + start_s, settings.task_timeout_s)


def is_alive(pid: int | None) -> bool:
    """Say whether a process of ours still runs."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
