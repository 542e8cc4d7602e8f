"""One export, start to end: look at all records, then part by part, then what all parts share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from farm.dataset.export.base import (
    DamagedFileError,
    Exporter,
    ExportJob,
    ExportOptions,
    ExportPart,
    NumberedView,
    Written,
)
from farm.dataset.export.checkpoints import Checkpoints, Exported, check_folder, part_digest
from farm.dataset.export.output_folder import OutputFolder
from farm.dataset.export.registry import load_format
from farm.dataset.export.splits import open_splits, split_kind, unused_splits, views_in_none
from farm.dataset.export.survey import Survey, folder_of, is_arrangement, look
from farm.dataset.parallel import ahead
from farm.dataset.reader import Dataset
from farm.dataset.records.attribution import ATTRIBUTION_FILE, attribution
from farm.errors import SpecError
from farm.spec.base import digest
from farm.spec.passes import VALIDITY, PassName
from farm.storage import open_storage

AHEAD = 2
"""Views in progress for each thread, which bounds the memory."""
BYTES_PER_MB = 1_000_000
RULES = "files are what was recorded"
"""Parts that were written by other rules are written again."""
FOR_ALL = frozenset({"format", "image_format", "passes", "shard_views"})
"""Options that all formats use."""

Report = Callable[[int, int], None]
"""Takes the views that are done and the views there are."""


class ExportSummary(NamedTuple):
    """The outcome of an export."""

    folder: Path
    views: int
    there: int
    """Of these, the views that an earlier run had exported."""
    splits: dict[str, int]
    classes: tuple[str, ...]
    left_out: int
    """Views that are in no split."""
    split_kind: str
    """How the splits were made; empty where there are none."""
    unused_splits: tuple[str, ...]
    """Where else splits lie, of a part of the dataset or of more than it."""
    damaged: tuple[str, ...]
    """What is wrong with each view that is left out for that."""
    fewer: int
    """Views that the same export had before and no longer has."""
    notes: tuple[str, ...]
    """Remarks of the format on the dataset."""


@dataclass
class Progress:
    """How far an export is."""

    report: Report
    views: int
    done: int = 0
    there: int = 0
    damaged: list[str] = field(default_factory=list)

    def add(self, views: int = 1) -> None:
        """Count views, and tell."""
        self.done += views
        self.report(self.done, self.views)


def export(  # noqa: PLR0913  what a person chooses
    place: str,
    out: Path,
    options: ExportOptions,
    *,
    threads: int,
    report: Report,
    replace: bool = False,
    every: bool = False,
) -> ExportSummary:
    """Write a dataset, or all those in a folder, in another format; resume where a run stopped.

    A view with a file that is not what was recorded is left out, and told.

    Args:
        place: Where the dataset is.
        out: The folder to write into.
        options: What to write.
        threads: Views at a time.
        report: Is told after each view.
        replace: Make the folder this export, whatever export it holds.
        every: Of a dataset that others lie within, export these, too.

    Raises:
        DatasetError: No dataset is there.
        SpecError: The format cannot hold this dataset, or the folder holds something else.
        StorageError: The folder cannot be written.
    """
    check_folder(out)
    kind = load_format(options.format)
    check_use(options, kind)
    splits = open_splits(place, every=every)
    survey = look(splits, options.classes)
    if not survey.views:
        why = (
            "all views are in no split"
            if views_in_none(place, splits, every=every)
            else "has no views yet"
        )
        raise SpecError(f"{place}: {why}: there is nothing to export")
    kind = kind.suited_to(survey)
    check_use(options, kind)
    outbox = OutputFolder(out)
    check_options(options, kind, survey)
    exporter = kind(ExportJob(options, survey, outbox))
    marks = Checkpoints(outbox)
    wanted = Exported(**options.model_dump(), source=open_storage(place).place)
    before = marks.begin(wanted, replace=replace)
    progress = Progress(report, survey.views)
    write_parts(exporter, marks, progress, threads=threads)
    marks.keep_shared(exporter.close(marks.lines))
    marks.tidy()
    text = attribution(out.name, survey.assets)
    outbox.put_text(ATTRIBUTION_FILE, text)
    return ExportSummary(
        folder=out,
        views=survey.views - len(progress.damaged) - exporter.left_out,
        there=progress.there,
        splits=dict(survey.counts),
        classes=survey.classes,
        left_out=views_in_none(place, splits, every=every),
        split_kind=split_kind(place),
        unused_splits=unused_splits(place),
        damaged=tuple(progress.damaged),
        fewer=max(0, before - survey.views),
        notes=(*exporter.notes, *left_out_of(splits)),
    )


def left_out_of(splits: Mapping[str, Dataset]) -> list[str]:
    """Say which datasets that lie within the one that is exported are left out."""
    return [f"{data.note}; --all includes them" for data in splits.values() if data.note]


def write_parts(
    exporter: Exporter[Any], marks: Checkpoints, progress: Progress, *, threads: int
) -> None:
    """Write the parts that are missing."""
    survey, options = exporter.survey, exporter.options
    common = digest(
        RULES,
        version("viewfarm"),
        options.model_dump(mode="json"),
        survey.classes,
        survey.licences(),
        survey.keypoints,
        [thing.model_dump() for thing in survey.things],
    )
    take = partial(taken_or_damaged, exporter)
    with ThreadPoolExecutor(threads, thread_name_prefix="export") as pool:
        for part in cut(numbered(survey, exporter), exporter):
            facts = exporter.facts_of(part)
            wanted = part_digest(part, common if facts is None else digest(common, facts))
            if marks.is_done(part, wanted):
                progress.there += len(part.views)
                progress.add(len(part.views))
            else:
                marks.set_aside(part.name)
                known = len(progress.damaged)
                taken = whole(ahead(pool, take, part.views, AHEAD * threads), progress)
                written = write_part(exporter, part, taken)
                marks.keep(part, wanted, written, damaged=len(progress.damaged) - known)
            del part  # before the next one is gathered: they are what takes memory


def taken_or_damaged(exporter: Exporter[Any], view: NumberedView) -> Any:
    """Return what was taken of a view; of one with a damaged file only what is wrong."""
    try:
        with exporter.outbox.undoing(DamagedFileError):
            return exporter.take(view)
    except DamagedFileError as error:
        return error


def whole(taken: Iterator[Any], progress: Progress) -> Iterator[Any]:
    """Yield what was taken of views that are whole; note the others."""
    for found in taken:
        if isinstance(found, DamagedFileError):
            progress.damaged.append(str(found))
        else:
            yield found
        progress.add()


def write_part(exporter: Exporter[Any], part: ExportPart, taken: Iterator[Any]) -> Written:
    """Write what the views of a part share, if any is left."""
    for first in taken:
        return exporter.write(part, chain([first], taken))
    return Written([], [])


def check_use(options: ExportOptions, kind: type[Exporter[Any]]) -> None:
    """Make sure that a format uses every option that was given.

    Raises:
        SpecError: It has none.
    """
    for_all = FOR_ALL - {"shard_views"} if kind.whole_sequences else FOR_ALL
    for name in sorted(options.model_fields_set - for_all - kind.takes):
        raise SpecError(
            f"--{name.replace('_', '-')}: an export to {options.format} does not use it: leave "
            "it out"
        )


def check_options(options: ExportOptions, kind: type[Exporter[Any]], survey: Survey) -> None:
    """Make sure that a format and a dataset fit the request.

    Raises:
        SpecError: They do not.
    """
    still = survey.timeline.still
    if kind.by_sequence and still:
        raise SpecError(
            f"{still}: is a picture on its own, and {options.format} holds sequences: render with "
            "--recipe sequence, or export to coco, huggingface or webdataset"
        )
    if kind.by_sentence and not survey.sentences:
        raise SpecError(
            f"an export to {options.format} is about sentences, and no view has any: render with "
            "--recipe tabletop --words words.yaml, or export to coco, huggingface or webdataset"
        )
    if options.image_format == "original" and not kind.originals:
        raise SpecError(
            f"readers of {options.format} do not accept every file as it was rendered: choose "
            "--image-format png or jpg"
        )
    common = survey.common_passes()
    lacking: dict[str, tuple[PassName, ...]] = {
        f"--passes {name}": (name,) for name in options.passes if name not in common
    }
    lacking |= {
        f"an export to {options.format} needs the pass {' or '.join(names)}": names
        for names in kind.needs
        if not set(names) & set(common)
    }
    for what in lacking:
        words = dict.fromkeys(word_of(names[0]) for names in lacking.values())
        raise SpecError(
            f"{what}: not all views have it; all have {', '.join(common)}; {survey.remedy(*words)}"
        )


def word_of(name: PassName) -> str:
    """Return what people say to `--passes` for a pass."""
    return "flow" if name in VALIDITY else name


def numbered(survey: Survey, exporter: Exporter[Any]) -> Iterator[NumberedView]:
    """Yield all views, split by split, in order; those of sequences in time."""
    numbers = itertools.count()
    for split, dataset in survey.splits.items():
        views = (
            survey.timeline.frames(split, dataset)
            if exporter.by_sequence
            else zip(dataset, itertools.repeat(""))
        )
        for view, sequence in views:
            yield NumberedView(view, next(numbers), survey.stem(view), split, sequence=sequence)


def cut(views: Iterable[NumberedView], exporter: Exporter[Any]) -> Iterator[ExportPart]:
    """Gather views into parts; where a part ends follows from the records alone."""
    ends = Ends(exporter)
    held: list[NumberedView] = []
    number = 0
    for view in views:
        if ends.before(view, held):
            yield ExportPart(held[0].split, number, tuple(held))
            number = number + 1 if view.split == held[0].split else 0
            held = []
        held.append(view._replace(part=number, place=len(held)))
    if held:
        yield ExportPart(held[0].split, number, tuple(held))


class Ends:
    """Where parts end: by their number of views, their size, and what must not be in one."""

    def __init__(self, exporter: Exporter[Any]) -> None:
        self._exporter = exporter
        options = exporter.options
        self._most = options.shard_views or exporter.part_views
        self._most_bytes = options.shard_mb * BYTES_PER_MB if exporter.by_size else float("inf")
        self._bytes = self._sequence_bytes = 0

    def before(self, view: NumberedView, held: list[NumberedView]) -> bool:
        """Say whether a part of the views that are held ends before another view; count that."""
        size = self._exporter.size_of(view.record)
        another = bool(held) and view.sequence != held[-1].sequence
        ends = bool(held) and (self._differs(view, held[0]) or self._is_full(size, held, another))
        self._sequence_bytes = size if ends or another else self._sequence_bytes + size
        self._bytes = size if ends else self._bytes + size
        return ends

    def _differs(self, view: NumberedView, first: NumberedView) -> bool:
        """Say whether a view never is in one part with another one."""
        if view.split != first.split:
            return True
        if self._exporter.by_arrangement and is_arrangement(view.record):
            return view.record.group != first.record.group or folder_differs(view, first)
        return self._exporter.by_dataset and folder_differs(view, first)

    def _is_full(self, size: int, held: list[NumberedView], another: bool) -> bool:  # noqa: FBT001
        """Say whether a part has no room for a view, or for the next sequence, if one begins."""
        if self._exporter.whole_sequences:
            room = self._most_bytes - self._bytes - self._sequence_bytes  # the next is like it
            return another and (not self._exporter.by_size or room < 0)
        return another or len(held) >= self._most or self._bytes + size > self._most_bytes


def folder_differs(view: NumberedView, other: NumberedView) -> bool:
    """Say whether two views are of two datasets."""
    return folder_of(view.view) != folder_of(other.view)
