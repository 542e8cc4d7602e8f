"""Checks of all of a dataset, view by view, in a stream: is it what its records say?"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from farm.dataset.merge import MERGED
from farm.dataset.nesting import listed
from farm.dataset.parallel import mapped, mapped_in_processes, pays, pieces_of
from farm.dataset.proof.measured import Naming
from farm.dataset.reader import Dataset, read_line
from farm.dataset.records.collect import DATASET_FILE, DatasetSummary
from farm.dataset.records.current import is_running
from farm.dataset.records.newest import number
from farm.dataset.records.read import VIEWS_FILE, parse_record, read_lines
from farm.dataset.records.snapshot import records_at_hand
from farm.dataset.sequences import SequenceFrames, SequenceIndex
from farm.dataset.verify.duplicates import DuplicateFinder
from farm.dataset.verify.lines import Asked, Line, LineExaminer, Looked, fact_of
from farm.dataset.verify.report import NOTES, DatasetFinding, FindingCounter, VerifyReport
from farm.dataset.verify.sequence_checks import SequenceVerifier
from farm.dataset.verify.split_checks import check_splits, has_splits
from farm.spec.base import first_reason
from farm.spec.passes import PASS_FOLDERS, PREVIEWS_FOLDER
from farm.spec.recipes import word_of
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage
from farm.storage.shards import file_of

PASS_PLACES = {*PASS_FOLDERS.values(), PREVIEWS_FOLDER}
"""Where files of views lie; other files that a person keeps in a dataset are left alone."""


PIECE = 32
"""Views that another process looks at between two words on the progress."""


class Verifier:
    """Goes through the datasets of one place. Kept for each view: about 150 bytes."""

    def __init__(
        self, data: Dataset, *, tally: FindingCounter, broken: Callable[[str], None]
    ) -> None:
        self.storage = data.storage
        self.prefixes = data.prefixes
        self._left_out = data.left_out
        self._found = [self._state(prefix) for prefix in data.prefixes]
        self.tally = tally
        self.views = self.files = self.size_bytes = 0
        self._broken = broken
        self._starts = array("Q")
        self._parts = array("L")
        self._owned = array("Q")
        self._shards: set[int] = set()
        self._folders: set[str] = set()
        self._twins = DuplicateFinder()
        self._sequences = SequenceIndex()
        self._summaries = [self._read_summary(prefix) for prefix in self.prefixes]
        self._counted: list[Counter[str]] = [Counter() for _ in self.prefixes]
        self._asset_names: dict[str, str] = {}
        self._unread: set[int] = set()
        """The datasets of which a line is not a record: what it named is not known."""
        self.books = [self._book(part) for part in range(len(self.prefixes))]

    def run(
        self,
        *,
        workers: int,
        processes: bool,
        progress: Callable[[int], None],
        more: Callable[[int], None],
    ) -> None:
        """Look at everything."""
        examine = LineExaminer(self.storage, [self._asked(p) for p in range(len(self.prefixes))])
        if processes:
            lines = pieces_of(self._lines(), PIECE)
            looked = mapped_in_processes(examine, lines, workers=workers)
        else:
            looked = mapped(examine, pieces_of(self._lines(), 1), workers=workers)
        for each in looked:
            self._take(each)
            progress(each.lines)
        self._find_shared()
        self._find_twins()
        self._find_nested()
        more(self._sequences.frames)
        self._check_sequences(workers=workers, progress=progress)
        for part in range(len(self.prefixes)):
            self._check_summary(part)
            self._find_strays(part)
        self._check_splits()

    def _lines(self) -> Iterator[Line]:
        for part, (book, prefix) in enumerate(zip(self.books, self.prefixes, strict=True)):
            lines = read_lines(book, dataset_key(prefix, VIEWS_FILE))
            for at, (start, text) in enumerate(lines, start=1):
                if text:
                    yield Line(part, at, start, text)

    def _book(self, part: int) -> Storage:
        """Return where all records of a dataset are; a copy lacks what are none, which is told."""
        key = dataset_key(self.prefixes[part], VIEWS_FILE)

        def broken(sentence: str) -> None:
            self.tally.look("records")
            self._unread.add(part)
            what = sentence.removeprefix(f"{self.storage.place}/{key}: ")
            self._report(DatasetFinding("records", key, what))

        (book,) = records_at_hand(self.storage, [self.prefixes[part]], broken)
        return book

    def _asked(self, part: int) -> Asked:
        """Return what was asked for of a dataset."""
        summary = self._summaries[part]
        return Asked(
            prefix=self.prefixes[part],
            may_be_empty=allows_empty(summary),
            previews=wants_previews(summary),
            naming=naming_of(summary),
        )

    def _take(self, looked: Looked) -> None:
        """Keep what some lines told."""
        first = len(self._starts)
        self.tally.looked.update(looked.looked)
        self.tally.verdicts.update(looked.verdicts)
        for finding in looked.findings:
            self._report(finding)
        self._unread |= looked.unread
        self._owned.extend(looked.owned)
        self._shards |= looked.shards
        self._folders |= looked.folders
        self._asset_names |= looked.asset_names
        for part, counted in looked.counted.items():
            self._counted[part].update(counted)
        for place, part, moment in looked.moments:
            self._sequences.add(first + place, self.prefixes[part], moment)
        for place, look in looked.looks:
            self._twins.add(first + place, look)
        self._starts.extend(looked.starts)
        self._parts.extend(looked.parts)
        self.views += len(looked.starts)
        self.files += looked.files
        self.size_bytes += looked.size_bytes

    def _report(self, finding: DatasetFinding) -> None:
        self.tally.add(finding)
        if finding.file:
            self._broken(file_of(finding.file))

    def _record(self, place: int) -> tuple[str, ViewRecord]:
        """Return the dataset and record of the view at `place`."""
        part = self._parts[place]
        line = read_line(self.books[part], self.prefixes[part], self._starts[place])
        return self.prefixes[part], parse_record(line)

    def _key(self, place: int) -> str:
        prefix, record = self._record(place)
        return dataset_key(prefix, record.view.name)

    def _find_shared(self) -> None:
        """Find names and files that more than one view claims."""
        values, counts = np.unique(np.array(self._owned, dtype=np.uint64), return_counts=True)
        shared = set(values[counts > 1].tolist())
        told: set[int] = set()
        for place in range(len(self._starts)) if shared else ():
            prefix, record = self._record(place)
            claims = [f"view {dataset_key(prefix, record.view.name)}"]
            claims += [dataset_key(prefix, file.path) for file in record.all_files]
            again = [claim for claim in claims if number(claim) in told]
            told.update(claim for claim in map(number, claims) if claim in shared)
            if again:
                what = "another view has the same name or files"
                self._report(DatasetFinding("names", dataset_key(prefix, record.view.name), what))

    def _find_twins(self) -> None:
        for later, earlier in self._twins.same():
            what = f"has the same picture as {self._key(earlier)}"
            self._report(DatasetFinding("same", self._key(later), what))
        for later, earlier in self._twins.alike():
            self._report(
                DatasetFinding("alike", self._key(later), f"looks like {self._key(earlier)}")
            )

    def _check_sequences(self, *, workers: int, progress: Callable[[int], None]) -> None:
        """Look at frames beside their neighbours."""

        still = [self._is_at_rest(part) for part in range(len(self.prefixes))]

        def is_at_rest(sequence: SequenceFrames) -> bool:
            part = self._parts[sequence.views[0]]
            return part not in self._unread and still[part]

        SequenceVerifier(self.storage, self._record, tally=self.tally, report=self._report).run(
            self._sequences, is_at_rest=is_at_rest, workers=workers, progress=progress
        )

    def _find_nested(self) -> None:
        """Name the datasets that nobody looks at."""
        if self._left_out:
            self.tally.look("nested")
            count = len(self._left_out)
            what = f"holds {count} more, which only --all looks at: {listed(self._left_out)}"
            self._report(DatasetFinding("nested", self.storage.place, what))

    def _read_summary(self, prefix: str) -> DatasetSummary | None:
        key = dataset_key(prefix, DATASET_FILE)
        data = self.storage.get(key)
        try:
            return None if data is None else DatasetSummary.model_validate_json(data)
        except ValidationError as error:
            reason = first_reason(error)
            self._report(DatasetFinding("summary", key, f"is not a summary: {reason}"))
            return None

    def _check_summary(self, part: int) -> None:
        """Compare a `dataset.json` with what its records say."""
        prefix, summary = self.prefixes[part], self._summaries[part]
        key = dataset_key(prefix, DATASET_FILE)
        self.tally.look("running")
        if not self._is_at_rest(part):
            what = (
                "is being rendered, or a run was killed or has tasks that failed; the same farm "
                "render again finishes it"
            )
            self._report(DatasetFinding("running", prefix or self.storage.place, what))
            return
        self.tally.look("summary")
        if summary is None:
            if self.storage.size(key) is None:
                self._report(DatasetFinding("summary", key, "is missing"))
            return
        counted, told = self._counted[part], told_by(summary)
        for fact in sorted(counted.keys() | told.keys()):
            if counted[fact] != told.get(fact, 0):
                words = self._words(fact, summary)
                what = f"says {told.get(fact, 0):,} {words}, but records say {counted[fact]:,}"
                self._report(DatasetFinding("summary", key, what))
        self.tally.look("failures")
        if summary.failures:
            what = f"lists {len(summary.failures)} failed tasks; the first: {summary.failures[0]}"
            self._report(DatasetFinding("failures", key, what))

    def _words(self, fact: str, summary: DatasetSummary) -> str:
        """Return what is counted, as a person says it: an asset has a name, and then a hash."""
        role, _, sha256 = fact.partition(" ")
        names = {asset.sha256: asset.name for asset in summary.assets} | self._asset_names
        name = names.get(sha256)
        if name is None:
            return fact
        same = sum(other == name for other in names.values())
        return f"views of the {word_of(role)} {name}" + (f" ({sha256[:8]})" if same > 1 else "")

    def _state(self, prefix: str) -> tuple[bool, int | None]:
        """Return what changes while views are rendered: whether they are, and how many records."""
        size = self.storage.size(dataset_key(prefix, VIEWS_FILE))
        return is_running(self.storage, prefix), size

    def _is_at_rest(self, part: int) -> bool:
        """Say whether nothing was rendered since before records were read."""
        before = self._found[part]
        return not before[0] and self._state(self.prefixes[part]) == before

    def _find_strays(self, part: int) -> None:
        """Find files that no record names, where all records are known."""
        prefix = self.prefixes[part]
        if part in self._unread or not self._is_at_rest(part):
            return
        shards = np.fromiter(self._shards, dtype=np.uint64)
        owned = np.sort(np.concatenate([np.array(self._owned, dtype=np.uint64), shards]))
        for key in self.storage.keys(prefix):
            if not self._is_pass_place(prefix, key):
                continue
            self.tally.look("stray")
            if not is_among(owned, number(key)):
                self._report(DatasetFinding("stray", key, "no record names it", key))

    def _is_pass_place(self, prefix: str, key: str) -> bool:
        """Say whether a file lies where files of views do, which recipes may put elsewhere."""
        folder, _, path = key.removeprefix(f"{prefix}/").partition("/")
        if path.startswith(".") or "/." in path:
            return False
        return folder in PASS_PLACES or key.rpartition("/")[0] in self._folders

    def _check_splits(self) -> None:
        """Look at the splits of the place, if it has any."""
        owned = np.sort(np.array(self._owned, dtype=np.uint64))

        def is_view(key: str) -> bool:
            return bool(self._unread) or is_among(owned, number(f"view {key}"))

        if has_splits(self.storage):
            self.tally.look("splits")
        for finding in check_splits(self.storage, is_view):
            self._report(finding)


def is_among(numbers: NDArray[np.uint64], wanted: int) -> bool:
    """Say whether a number is one of `numbers`, (N,), which are sorted."""
    mine = np.uint64(wanted)
    at = int(np.searchsorted(numbers, mine))
    return at < len(numbers) and bool(numbers[at] == mine)


def verify(  # noqa: PLR0913  what to look at, and whom to tell
    data: Dataset,
    *,
    workers: int,
    processes: bool = False,
    progress: Callable[[int], None] = lambda _views: None,
    more: Callable[[int], None] = lambda _frames: None,
    broken: Callable[[str], None] = lambda _key: None,
    tally: FindingCounter | None = None,
) -> VerifyReport:
    """Look at all files and records of what was opened.

    Args:
        data: All of a place.
        workers: Views to look at at a time.
        processes: Where there are many, in processes, which import the program's main module anew.
        progress: Called with the number of views that were looked at since it was called.
        more: Called once with the number of views that are looked at a second time: frames of
            sequences, beside their neighbours.
        broken: Called with the key of each file that should be deleted.
        tally: Counts what is found; one may count for several places.
    """
    start = time.monotonic()
    tally = tally or FindingCounter()
    verifier = Verifier(data, tally=tally, broken=broken)
    processes = processes and data.suits_processes and pays(views=len(data), workers=workers)
    verifier.run(workers=workers, processes=processes, progress=progress, more=more)
    results = tally.results()
    return VerifyReport(
        views=verifier.views,
        files=verifier.files,
        size_bytes=verifier.size_bytes,
        seconds=round(time.monotonic() - start, 3),
        wrong=sum(result.found for result in results if result.check not in NOTES),
        notes=sum(result.found for result in results if result.check in NOTES),
        checks=results,
        sentences=tally.sentences(),
    )


def allows_empty(summary: DatasetSummary | None) -> bool:
    """Say whether masks that show nothing were asked for."""
    return any(recipe.get("allow_empty_masks") is True for recipe in recipes_of(summary))


def naming_of(summary: DatasetSummary | None) -> Naming:
    """Return how much of a thing must be seen for a sentence to name it: the least asked for."""
    usual, recipes = Naming(), recipes_of(summary)
    fractions = [recipe.get("visible_fraction", usual.fraction) for recipe in recipes]
    pixels = [recipe.get("visible_px", usual.pixels) for recipe in recipes]
    return Naming(min(fractions, default=usual.fraction), min(pixels, default=usual.pixels))


def recipes_of(summary: DatasetSummary | None) -> list[dict[str, Any]]:
    """Return what was asked for of a dataset, or of each that was merged into it."""
    spec = summary.spec if summary else {}
    merged = spec.get(MERGED)
    specs = merged if isinstance(merged, list) else [spec]
    recipes = [part.get("recipe") for part in specs if isinstance(part, dict)]
    return [recipe for recipe in recipes if isinstance(recipe, dict)]


def wants_previews(summary: DatasetSummary | None) -> bool:
    """Say whether previews of labels are to be there: by a request without, none are made again."""
    render = summary.spec.get("render") if summary else None
    return not (isinstance(render, dict) and render.get("previews") is False)


def told_by(summary: DatasetSummary) -> dict[str, int]:
    """Return what a `dataset.json` counts."""
    return {
        "views": summary.views,
        "empty views": summary.empty_views,
        "bytes": summary.size_bytes,
        **{fact_of(asset): asset.views for asset in summary.assets},
    }
