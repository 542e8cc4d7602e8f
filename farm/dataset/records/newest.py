"""The newest record of each view of a dataset, whatever its size: on disk, not in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

from farm.dataset.records.read import RecordLine, parse_record
from farm.storage.shards import name_of


class LinePlace(NamedTuple):
    """Where the line of a view is kept, and what orders it."""

    place: int
    name: str
    start: int
    length: int


class Fold:
    """Takes records, older before newer; gives the lines of those that stand, in order.

    In memory it keeps some hundred bytes per view; the lines wait in a temporary file.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="farm-fold-")  # noqa: SIM115 - closed by __exit__
        self.end = 0
        self.kept: dict[bytes, LinePlace] = {}
        self.owners: dict[bytes, bytes] = {}
        self._named: dict[str, list[bytes]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()

    def add(self, entry: RecordLine) -> None:
        """Take a record; a view whose file it overwrites, as by another spec, is gone."""
        self._named = None
        record = entry.record
        view = short_of(record.view_id, record.view.name)
        for file in record.files.values():
            path = short(name_of(file.path))
            owner = self.owners.get(path)
            if owner is not None and owner != view:
                self.kept.pop(owner, None)
            self.owners[path] = view
        self.file.write(entry.line)
        self.kept[view] = LinePlace(record.view.index, record.view.name, self.end, len(entry.line))
        self.end += len(entry.line)

    def extend(self, entries: Iterable[RecordLine]) -> None:
        """Take records."""
        for entry in entries:
            self.add(entry)

    def of_view(self, view_id: str, name: str) -> RecordLine | None:
        """Return the newest record of a view, if it stands."""
        kept = self.kept.get(short_of(view_id, name))
        return None if kept is None else self._entry(kept)

    def of_name(self, name: str) -> Iterator[RecordLine]:
        """Yield the newest record of each view that has a name."""
        if self._named is None:
            self._named = defaultdict(list)
            for view, kept in self.kept.items():
                self._named[kept.name].append(view)
        yield from (self._entry(self.kept[view]) for view in self._named.get(name, ()))

    def _entry(self, kept: LinePlace) -> RecordLine:
        self.file.seek(kept.start)
        line = self.file.read(kept.length)
        return RecordLine(parse_record(line), line)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the views that stand, in the dataset's order."""
        for kept in sorted(self.kept.values()):
            self.file.seek(kept.start)
            yield self.file.read(kept.length)


def short_of(view_id: str, name: str) -> bytes:
    """Return what tells a view from others: in merged datasets one may be there by two names."""
    return short(f"{view_id} {name}")


def short(text: str) -> bytes:
    """Return a text as 16 bytes: no two of one dataset will ever be the same."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def number(text: str) -> int:
    """Return 64 bits that stand for a text: enough to tell those of one dataset apart."""
    return int.from_bytes(short(text)[:8], "little")
