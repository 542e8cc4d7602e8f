"""The checks of `verify` and their findings: wording and counts. Nothing is checked in here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from pydantic import Field

from farm.dataset.proof.proof import Verdict
from farm.dataset.verify.duplicates import Fingerprint
from farm.spec.base import Spec
from farm.spec.expression import ExpressionKind

CheckName = Literal[
    "records", "names", "summary", "missing", "bytes", "decode", "shape", "mask", "empty", "flat",
    "edge", "numbers", "depth", "normal", "index", "tracks", "box", "amodal", "frames", "poses",
    "flow", "carried", "pace", "warp", "things", "sentences", "ambiguous", "claims", "unproven",
    "same", "alike", "alone", "stray", "splits",
    "running", "nested", "failures",
]  # fmt: skip

TITLES: dict[CheckName, str] = {
    "records": "every line of views.jsonl is a record",
    "names": "no two views share a name or a file",
    "summary": "dataset.json agrees with the records",
    "missing": "files named in records exist",
    "bytes": "files have their recorded size and hash",
    "decode": "files can be decoded",
    "shape": "passes have the right size and bit depth",
    "mask": "masks cover the recorded share",
    "empty": "masks show something of the model",
    "flat": "pictures are not of one colour",
    "edge": "masks reach from black to white, with a soft, thin edge",
    "numbers": "labels hold only valid numbers",
    "depth": "depth, normals, indices and boxes end where the mask does",
    "normal": "normals have length 1",
    "index": "index and material values are in their tables",
    "tracks": "tracked points lie where their camera sees them",
    "amodal": "whole silhouettes hold what is seen of objects, as their records say",
    "box": "boxes lie in the picture and agree with masks",
    "frames": "sequences have all their frames, and times increase",
    "poses": "each sequence's transforms.json agrees with the records",
    "flow": "flow leads to the same things in neighbouring frames",
    "carried": "scene flow and occlusion agree with depth, poses and flow",
    "pace": "most of what is seen moves as far as depth and poses say",
    "warp": "pictures look the same along the flow",
    "things": "things of sentences are as index, depth and albedo show them",
    "sentences": "sentences are true of what they are said of",
    "ambiguous": "sentences are true of nothing else",
    "claims": "boxes, points, phrases and words fit their sentences",
    "unproven": "passes show all that sentences speak of",
    "same": "no two views have the same picture",
    "alike": "no two views of a model look the same",
    "alone": "scripts make the same of a view alone as after those before it",
    "stray": "every file of a pass belongs to a record",
    "splits": "splits are whole, and no view is in two of them",
    "running": "nothing is being rendered",
    "nested": "no other dataset lies within",
    "failures": "every task could be rendered",
}
"""Statements that hold in a sound dataset."""
assert TITLES.keys() == set(get_args(CheckName))

NOTES: frozenset[CheckName] = frozenset(
    {"edge", "depth", "empty", "pace", "warp", "unproven", "same", "alike", "alone", "running",
     "nested", "failures"}
)  # fmt: skip
"""Checks whose findings may be right: a person should look. All that a renderer keeps
is sound or a note."""
LOST: frozenset[CheckName] = frozenset(
    {"missing", "records", "names", "summary", "frames", "poses"}
)
"""Checks whose findings have no file to delete: making the dataset again is enough."""
EXAMPLES = 5
"""Findings of each check that are reported."""


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
    """The findings on one view."""

    looked: list[CheckName] = field(default_factory=list)
    """The checks that had something to look at."""
    findings: list[DatasetFinding] = field(default_factory=list)
    files: int = 0
    size_bytes: int = 0
    look: Fingerprint | None = None
    verdicts: Counter[tuple[ExpressionKind, Verdict]] = field(default_factory=Counter)
    """On its sentences."""


class CheckResult(Spec):
    """What one check has found."""

    check: CheckName
    title: str
    """What holds where nothing is found."""
    is_note: bool
    """It may be right: a person should look."""
    looked_at: int
    """Views, or of `stray` files, of `records` lines, of `splits` places, of `frames` and `poses`
    sequences, of `flow`, `carried`, `pace` and `warp` steps to a neighbouring frame, of
    `sentences`, `ambiguous`, `claims` and `unproven` sentences, of `summary`, `running` and
    `failures` datasets."""
    found: int
    examples: tuple[str, ...]
    """The first findings."""


class Verdicts(Spec):
    """How many sentences were run again, and what came of it."""

    checked: int = 0
    true: int = 0
    """Of exactly what they are said of."""
    ambiguous: int = 0
    """Of that, and perhaps of something else."""
    false: int = 0
    unproven: int = 0
    """They speak of what only passes show that are not there."""


class SentenceReport(Verdicts):
    """The same of all sentences, and of each kind."""

    by_kind: dict[ExpressionKind, Verdicts] = Field(default_factory=dict)


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
    sentences: SentenceReport | None = None
    """None where there are none."""


class FindingCounter:
    """Counts what is looked at and found, by check; keeps the first findings of each."""

    def __init__(self) -> None:
        self.looked: Counter[CheckName] = Counter()
        self.found: Counter[CheckName] = Counter()
        self.examples: dict[CheckName, list[str]] = {check: [] for check in TITLES}
        self.verdicts: Counter[tuple[ExpressionKind, Verdict]] = Counter()

    def look(self, check: CheckName, times: int = 1) -> None:
        """Count something that was looked at."""
        self.looked[check] += times

    def add(self, finding: DatasetFinding) -> None:
        """Take a finding."""
        self.found[finding.check] += 1
        if len(self.examples[finding.check]) < EXAMPLES:
            self.examples[finding.check].append(str(finding))

    def sentences(self) -> SentenceReport | None:
        """Return what came of all sentences; None where there are none."""
        if not self.verdicts:
            return None
        kinds = sorted({kind for kind, _ in self.verdicts})
        by_kind = {
            kind: verdicts({of: self.verdicts[kind, of] for of in get_args(Verdict)})
            for kind in kinds
        }
        whole: Counter[str] = Counter()
        for (_, verdict), count in self.verdicts.items():
            whole[verdict] += count
        return SentenceReport(**verdicts(whole).model_dump(), by_kind=by_kind)

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


def verdicts(counts: Mapping[str, int]) -> Verdicts:
    """Return counts of verdicts as a report has them."""
    return Verdicts(checked=sum(counts.values()), **counts)
