"""A dataset as a training reads it: views in order, their passes as arrays when asked."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, islice
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from farm.arrays import ArraysError, Rows
from farm.dataset.images import DecodeError, decode_pass
from farm.dataset.nesting import datasets_under, is_dataset, listed
from farm.dataset.records.collect import DATASET_FILE, DatasetSummary
from farm.dataset.records.current import folded_lines
from farm.dataset.records.newest import short_of
from farm.dataset.records.read import (
    VIEWS_FILE,
    NotARecordError,
    Report,
    parse_record,
    read_lines,
    record_at,
)
from farm.dataset.records.read import DatasetError as DatasetError
from farm.dataset.records.snapshot import Snapshot, records_at_hand, refuse
from farm.dataset.split_lists import is_in, name_in, read_split
from farm.runs import mask_of, masks_of
from farm.spec.base import first_reason
from farm.spec.expression import Expression
from farm.spec.hint import hint
from farm.spec.passes import SURFACE_BITS, PassName
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage, open_storage

CHUNK_BYTES = 1 << 16
"""A record is read in pieces of this size; most are smaller."""


VIEW_ID = re.compile(rb'\{\s*"view_id":\s*"([^"\\]+)"')
"""A view's id in its record, as records are written: an open dataset is not parsed."""


class DatasetView:
    """One view: its record at once, its passes when they are asked for."""

    def __init__(self, storage: Storage, dataset: str, record: ViewRecord) -> None:
        self._storage = storage
        self._dataset = dataset
        self.record = record

    @property
    def name(self) -> str:
        """Stem of the view's files."""
        return self.record.view.name

    @property
    def key(self) -> str:
        """Name with the dataset's folder before it, where several are open: unlike all others."""
        return dataset_key(self._dataset, self.name)

    @property
    def passes(self) -> tuple[PassName, ...]:
        """The passes that it has."""
        return tuple(self.record.files)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Sentences about it; none where its recipe makes none."""
        return self.record.expressions

    def __getitem__(self, name: PassName) -> NDArray[Any]:
        """Read and decode a pass.

        Returns:
            `rgb`: (H, W, 3) uint8 or uint16, sRGB. `mask`: (H, W) of the same type. `index` and
            `material`: (H, W) uint16. Others: float32, (H, W) or (H, W, channels).

        Raises:
            KeyError: The view has no such pass.
            DatasetError: Its file is gone.
            DecodeError: Its file is broken.
        """
        return decode_pass(self.data(name), self.path(name), name)

    def meaningful(self, name: PassName) -> NDArray[np.bool_]:
        """Return where (H, W) a pass of the material, such as `roughness`, has a meaning.

        Raises:
            KeyError: It is none of these, or the view has no `surface_valid`.
            DatasetError: The file of `surface_valid` is gone.
            DecodeError: ... is broken.
        """
        return np.asarray((self["surface_valid"] & SURFACE_BITS[name]) > 0)

    def silhouettes(self) -> NDArray[np.bool_]:
        """Return the whole silhouettes (N, H, W) of the record's `objects`, of the pass `amodal`.

        Where nothing is known of one, nothing of it is there: its `amodal_area_px` is None.

        Raises:
            KeyError: The view has no such pass.
            DatasetError: Its file is gone.
            DecodeError: Its file is broken.
        """
        count, size_px = len(self.record.objects), self.record.resolution_px
        return self._masks(lambda rows: masks_of(rows, count, size_px))

    def silhouette(self, place: int) -> NDArray[np.bool_]:
        """Return the same (H, W) of one object, by its place."""
        return self._masks(lambda rows: mask_of(rows, place, self.record.resolution_px))

    def _masks(self, make: Callable[[Rows], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        try:
            return make(self["amodal"])
        except ArraysError as error:
            raise DecodeError(f"{self.path('amodal')}: {error}") from error

    def path(self, name: PassName) -> str:
        """Return where a pass's file lies, relative to what was opened.

        Raises:
            KeyError: The view has no such pass.
        """
        return dataset_key(self._dataset, self._file(name).path)

    def local_path(self, name: PassName) -> Path | None:
        """Return the file of a pass where the dataset lies in a folder; it need not be there.

        Raises:
            KeyError: The view has no such pass.
        """
        return self._storage.local_path(self.path(name))

    def data(self, name: PassName) -> bytes:
        """Return the bytes of a pass's file.

        Raises:
            KeyError: The view has no such pass.
            DatasetError: The file is gone.
        """
        data = self._storage.get(self.path(name))
        if data is None:
            place = f"{self._storage.place}/{self.path(name)}"
            raise DatasetError(f"{place}: the file is gone; render its view again")
        return data

    def _file(self, name: PassName) -> FileRecord:
        try:
            return self.record.files[name]
        except KeyError:
            there = ", ".join(self.passes)
            near = hint(name, self.passes)
            raise KeyError(f"{self.key} has no pass {name!r}; it has {there}{near}") from None


class ViewLine(NamedTuple):
    """The record of a view as it stands in a `views.jsonl`: not read yet."""

    part: int
    """Which dataset of those that are open."""
    start: int
    """The byte at which it begins."""
    text: bytes


class Piece(NamedTuple):
    """Views in a row, by where their records lie."""

    part: int
    number: int
    """Of its first view, among all."""
    start: int
    """The byte at which the first one's line begins."""
    views: int


