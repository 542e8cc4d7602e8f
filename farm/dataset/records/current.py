"""Which views a dataset holds: each once, as its newest attempt has left it.

Records lie in `views.jsonl` and, while a task runs or after it has failed, in `.records/` beside
it: a view may be told of twice. All readers of views ask here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from farm.dataset.records.newest import Fold, short, short_of
from farm.dataset.records.read import (
    RECORDS_FOLDER,
    VIEWS_FILE,
    BrokenLineError,
    NotARecordError,
    RecordLine,
    Report,
    attempts,
    line_number,
    newest,
    parse_record,
    read_file,
    read_lines,
    record_keys,
)
from farm.dataset.temp_files import scratch
from farm.errors import SpecError, StorageError
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage
from farm.storage.shards import name_of

READINGS = 5
"""Times that records are read again because a run folded them meanwhile."""
PART = re.compile(r"(.+)-[0-9]+")
TASKS_KEPT = 1024
"""Tasks of which it is remembered what their own records tell of."""


class CurrentView(NamedTuple):
    """A view, and where it was read, so that a reader can continue from there."""

    source: str
    """`views.jsonl`, or the task whose own records tell of it."""
    place: int
    """In `views.jsonl` the byte at which its line begins; among a task's views a count."""
    record: ViewRecord


def is_running(storage: Storage, dataset: str) -> bool:
    """Say whether a dataset has records that are not folded into its `views.jsonl` yet."""
    return len(record_keys(storage, dataset)) > 1


def check_at_rest(storage: Storage, datasets: Iterable[str], remedy: str) -> None:
    """Hold that none of some datasets is being rendered.

    Args:
        storage: Where they live.
        datasets: Their key prefixes.
        remedy: What to do when that is done.

    Raises:
        SpecError: One is.
    """
    for prefix in datasets:
        if is_running(storage, prefix):
            raise SpecError(
                f"{storage.place}/{prefix}: is being rendered; {remedy} when that is done"
            )


def standing_lines(storage: Storage, dataset: str, broken: Report) -> Iterator[bytes]:
    """Yield the newest record of each view, in the dataset's order, whatever wrote it.

    In memory are some hundred bytes per view.

    Args:
        storage: Where the dataset lives.
        dataset: Its key prefix.
        broken: Takes a sentence for each line of `views.jsonl` that is not a record. In the records
            of a task, whose worker may have died, such a line is of no view.

    Raises:
        StorageError: They cannot be read, or do not come to rest.
    """
    if not is_running(storage, dataset):
        views = dataset_key(dataset, VIEWS_FILE)
        yield from (entry.line for entry in read_file(storage, views, broken))
        return
    for _reading in range(READINGS):
        sentences: list[str] = []
        with scratch(), Fold() as fold:
            if fill(fold, storage, dataset, sentences.append):
                yield from told(fold, sentences, broken)
                return
    place = f"{storage.place}/{dataset_key(dataset, RECORDS_FOLDER)}"
    raise StorageError(f"{place}: changes too quickly to be read; try again")


def folded_lines(storage: Storage, dataset: str, broken: Report) -> Iterator[bytes]:
    """Yield the newest record of each view of a `views.jsonl` that is not the work of a run."""
    sentences: list[str] = []
    with scratch(), Fold() as fold:
        fold.extend(read_file(storage, dataset_key(dataset, VIEWS_FILE), sentences.append))
        yield from told(fold, sentences, broken)


def told(fold: Fold, sentences: Iterable[str], broken: Report) -> Iterator[bytes]:
    """Tell what is not a record, and yield what is."""
    for sentence in sentences:
        broken(sentence)
    yield from fold.lines()


