"""What is streamed, written down as an ordinary dataset."""

from __future__ import annotations

import time
from os import PathLike
from pathlib import Path

from farm.dataset.finish import finish_dataset
from farm.dataset.nesting import datasets_under
from farm.dataset.records.collect import FinishedRun, RunFacts
from farm.dataset.records.read import RECORDS_FOLDER
from farm.errors import SpecError, StreamError
from farm.expand.recipe import is_plain
from farm.spec.job import Job
from farm.spec.task import dataset_key
from farm.storage import FolderStorage
from farm.training.view import StreamedView


class Recorder:
    """Writes views of one process into a folder; one that is written twice is there once."""

    def __init__(self, folder: Path, consumer: str) -> None:
        self.storage = FolderStorage(folder)
        self.consumer = consumer

    def add(self, view: StreamedView) -> None:
        """Write the files of a view, then its record.

        Raises:
            StreamError: They cannot be written.
        """
        try:
            for name, file in view.record.files.items():
                key = plain(dataset_key(view.dataset, file.path))
                self.storage.put(key, bytes(view.encoded[name].data))
            self._append(view)
        except OSError as error:
            raise StreamError(
                f"{self.storage.root}: a view cannot be recorded: {error.strerror}"
            ) from error

    def _append(self, view: StreamedView) -> None:
        dataset = plain(view.dataset) if view.dataset else ""
        key = dataset_key(dataset, RECORDS_FOLDER, f"stream-{self.consumer}.jsonl")
        path = self.storage.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as lines:
            lines.write(view.record.model_dump_json() + "\n")


def record_folder(place: str | PathLike[str]) -> Path:
    """Return the folder to record into.

    Raises:
        SpecError: It is not one.
    """
    if "://" in str(place):
        raise SpecError(f"record: {place} is not a folder of this machine: name one")
    refuse_pickles("record", place)
    return Path(place).expanduser().absolute()


def finish_record(folder: Path, job: Job | None, *, since_s: float) -> None:
    """Fold what was recorded into `views.jsonl`, sum it up and draw it.

    Args:
        folder: Where it was recorded.
        job: The stream's, where it is known.
        since_s: When the recording began, by `time.monotonic`.
    """
    storage = FolderStorage(folder)
    for dataset in list(datasets_under(storage)):
        facts = RunFacts(
            name=storage.path(dataset).name,
            spec=job.spec.model_dump(mode="json") if job else {},
            tasks=0,
            seconds=time.monotonic() - since_s,
        )
        run = FinishedRun(facts, is_complete=lambda _task_id: True, report=lambda _sentence: None)
        finish_dataset(storage, dataset, run)


NO_PICKLE = (
    "blendtorch's .btr files hold pickles, which run whatever code is in them, so they are not "
    "read here; where you trust one, load it on your own machine with blendtorch's FileDataset and "
    "write its arrays with numpy.savez, or record the stream anew with record='FOLDER'"
)


def refuse_pickles(field: str, place: str | PathLike[str]) -> None:
    """Refuse a recording of blendtorch.

    Raises:
        SpecError: It is one, by its name.
    """
    if str(place).endswith(".btr"):
        raise SpecError(f"{field}: {place}: {NO_PICKLE}")


def plain(path: str) -> str:
    """Return a path that somebody else has named, if it leads to a file of a dataset.

    Raises:
        StreamError: It leads elsewhere.
    """
    if not is_plain(path):
        raise StreamError(f"{path[:200]!r} is not a path of a dataset's file: it is not recorded")
    return path
