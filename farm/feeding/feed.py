"""What the dispatcher must know of streams: how much may be rendered, and what it is to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue, ValidationError

from farm.errors import SpecError
from farm.feeding.book import StreamBook, StreamFacts
from farm.ledger import JobState, JobStatus, Ledger, TaskState
from farm.ledger.model import FED_JOB
from farm.spec.base import first_reason
from farm.spec.stream import Sent
from farm.spec.task import RenderTask
from farm.spec.view import View

LOST = (TaskState.FAILED, TaskState.SET_ASIDE, TaskState.LEFT_OUT)
ENDING = FED_JOB | {JobState.CANCELLING}
IN_HAND = (TaskState.QUEUED, TaskState.RUNNING)
OF_A_VIEW = ("camera", "light", "frame", "seed")
"""Fields of views that parameters may change, where the recipe's views have them; all other
parameters are the view's `params`."""


class StreamFeed:
    """Gives the dispatcher leave to render; it holds no state that it needs."""

    def __init__(self, ledger: Ledger, book: StreamBook) -> None:
        self.ledger = ledger
        self.book = book
        self.names: set[str] = set()
        self.lost: dict[str, int] = {}
        """Stream -> how many of its tasks are known to have failed."""

    def look(self, jobs: list[JobStatus]) -> None:
        """Find the streams; forget those whose jobs are over."""
        self.names = self.book.names()
        living = {job.job_id for job in jobs}
        for name in self.names - living:
            self._end(name)

    def is_stream(self, job_id: str) -> bool:
        """Say whether the views of a job are streamed."""
        return job_id in self.names

    def room(self, job: JobStatus) -> int:
        """Return how many tasks of a stream may be given out now: those that were asked for."""
        standing = self.book.standing(job.job_id)
        if standing is None or standing[0].over:
            return 0
        state, facts = standing
        stride = facts.stride
        self._note_lost(job)
        in_hand = sum(job.counts[each] for each in IN_HAND)
        rendering = min(state.rendering, in_hand * stride)
        views = min(
            state.credits - state.ready - state.lent - rendering,
            state.length - state.acknowledged - state.ready - state.lent - rendering,
        )
        if views < 1 or not self._fits(facts, rendering + stride):
            return 0
        if facts.duplex:
            return -(-min(views, state.waiting_params) // stride)
        return max(views // stride, 0 if rendering else 1)

    def dressed(self, task: RenderTask) -> RenderTask:
        """Return a task of a stream that is about to be given out, as its consumers want it.

        Raises:
            SpecError: Parameters that were sent do not fit its views.
        """
        if task.stream is None:
            return task
        if not task.views:
            self.book.skip(task.job_id, task.index)
            return task
        sent = self.book.feed(task.job_id, task.index, len(task.views))
        if sent is None:
            return task.model_copy(update={"views": ()})
        facts = self.book.facts(task.job_id)
        views = task.views[: len(sent)] if facts and facts.duplex else task.views
        pairs = [(view, sent[at] if at < len(sent) else Sent()) for at, view in enumerate(views)]
        stream = task.stream.model_copy(update={"ids": tuple(each.id for _, each in pairs)})
        shown = tuple(showing(view, each.params) for view, each in pairs)
        return task.model_copy(update={"views": shown, "stream": stream})

    def finish(self, job: JobStatus) -> JobState | None:
        """End a stream of which every sample was acknowledged; return its state if this did it.

        A consumer that has all of them may close its stream before this is seen: then there is
        nothing left to cancel.
        """
        state = self.book.state(job.job_id)
        if state is None or state.acknowledged < state.length:
            return None
        done = self.ledger.store.turn(job.job_id, ENDING, JobState.COMPLETED)
        return JobState.COMPLETED if done else None

    def _end(self, name: str) -> None:
        """Let consumers of a job that is over have what is ready, then keep nothing of it."""
        job, state = self.ledger.job(name), self.book.state(name)
        if job is not None and not job.over:
            return  # it has begun since the jobs were read
        exhausted = job is not None and job.state in (JobState.COMPLETED, JobState.FAILED)
        is_left = state is not None and (state.ready or state.lent)
        if exhausted and is_left and state is not None and state.acknowledged < state.length:
            self.book.end(name)
        else:
            self.book.close_stream(name)

    def _note_lost(self, job: JobStatus) -> None:
        count = sum(job.counts[state] for state in LOST)
        if count != self.lost.get(job.job_id, 0):
            self.lost[job.job_id] = count
            for story in self.ledger.tasks(job, LOST, start=0, limit=count):
                self.book.skip(job.job_id, story.index)

    def _fits(self, facts: StreamFacts, views: int) -> bool:
        """Say whether so many samples more, of the largest size so far, are within the bound."""
        there = self.book.size_bytes()
        return not there or there + facts.largest * views <= self.book.bound_bytes


def showing(view: View, params: Mapping[str, JsonValue]) -> Any:
    """Return a view that shows what was sent.

    Raises:
        SpecError: It has no such parameter, or the value does not fit.
    """
    if not params:
        return view
    data = view.model_dump(mode="json")
    own = {name: value for name, value in params.items() if name in OF_A_VIEW and name in data}
    rest = {name: value for name, value in params.items() if name not in own}
    if rest and "params" not in type(view).model_fields:
        can = ", ".join(name for name in OF_A_VIEW if data.get(name) is not None)
        raise SpecError(
            f"params: views of the recipe {view.kind} have no {next(iter(rest))!r}; "
            f"what can be sent is {can}"
        )
    for name, value in own.items():
        was = data[name]
        data[name] = (
            {**was, **value} if isinstance(was, dict) and isinstance(value, dict) else value
        )
    if rest:
        data["params"] = {**data["params"], **rest}
    try:
        return type(view).model_validate(data)
    except ValidationError as error:
        raise SpecError(f"params: {first_reason(error)}") from None
