"""The views of a job as people leaf through them: page by page, found by words."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from farm import expand
from farm.api.datasets.listing import inner_path
from farm.api.jobs import bad_cursor
from farm.dataset.records.current import CurrentView, standing_views
from farm.dataset.records.read import VIEWS_FILE
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.passes import PASSES, PassName
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.wire import Page
from farm.storage import Storage

log = logging.getLogger(__name__)

CURSOR = re.compile(r"([0-9]{1,12})\.([0-9]{1,15})\.(.{0,400})")
DATASETS = 200
"""Most datasets that are opened for one answer."""
LOOKED_AT = 5000
"""Most records that are read for one answer, where few are found."""


class ShownFile(Spec):
    """A file that can be shown as a picture."""

    path: str
    """Relative to the job's datasets."""
    sha256: str


class ShownObject(Spec):
    """A thing in a view."""

    name: str
    category: str
    box_px: tuple[float, float, float, float] | None
    visible_fraction: float | None


class ShownSentence(Spec):
    """A sentence about a view."""

    text: str
    kind: str
    level: int
    targets: tuple[int, ...]
    """Places in `objects`."""
    negative: bool


class ViewCard(Spec):
    """A view, as far as people look at it."""

    name: str
    dataset: str
    """Folder of its dataset within the job's."""
    title: str
    caption: str
    task_id: str
    worker: str
    assets: tuple[str, ...]
    resolution_px: tuple[int, int]
    pictures: dict[PassName, ShownFile]
    """Of each pass, its file, or the 8-bit picture of it."""
    objects: tuple[ShownObject, ...]
    sentences: tuple[ShownSentence, ...] = ()
    coverage: float
    render_s: float


def list_cards(
    storage: Storage, job: Job, *, cursor: str | None, limit: int, find: str = ""
) -> Page[ViewCard]:
    """Return a page of the views of a job that are finished.

    Args:
        find: Words that must all be in a view's name, title, assets, categories or worker.

    Raises:
        ApiProblem: This server did not issue the cursor.
    """
    place = CURSOR.fullmatch(cursor or "0.0.")
    if place is None:
        raise bad_cursor()
    words = find.casefold().split()
    cards: list[ViewCard] = []
    for looked, (at, dataset, view) in enumerate(views_from(storage, job, place)):
        if view is None:
            return Page[ViewCard](items=tuple(cards), next=f"{at}.0.")
        if len(cards) == limit or looked == LOOKED_AT:
            return Page[ViewCard](items=tuple(cards), next=f"{at}.{view.place}.{view.source}")
        if fits(view.record, words):
            cards.append(card(view.record, inner_path(job, dataset)))
    return Page[ViewCard](items=tuple(cards))


def views_from(
    storage: Storage, job: Job, place: re.Match[str]
) -> Iterator[tuple[int, str, CurrentView | None]]:
    """Yield the views of a job from a place on, with their dataset and its number.

    After so many datasets comes one with no view, where another answer is to continue.
    """
    first, start, source = int(place[1]), int(place[2]), place[3]
    for at, dataset in enumerate(expand.datasets(job)):
        if at < first:
            continue
        if at == first + DATASETS:
            yield at, dataset, None
        views = standing_views(
            storage, dataset, log.warning, source=source or VIEWS_FILE, place=start
        )
        for view in views:
            yield at, dataset, view
        start, source = 0, ""


def fits(record: ViewRecord, words: list[str]) -> bool:
    """Say whether all words are in what a view says of itself."""
    if not words:
        return True
    said = " ".join(
        (
            record.view.name,
            record.title,
            record.worker,
            *(asset.name for asset in record.assets),
            *(label.category for label in record.objects),
            *(sentence.text for sentence in record.expressions),
        )
    ).casefold()
    return all(word in said for word in words)


def card(record: ViewRecord, inner: str) -> ViewCard:
    """Return what people look at of a view."""
    return ViewCard(
        name=record.view.name,
        dataset=inner.rstrip("/"),
        title=record.title,
        caption=record.view.caption,
        task_id=record.task_id,
        worker=record.worker,
        assets=tuple(asset.name for asset in record.assets),
        resolution_px=record.resolution_px,
        pictures={name: shown(file, inner) for name, file in pictures_of(record)},
        objects=tuple(
            ShownObject(
                name=label.name,
                category=label.category,
                box_px=label.box_px,
                visible_fraction=label.visible_fraction,
            )
            for label in record.objects
        ),
        sentences=tuple(
            ShownSentence(
                text=each.text,
                kind=each.kind,
                level=each.level,
                targets=each.targets,
                negative=each.negative,
            )
            for each in record.expressions
        ),
        coverage=record.coverage,
        render_s=record.timings.render_s,
    )


def pictures_of(record: ViewRecord) -> Iterator[tuple[PassName, FileRecord]]:
    """Yield what of each pass can be shown."""
    for name, file in record.files.items():
        if name in record.previews:
            yield name, record.previews[name]
        elif PASSES[name].kind in ("picture", "yes_or_no"):
            yield name, file


def shown(file: FileRecord, inner: str) -> ShownFile:
    """Return a file as a page asks for it."""
    return ShownFile(path=f"{inner}{file.path}", sha256=file.sha256)