class LineReader:
    """Reads lines and makes views of them; small, so that it can be sent to other processes."""

    def __init__(
        self, storage: Storage, prefixes: Sequence[str], records: Sequence[Storage]
    ) -> None:
        self._storage = storage
        self._prefixes = tuple(prefixes)
        self._records = tuple(records)

    def lines(self, piece: Piece) -> Iterator[ViewLine]:
        """Yield the records of some views in a row."""
        key = dataset_key(self._prefixes[piece.part], VIEWS_FILE)
        lines = read_lines(self._records[piece.part], key, start=piece.start)
        there = (ViewLine(piece.part, start, text) for start, text in lines if text)
        return islice(there, piece.views)

    def view(self, line: ViewLine) -> DatasetView:
        """Return the view whose record a line is.

        Raises:
            BrokenLineError: The line is not a record.
        """
        prefix, place = self._prefixes[line.part], self._storage.place
        key = dataset_key(prefix, VIEWS_FILE)
        record = record_at(self._records[line.part], key, line.start, line.text, place=place)
        return DatasetView(self._storage, prefix, record)


class Dataset(Sequence[DatasetView]):
    """One dataset, or all those under a folder, one after the other; keeps places, not views.

    What is rendered after it was opened is not in it. It may be used in forked processes, and
    sent to others.
    """

    def __init__(
        self,
        storage: Storage,
        prefixes: Sequence[str],
        *,
        records: Sequence[Storage] | None = None,
        only: Container[str] | None = None,
        broken: Report = refuse,
    ) -> None:
        """Find the views.

        Args:
            storage: Where the files are.
            prefixes: The datasets in it.
            records: For each of them, where its `views.jsonl` is if not in `storage`.
            only: Keys of the views that are in it, such as those of a split; None for all.
            broken: Takes a sentence for each line that is not a record, where records are copied.
        """
        self.storage = storage
        self.prefixes = tuple(prefixes)
        self.left_out: tuple[str, ...] = ()
        """The datasets that lie within the one that was opened, and are not in this."""
        books = records or records_at_hand(storage, prefixes, broken)
        found = [
            find_views(book, at, only, broken) for book, at in zip(books, prefixes, strict=True)
        ]
        self._records = [book for book, _places in found]
        self._only = only
        self._places = [places for _book, places in found]
        self._ends = list(accumulate(len(places) for places in self._places))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, at: int) -> DatasetView: ...
    @overload
    def __getitem__(self, at: slice) -> list[DatasetView]: ...

    def __getitem__(self, at: int | slice) -> DatasetView | list[DatasetView]:
        """Return a view by its place, in the order of `views.jsonl`."""
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        place = at + len(self) if at < 0 else at
        if not 0 <= place < len(self):
            raise IndexError(f"view {at} of {len(self)}")
        part = bisect_right(self._ends, place)
        prefix = self.prefixes[part]
        start = self._places[part][place - (self._ends[part - 1] if part else 0)]
        line = read_line(self._records[part], prefix, start)
        return self.reader.view(ViewLine(part, start, line))

    def __iter__(self) -> Iterator[DatasetView]:
        """Yield all views, reading each `views.jsonl` once, in a stream."""
        return map(self.reader.view, self.lines())

    def lines(self) -> Iterator[ViewLine]:
        """Yield the records of all views unread, for `reader`, here or in other processes."""
        for part, (book, prefix) in enumerate(zip(self._records, self.prefixes, strict=True)):
            for start, line in read_lines(book, dataset_key(prefix, VIEWS_FILE)):
                if line and is_in(self._only, prefix, line):
                    yield ViewLine(part, start, line)

    def pieces(self, views: int) -> Iterator[Piece]:
        """Yield all views in pieces, for `reader`; those of one split are in no row."""
        assert self._only is None
        first = 0
        for part, places in enumerate(self._places):
            for at in range(0, len(places), views):
                yield Piece(part, first + at, places[at], min(views, len(places) - at))
            first += len(places)

    @property
    def suits_processes(self) -> bool:
        """Whether other processes read it as quickly as this one: all of what lies in a folder."""
        return self._only is None and self.storage.local_path("") is not None

    @property
    def reader(self) -> LineReader:
        """What makes views of `lines` and `pieces`."""
        return LineReader(self.storage, self.prefixes, self._records)

    @property
    def note(self) -> str:
        """A sentence on the datasets that are left out; empty where there are none."""
        if not self.left_out:
            return ""
        count = len(self.left_out)
        those = "another dataset lies" if count == 1 else f"{count} other datasets lie"
        return (
            f"{self.storage.place}: {those} within it, and {'is' if count == 1 else 'are'} "
            f"left out: {listed(self.left_out)}"
        )

    @cached_property
    def summaries(self) -> dict[str, DatasetSummary]:
        """What each `dataset.json` says, by the dataset's folder."""
        found = {}
        for prefix in self.prefixes:
            key = dataset_key(prefix, DATASET_FILE)
            data = self.storage.get(key)
            try:
                if data is not None:
                    found[prefix] = DatasetSummary.model_validate_json(data)
            except ValidationError as error:
                reason = first_reason(error)
                raise DatasetError(
                    f"{self.storage.place}/{key}: not a summary: {reason}"
                ) from error
        return found


