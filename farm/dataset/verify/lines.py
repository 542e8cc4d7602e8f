"""Lines of records, checked one by one, perhaps in another process.

Little is kept of each: what it takes to compare views with each other.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from farm.dataset.proof.measured import Naming
from farm.dataset.proof.proof import Verdict
from farm.dataset.records.assets import AssetSummary
from farm.dataset.records.newest import number
from farm.dataset.records.read import VIEWS_FILE, NotARecordError, parse_record
from farm.dataset.verify.duplicates import Fingerprint
from farm.dataset.verify.report import CheckName, DatasetFinding, Examined
from farm.dataset.verify.view_checks import examine_view
from farm.spec.asset import Asset
from farm.spec.expression import ExpressionKind
from farm.spec.moment import Moment
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage
from farm.storage.shards import file_of


class Line(NamedTuple):
    """A line of a `views.jsonl`, and where it is."""

    part: int
    """Which dataset."""
    number: int
    """From 1."""
    start: int
    """The byte at which it begins."""
    text: bytes


class Asked(NamedTuple):
    """What was asked for of a dataset, as it matters for its views."""

    prefix: str
    may_be_empty: bool
    """Masks that show nothing are as they should be."""
    previews: bool
    naming: Naming


@dataclass
class Looked:
    """What is kept of some lines in a row: numbers that stand for what no two views share, counts,
    and what was found."""

    lines: int = 0
    starts: array[int] = field(default_factory=lambda: array("Q"))
    """Of each view, the byte at which its line begins."""
    parts: array[int] = field(default_factory=lambda: array("L"))
    owned: array[int] = field(default_factory=lambda: array("Q"))
    """Of the names and files of views."""
    shards: set[int] = field(default_factory=set)
    """In which views lie."""
    folders: set[str] = field(default_factory=set)
    """In which files lie."""
    counted: dict[int, Counter[str]] = field(default_factory=dict)
    """By dataset, what its summary should tell."""
    asset_names: dict[str, str] = field(default_factory=dict)
    """By SHA-256."""
    moments: list[tuple[int, int, Moment]] = field(default_factory=list)
    """Which of the views is one of a sequence, of which dataset, and its place there."""
    looks: list[tuple[int, Fingerprint]] = field(default_factory=list)
    unread: set[int] = field(default_factory=set)
    """The datasets of which a line is not a record."""
    looked: Counter[CheckName] = field(default_factory=Counter)
    findings: list[DatasetFinding] = field(default_factory=list)
    verdicts: Counter[tuple[ExpressionKind, Verdict]] = field(default_factory=Counter)
    files: int = 0
    size_bytes: int = 0

    def refuse(self, line: Line, key: str, error: NotARecordError) -> None:
        """Take a line that is not a record."""
        self.unread.add(line.part)
        what = f"line {line.number} is not a record: {error}"
        self.findings.append(DatasetFinding("records", key, what))

    def add(self, line: Line, prefix: str, record: ViewRecord, seen: Examined) -> None:
        """Take a view and what was seen of it."""
        place = len(self.starts)
        self.starts.append(line.start)
        self.parts.append(line.part)
        self._own(prefix, record)
        self._count(line.part, record)
        if record.view.moment is not None:
            self.moments.append((place, line.part, record.view.moment))
        if seen.look is not None:
            self.looks.append((place, seen.look))
        self.looked.update(seen.looked)
        self.findings += seen.findings
        self.verdicts.update(seen.verdicts)
        self.files += seen.files
        self.size_bytes += seen.size_bytes

    def _own(self, prefix: str, record: ViewRecord) -> None:
        for file in record.all_files:
            key = dataset_key(prefix, file.path)
            self.owned.append(number(key))
            self.folders.add(file_of(key).rpartition("/")[0])
        if record.shard is not None:
            self.shards.add(number(dataset_key(prefix, record.shard.path)))
        self.owned.append(number(f"view {dataset_key(prefix, record.view.name)}"))

    def _count(self, part: int, record: ViewRecord) -> None:
        counted = self.counted.setdefault(part, Counter())
        counted["views"] += 1
        counted["empty views"] += record.coverage == 0.0
        counted["bytes"] += sum(file.size_bytes for file in record.files.values())
        counted.update({fact_of(asset) for asset in record.assets})
        for asset in record.assets:
            self.asset_names[asset.sha256] = asset.name


class LineExaminer:
    """Looks at the views of lines; small, so that it can be sent to other processes with them."""

    def __init__(self, storage: Storage, asked: Sequence[Asked]) -> None:
        self._storage = storage
        self._asked = tuple(asked)

    def __call__(self, lines: list[Line]) -> Looked:
        """Look at some lines in a row."""
        looked = Looked(lines=len(lines))
        looked.looked["records"] += len(lines)
        for line in lines:
            self._look(line, looked)
        return looked

    def _look(self, line: Line, looked: Looked) -> None:
        asked = self._asked[line.part]
        try:
            record = parse_record(line.text)
        except NotARecordError as error:
            looked.refuse(line, dataset_key(asked.prefix, VIEWS_FILE), error)
            return
        looked.looked["names"] += 1
        seen = examine_view(
            self._storage,
            asked.prefix,
            record,
            may_be_empty=asked.may_be_empty,
            previews=asked.previews,
            naming=asked.naming,
        )
        looked.add(line, asked.prefix, record, seen)


def fact_of(asset: Asset | AssetSummary) -> str:
    """Return under which name the views of an asset are counted."""
    return f"{asset.role} {asset.sha256}"