def fill(fold: Fold, storage: Storage, dataset: str, broken: Report) -> bool:
    """Read all records into `fold`; say whether none were folded away by a run meanwhile."""
    before = record_keys(storage, dataset)
    try:
        for key in before:
            fold.extend(read_file(storage, key, broken if key == before[0] else ignore))
    except StorageError:
        if set(before) <= set(record_keys(storage, dataset)):
            raise
        return False
    return set(before) <= set(record_keys(storage, dataset))


def every(_line: bytes) -> bool:
    """Read every line."""
    return True


def standing_views(  # noqa: PLR0913 - where to begin, and what to pass over
    storage: Storage,
    dataset: str,
    broken: Report,
    *,
    source: str = VIEWS_FILE,
    place: int = 0,
    may_fit: Callable[[bytes], bool] = every,
) -> Iterator[CurrentView]:
    """Yield what `standing_lines` tells of, at once and from any view on, but in no order.

    For the datasets of one job alone, as a farm has them: there, the records of a view are all of
    one task, and nothing has to be read before the first view is told.

    Args:
        storage: Where the dataset lives.
        dataset: Its key prefix.
        broken: Takes a sentence for each line of `views.jsonl` that is not a record.
        source: Where to continue, as a `CurrentView` had it.
        place: And the first place there.
        may_fit: Says of a line of `views.jsonl` whether it is worth reading.
    """
    newer = Newer(storage, dataset)
    if source == VIEWS_FILE:
        yield from newer.folded(place, broken, may_fit)
        source, place = "", 0
    for task in newer.tasks:
        if task >= source:
            views = newer.of_task(task)
            yield from (CurrentView(task, at, each) for at, each in enumerate(views) if at >= place)
            place = 0


def parts_of(tasks: Iterable[str]) -> dict[str, list[str]]:
    """Return which tasks may tell of the views of another: itself, and those that add to a part of
    its views, such as `vase-0000-2` for `vase-0000`.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        found[task].append(task)
        if part := PART.fullmatch(task):
            found[part[1]].append(task)
    return found


class Newer:
    """What the records of running and failed tasks tell, which is newer than `views.jsonl`."""

    def __init__(self, storage: Storage, dataset: str) -> None:
        self._storage = storage
        self._dataset = dataset
        self.tasks = dict(sorted(attempts(storage, dataset).items()))
        self._claims = lru_cache(TASKS_KEPT)(self._claims_of)
        self._parts = parts_of(self.tasks)

    def of_task(self, task: str) -> list[ViewRecord]:
        """Return the newest record of each view of a task."""
        lines: list[RecordLine] = []
        for key in self.tasks[task]:
            lines += read_file(self._storage, key, ignore)
        return [entry.record for entry in newest(lines).values()]

    def folded(
        self, start: int, broken: Report, may_fit: Callable[[bytes], bool] = every
    ) -> Iterator[CurrentView]:
        """Yield the views of `views.jsonl` from the byte `start` on that nothing newer replaces."""
        key = dataset_key(self._dataset, VIEWS_FILE)
        for place, line in read_lines(self._storage, key, start=start):
            if not line or not may_fit(line):
                continue
            try:
                record = parse_record(line)
            except NotARecordError as error:
                number = line_number(self._storage, key, place)
                broken(BrokenLineError(f"{self._storage.place}/{key}", number, str(error)).sentence)
                continue
            if not self._replaces(record):
                yield CurrentView(VIEWS_FILE, place, record)

    def _replaces(self, record: ViewRecord) -> bool:
        tasks = self._parts.get(record.task_id, ())
        return any(not self._claims(task).isdisjoint(claims([record])) for task in tasks)

    def _claims_of(self, task: str) -> frozenset[bytes]:
        return frozenset(claims(self.of_task(task)))


def claims(records: Iterable[ViewRecord]) -> Iterator[bytes]:
    """Yield what no two views share: their ids and files, in short."""
    for record in records:
        yield short_of(record.view_id, record.view.name)
        yield from (short(name_of(file.path)) for file in record.files.values())


def ignore(sentence: str) -> None:
    """Take a remark and say nothing."""
