"""One export, start to end: look at all records, then part by part, then what all parts share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from farm.dataset.attribution import ATTRIBUTION_FILE, attribution
from farm.dataset.export.base import Exporter, ExportOptions, Job, NumberedView, Part
from farm.dataset.export.checkpoints import Checkpoints, check_folder, part_digest
from farm.dataset.export.formats import load_format
from farm.dataset.export.outbox import Outbox
from farm.dataset.export.splits import open_splits, views_in_none
from farm.dataset.export.survey import Survey, folder_of, look
from farm.dataset.parallel import ahead
from farm.errors import SpecError
from farm.spec.base import digest

AHEAD = 2
"""Views in hand for each thread: what bounds the memory."""
BYTES_PER_MB = 1_000_000

Report = Callable[[int, int], None]
"""Takes the views that are done and the views there are."""


class ExportSummary(NamedTuple):
    """What an export came to."""

    folder: Path
    views: int
    there: int
    """Of these, the views that an earlier run had exported."""
    splits: dict[str, int]
    classes: tuple[str, ...]
    left_out: int
    """Views that are in no split."""


def export(
    place: str, out: Path, options: ExportOptions, *, threads: int, report: Report
) -> ExportSummary:
    """Write a dataset, or all those in a folder, in another format; go on where a run stopped.

    Raises:
        DatasetError: No dataset is there, or a file of it is gone.
        PictureError: A file is broken.
        SpecError: The format cannot hold this dataset, or the folder holds something else.
        StorageError: The folder cannot be written.
    """
    check_folder(out)
    kind = load_format(options.format)
    splits = open_splits(place)
    survey = look(splits, options.classes)
    if not survey.views:
        why = "all views are in no split" if views_in_none(place, splits) else "has no views yet"
        raise SpecError(f"{place}: {why}: there is nothing to export")
    outbox = Outbox(out)
    check_options(options, kind, survey)
    exporter = kind(Job(options, survey, outbox))
    marks = Checkpoints(outbox)
    marks.begin(options)
    there = write_parts(exporter, marks, threads=threads, report=report)
    marks.keep_shared(exporter.close(marks.lines))
    marks.tidy()
    text = attribution(out.name, models=survey.models, hdrs=survey.hdrs)
    outbox.put_text(ATTRIBUTION_FILE, text)
    return ExportSummary(
        folder=out,
        views=survey.views,
        there=there,
        splits=dict(survey.counts),
        classes=survey.classes,
        left_out=views_in_none(place, splits),
    )


def write_parts(
    exporter: Exporter[Any], marks: Checkpoints, *, threads: int, report: Report
) -> int:
    """Write the parts that are missing; return the views of those that were there."""
    survey, options = exporter.survey, exporter.options
    common = digest(
        version("viewfarm"),
        options.model_dump(mode="json"),
        survey.classes,
        survey.licences(),
        survey.keypoints,
        [thing.model_dump() for thing in survey.things],
    )
    done = there = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="export") as pool:
        for part in cut(numbered(survey), exporter):
            wanted = part_digest(part, common)
            if marks.is_done(part, wanted):
                there += len(part.views)
            else:
                marks.set_aside(part.name)
                taken = ahead(pool, exporter.take, part.views, AHEAD * threads)
                marks.keep(part, wanted, exporter.write(part, counted(taken, done, survey, report)))
            done += len(part.views)
            report(done, survey.views)
            del part  # before the next one is gathered: they are what takes memory
    return there


def check_options(options: ExportOptions, kind: type[Exporter[Any]], survey: Survey) -> None:
    """Look that a format and a dataset fit what is asked for.

    Raises:
        SpecError: They do not.
    """
    if options.image_format == "original" and not kind.originals:
        raise SpecError(
            f"readers of {options.format} do not take every file as it was rendered: "
            "--image-format png or jpg"
        )
    common = survey.common_passes()
    lacking = [f"--passes {name}" for name in options.passes if name not in common]
    lacking += [
        f"an export to {options.format} needs the pass {' or '.join(names)}"
        for names in kind.needs
        if not set(names) & set(common)
    ]
    if lacking:
        raise SpecError(f"{lacking[0]}: not all views have it; all have {', '.join(common)}")


def numbered(survey: Survey) -> Iterator[NumberedView]:
    """Yield all views, split by split, in order."""
    number = 0
    for split, dataset in survey.splits.items():
        for view in dataset:
            yield NumberedView(view, number, survey.stem(view), split)
            number += 1


def cut(views: Iterable[NumberedView], exporter: Exporter[Any]) -> Iterator[Part]:
    """Gather views into parts; where a part ends follows from the records alone."""
    most = exporter.options.shard_views or exporter.part_views
    most_bytes = exporter.options.shard_mb * BYTES_PER_MB if exporter.by_size else float("inf")
    held: list[NumberedView] = []
    size_bytes = number = 0
    for view in views:
        size = exporter.size_of(view.record)
        if held and (
            view.split != held[0].split
            or len(held) >= most
            or size_bytes + size > most_bytes
            or (exporter.by_dataset and folder_of(view.view) != folder_of(held[0].view))
        ):
            yield Part(held[0].split, number, tuple(held))
            number = number + 1 if view.split == held[0].split else 0
            held, size_bytes = [], 0
        held.append(view._replace(part=number, place=len(held)))
        size_bytes += size
    if held:
        yield Part(held[0].split, number, tuple(held))


A = TypeVar("A")


def counted(items: Iterable[A], done: int, survey: Survey, report: Report) -> Iterator[A]:
    """Yield `items`, and report after each."""
    for count, item in enumerate(items, start=1):
        yield item
        report(done + count, survey.views)
