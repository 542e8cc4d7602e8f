"""Views that become samples of a stream instead of files of a dataset."""

from __future__ import annotations

import hashlib
from typing import Any

from farm.arrays import encode_rows
from farm.spec.passes import PASSES, SUFFIXES, PassName
from farm.spec.record import FileRecord, Timings, ViewRecord
from farm.spec.view import View
from farm.stream.sample import Encoded, Sample
from worker.render.rendered import Rendered
from worker.render.writers.streamed_views import StreamedViews
from worker.render.writers.view_files import ViewFiles
from worker.render.writers.writer import ViewWriter, done_view


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
        self.show(record, made.glimpse)
        with self._one_at_a_time:
            self._on_done(done_view(record, made.develop_s))

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
        told = {"objects": made.objects, "expressions": made.expressions, "ill_lit": made.ill_lit}
        return record.model_copy(update=told)

    def _told(self, view: View, name: PassName, data: bytes) -> FileRecord:
        path = view.path_of(name, picture_format=self._task.render.format)
        return FileRecord(path=path, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
