"""What `verify` looks for, and what it has found: words and counts, no looking."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from farm.dataset.verify.duplicates import Fingerprint
from farm.spec.base import Spec

CheckName = Literal[
    "records", "names", "summary", "missing", "bytes", "decode", "shape", "mask", "empty", "flat",
    "edge", "numbers", "depth", "normal", "index", "box", "same", "alike", "stray", "splits",
    "running", "nested", "failures",
]  # fmt: skip

TITLES: dict[CheckName, str] = {
    "records": "every line of views.jsonl is a record",
    "names": "no two views share a name or a file",
    "summary": "dataset.json agrees with the records",
    "missing": "files that records name are there",
    "bytes": "files have the size and hash that was recorded",
    "decode": "files can be decoded",
    "shape": "passes have their size and bit depth",
    "mask": "masks cover what was recorded",
    "empty": "masks show something of the model",
    "flat": "pictures are not of one colour",
    "edge": "masks reach from black to white, with an edge that is soft, and thin",
    "numbers": "labels hold numbers that they can have",
    "depth": "depth, normals, indices and boxes end where the mask does",
    "normal": "normals have length 1",
    "index": "index and material values are in their tables",
    "box": "boxes lie in the picture and agree with masks",
    "same": "no two views have the same picture",
    "alike": "no two views of a model look the same",
    "stray": "every file of a pass belongs to a record",
    "splits": "splits are whole, and no view is in two of them",
    "running": "nothing is being rendered",
    "nested": "no other dataset lies within",
    "failures": "every task could be rendered",
}
"""What holds in a dataset that is well."""
assert TITLES.keys() == set(get_args(CheckName))

NOTES: frozenset[CheckName] = frozenset(
    {"edge", "depth", "empty", "same", "alike", "running", "nested", "failures"}
)
"""What may be right, too: a person should look. All that a renderer keeps is well or a note."""
LOST: frozenset[CheckName] = frozenset({"missing", "records", "names", "summary"})
"""Wrong, but with no file to delete: to make the dataset again is all that it takes."""
EXAMPLES = 5
"""Findings of each check that are told."""


class DatasetFinding(NamedTuple):
    """One thing that is wrong, or strange."""

    check: CheckName
    where: str
    """The view or file, relative to what was opened."""
    what: str
    file: str = ""
    """What to delete so that the view is rendered again; empty where that is not the remedy."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Examined:
    """What one view told."""

    looked: list[CheckName] = field(default_factory=list)
    """The checks that had something to look at."""
    findings: list[DatasetFinding] = field(default_factory=list)
    files: int = 0
    size_bytes: int = 0
    look: Fingerprint | None = None


class CheckResult(Spec):
    """What one check has found."""

    check: CheckName
    title: str
    """What holds where nothing is found."""
    is_note: bool
    """It may be right, too: a person should look."""
    looked_at: int
    """Views, or of `stray` files, of `records` lines, of `splits` places, of `summary`, `running`
    and `failures` datasets."""
    found: int
    examples: tuple[str, ...]
    """The first findings."""


class VerifyReport(Spec):
    """What `verify` has found."""

    views: int
    files: int
    size_bytes: int
    seconds: float
    wrong: int
    """Findings that are not notes."""
    notes: int
    checks: tuple[CheckResult, ...]


class FindingCounter:
    """Counts what is looked at and found, by check; keeps the first findings of each."""

    def __init__(self) -> None:
        self.looked: Counter[CheckName] = Counter()
        self.found: Counter[CheckName] = Counter()
        self.examples: dict[CheckName, list[str]] = {check: [] for check in TITLES}

    def look(self, check: CheckName, times: int = 1) -> None:
        """Count something that was looked at."""
        self.looked[check] += times

    def add(self, finding: DatasetFinding) -> None:
        """Take a finding."""
        self.found[finding.check] += 1
        if len(self.examples[finding.check]) < EXAMPLES:
            self.examples[finding.check].append(str(finding))

    def results(self) -> tuple[CheckResult, ...]:
        """Return all checks that had something to look at."""
        return tuple(
            CheckResult(
                check=check,
                title=title,
                is_note=check in NOTES,
                looked_at=self.looked[check],
                found=self.found[check],
                examples=tuple(self.examples[check]),
            )
            for check, title in TITLES.items()
            if self.looked[check]
        )