def open_dataset(
    place: str | PathLike[str],
    *,
    split: str | None = None,
    every: bool = False,
    broken: Report = refuse,
) -> Dataset:
    """Open a dataset, or the folder that holds several.

    Args:
        place: A folder, or `s3://bucket/prefix`.
        split: Only the views of this split, which `farm dataset split` has made.
        every: Of a dataset that others lie within, open these, too.
        broken: As in `Dataset`.

    Raises:
        DatasetError: No dataset is there.
        NoSplitError: No such split is there.
    """
    return open_in(open_storage(str(place)), split=split, every=every, broken=broken)


def open_in(
    storage: Storage,
    *,
    split: str | None = None,
    every: bool = False,
    broken: Report = refuse,
) -> Dataset:
    """Open the dataset that a storage is, or those that it holds; all of it or one split.

    A split says itself which views are in it, also of datasets that lie within.

    Raises:
        DatasetError: There is none.
    """
    prefixes = find_datasets(storage, every=every or split is not None)
    if not prefixes:
        raise DatasetError(
            f"{storage.place}: is not a dataset ({VIEWS_FILE} is missing); give the folder that "
            "farm render wrote or farm download fetched"
        )
    only = None if split is None else read_split(storage, split)
    data = Dataset(storage, prefixes, only=only, broken=broken)
    data.left_out = within(storage) if prefixes == [""] and split is None else ()
    return data


def find_datasets(storage: Storage, *, every: bool = False) -> list[str]:
    """Return the key prefixes of the datasets in a storage, sorted; "" is the storage itself.

    Where that is one, it is the only one, unless `every` dataset within it is wanted, too.
    """
    if not every and is_dataset(storage, ""):
        return [""]
    return sorted(datasets_under(storage))


def within(storage: Storage) -> tuple[str, ...]:
    """Return the prefixes of the datasets that lie within the one that a storage is, sorted."""
    return tuple(sorted(filter(None, datasets_under(storage))))


def find_views(
    book: Storage, prefix: str, only: Container[str] | None, broken: Report
) -> tuple[Storage, array[int]]:
    """Return where each line of a `views.jsonl` begins, in bytes; of the views in `only`.

    Also return which storage has that file: `book`, or a copy if it tells of a view twice.
    """
    places, ids = array("Q"), array("Q")
    for start, line in read_lines(book, dataset_key(prefix, VIEWS_FILE)):
        if line:
            ids.append(view_number(line))
            if is_in(only, prefix, line):
                places.append(start)
    if not has_doubles(ids):
        return book, places
    copy = Snapshot()
    copy.add(prefix, folded_lines(book, prefix, broken))
    lines = read_lines(copy, dataset_key(prefix, VIEWS_FILE))
    return copy, array("Q", (start for start, line in lines if is_in(only, prefix, line)))


def has_doubles(ids: array[int]) -> bool:
    """Say whether a number other than 0 is there twice."""
    told = np.frombuffer(ids, dtype=np.uint64)
    told = told[told > 0]
    return len(np.unique(told)) < len(told)


def view_number(line: bytes) -> int:
    """Return a number that stands for the view of a line; 0 where the line is not a record."""
    found = VIEW_ID.match(line)
    try:
        view_id = found[1].decode() if found else parse_record(line).view_id
        return int.from_bytes(short_of(view_id, name_in(line))[:8], "little")
    except (NotARecordError, UnicodeDecodeError):
        return 0


def read_line(storage: Storage, prefix: str, start: int) -> bytes:
    """Return the line of a `views.jsonl` that begins at the byte `start`."""
    key, line = dataset_key(prefix, VIEWS_FILE), b""
    while b"\n" not in line:
        piece = b"".join(storage.read(key, start=start + len(line), length=CHUNK_BYTES))
        line += piece
        if len(piece) < CHUNK_BYTES:
            break
    return line.partition(b"\n")[0].strip()
