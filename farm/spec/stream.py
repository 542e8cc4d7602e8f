"""Views that go to whoever trains on them, instead of into a dataset."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from farm.spec.base import Spec

MOST_VIEWS = 10_000_000
MOST_QUEUE = 10_000
MOST_SENT = 10_000
"""Sets of parameters that may wait for their views."""
NAME_PATTERN = r"^[0-9A-Za-z._-]{1,80}$"

Encoding = Literal["arrays", "files"]
"""`arrays`: passes as they are in memory. `files`: as the files of a dataset, which are smaller."""


class StreamPlan(Spec):
    """What turns a job into a stream."""

    name: str = Field(pattern=NAME_PATTERN)
    """Tells streams of one spec apart: the same name is the same stream, which is continued."""
    length: int = Field(ge=1, le=MOST_VIEWS)
    """Samples in all. Where the spec has fewer views, it is rendered again with further seeds."""
    encoding: Encoding = "arrays"
    """How passes are sent."""
    ordered: bool = False
    """Samples come in the order of the job's views, else as they are rendered."""
    duplex: bool = False
    """Only what was sent is rendered: a view for each set of parameters."""


class StreamWishes(Spec):
    """What somebody asks for who begins a stream."""

    name: str = Field(pattern=NAME_PATTERN)
    """As of the plan."""
    length: int | None = Field(default=None, ge=1, le=MOST_VIEWS)
    """None: as many as the spec has views."""
    encoding: Encoding = "files"
    ordered: bool = False
    duplex: bool = False
    queue: int = Field(default=16, ge=1, le=MOST_QUEUE)
    """Room of a consumer; tasks have half as many views, at most."""

    def plan(self, *, views: int) -> StreamPlan:
        """Return the plan for a spec that has so many views."""
        return StreamPlan(
            name=self.name,
            length=self.length or min(views, MOST_VIEWS),
            encoding=self.encoding,
            ordered=self.ordered,
            duplex=self.duplex,
        )

    @property
    def views_per_task(self) -> int:
        """Most views of a task: a queue holds two tasks' views."""
        return max(self.queue // 2, 1)


class TaskStream(Spec):
    """What a worker must know of the stream that its views go to."""

    first: int = Field(ge=0)
    """Number of the task's first view in the stream; the others follow."""
    encoding: Encoding
    dataset: str = ""
    """Folder that its views belong to, where a job has several datasets."""
    ids: tuple[JsonValue, ...] = ()
    """What whoever sent a view's parameters calls it, view by view; None where nobody did."""


class Sent(Spec):
    """What the next view is to show."""

    params: dict[str, JsonValue] = Field(default_factory=dict)
    """Values of the view: of its `params`, where it has such, and of `camera` and `light`."""
    id: JsonValue = None
    """Comes back with the sample."""


class StreamState(Spec):
    """A stream at one moment."""

    job_id: str
    length: int
    handed: int
    """Samples that consumers were given, each counted once."""
    acknowledged: int
    ready: int
    """Samples that wait for a consumer."""
    lent: int
    """Samples that consumers have and have not acknowledged."""
    rendering: int
    """Views that workers were given."""
    credits: int
    """Samples that consumers have room for, those in their hands included."""
    consumers: int
    waiting_params: int = 0
    """Sets of parameters that wait for their views."""
    size_bytes: int
    """Samples of this stream that are kept for consumers."""
    bound_bytes: int
    """Most bytes of the samples of all streams together."""
    over: bool = False
    """Nothing more comes."""
    why: str = ""
    """What a consumer that gets nothing is to be told."""
    failures: tuple[str, ...] = ()
    """The newest failures of its tasks, one sentence each."""
