"""What is told of finished views, and the sums of a job."""

from __future__ import annotations

from pydantic import Field

from farm.spec.base import Spec

STAGES = ("load", "build", "sample", "read", "develop", "encode", "write")
"""Where the time of a view goes, in order: assets are loaded, Cycles builds its scene and traces
paths, passes are read, pictures developed and labels made, all is encoded and written."""


class DoneView(Spec):
    """What is told of a view when it is done."""

    stages: dict[str, float] = Field(default_factory=dict)
    """Seconds by stage, see `STAGES`; empty where nobody knows."""
    asset: str = ""
    """File name of its first asset."""
    missing: tuple[str, ...] = ()
    """Textures of it that lack."""

    @property
    def sample_s(self) -> float:
        """Seconds for which Cycles traced paths."""
        return self.stages.get("sample", 0.0)


NOTHING_TOLD = DoneView()


class Share(Spec):
    """What a worker did for a job since it said so last."""

    node: str
    views: int = 0
    timed: int = 0
    """Views whose stages are known."""
    stages: dict[str, float] = Field(default_factory=dict)
    """Seconds of all of these, by stage."""
    spent_s: float = 0.0
    """For which it had the job's tasks, other views and failures included."""
    missing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Asset -> textures that it lacks."""


class LinePoint(Spec):
    """How fast a job was in a step of time."""

    start_s: float
    """Seconds since 1970."""
    seconds: float
    """Length of the step; of the newest, what has passed of it."""
    views: int


class NodeTime(Spec):
    """What a worker did for a job."""

    node: str
    """Its name and host; "" for those that are not told apart."""
    seconds: float
    views: int


class Tally(Spec):
    """What a job took so far."""

    views: int = 0
    timed: int = 0
    stages: dict[str, float] = Field(default_factory=dict)
    workers: tuple[NodeTime, ...] = ()
    """The one with most time first."""
    line: tuple[LinePoint, ...] = ()
    missing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
