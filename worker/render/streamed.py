"""Views that become samples of a stream instead of files of a dataset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol

from farm.arrays import encode_rows
from farm.spec.passes import PASSES, SUFFIXES, PassName
from farm.spec.record import FileRecord, Timings, ViewRecord
from farm.spec.stream import TaskStream
from farm.spec.task import RenderTask
from farm.spec.view import View
from farm.stream.sample import Encoded, Sample
from farm.stream.wire import pack
from worker.render.rendered import Rendered
from worker.render.view_files import ViewFiles
from worker.render.writer import ViewWriter

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


class StreamWriter(ViewWriter):
    """Hands on the samples of one task; its `finish` runs on many threads."""

    def __init__(self, *args: Any, streamed: StreamedViews, **more: Any) -> None:
        super().__init__(*args, **more)
        self._streamed = streamed

    def hand_on(self, rendered: Rendered, made: ViewFiles, timings: Timings) -> None:
        """Make a sample of a view, give it to the stream, then tell.

        Raises:
            StaleAttempt: The stream, or this attempt, is over.
            Interrupted: Its consumers have no room.
        """
        self._may_write()
        record = self._record_of(rendered, made, timings)
        told = self._streamed.told(rendered.view, record)
        fields: dict[str, Any] = {**record.fields, **self._passes_of(made), **told}
        self._streamed.put(rendered.view, Sample.of(record.view_id, fields))
        with self._one_at_a_time:
            self._on_done()

    def _passes_of(self, made: ViewFiles) -> dict[str, Any]:
        if self._streamed.stream.encoding == "files":
            return {name: Encoded(self._form(name), data) for name, data in made.files.items()}
        return {
            name: Encoded("npz", encode_rows(array)) if PASSES[name].kind == "arrays" else array
            for name, array in made.arrays.items()
        }

    def _form(self, name: PassName) -> str:
        if PASSES[name].kind == "picture":
            return self._task.render.format
        return SUFFIXES[PASSES[name].kind]

    def _record_of(self, rendered: Rendered, made: ViewFiles, timings: Timings) -> ViewRecord:
        files = {name: self._told(rendered.view, name, data) for name, data in made.files.items()}
        record = self._record(rendered, files, made.coverage, timings)
        return record.model_copy(update={"objects": made.objects})

    def _told(self, view: View, name: PassName, data: bytes) -> FileRecord:
        path = view.path_of(name, picture_format=self._task.render.format)
        return FileRecord(path=path, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
