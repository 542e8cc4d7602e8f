"""Which views of a task have their samples in the stream, and what samples say beside passes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from farm.spec.record import ViewRecord
from farm.spec.stream import TaskStream
from farm.spec.task import RenderTask
from farm.spec.view import View
from farm.stream.sample import Sample
from farm.stream.wire import pack

RECORD, SENT_ID, DATASET = "record", "sent_id", "dataset"
"""Fields of a sample beside its passes: the view's record and what its parameters were called, as
JSON, and the folder of its dataset."""


class SampleSink(Protocol):
    """Where the samples of streams go, as `farm.feeding.sink.Sink` has it."""

    def has(self, job_id: str, number: int) -> bool: ...

    def put(
        self, job_id: str, number: int, message: Sequence[bytes | bytearray | memoryview]
    ) -> None: ...


class StreamedViews:
    """Which views of a task have their samples already."""

    def __init__(self, task: RenderTask, sink: SampleSink) -> None:
        assert task.stream is not None
        self.stream: TaskStream = task.stream
        self.sink = sink
        self._job_id = task.job_id
        self._places = {view.name: place for place, view in enumerate(task.views)}

    def number(self, view: View) -> int:
        """Return the number of a view in the stream."""
        return self.stream.first + self._places[view.name]

    def sent_id(self, view: View) -> Any:
        """Return what the sender of a view's parameters calls it."""
        place = self._places[view.name]
        return self.stream.ids[place] if place < len(self.stream.ids) else None

    def has(self, view: View) -> bool:
        """Tell whether a view needs no rendering."""
        return self.sink.has(self._job_id, self.number(view))

    def told(self, view: View, record: ViewRecord) -> dict[str, str]:
        """Return what a sample tells beside its passes."""
        return {
            RECORD: record.model_dump_json(),
            DATASET: self.stream.dataset,
            SENT_ID: json.dumps(self.sent_id(view)),
        }

    def put(self, view: View, sample: Sample) -> None:
        """Hand a sample on."""
        self.sink.put(self._job_id, self.number(view), pack(sample))
