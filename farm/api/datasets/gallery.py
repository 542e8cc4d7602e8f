"""The views of a job as people leaf through them: page by page, found by what they show."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pydantic import Field

from farm import expand
from farm.api.datasets.listing import inner_path
from farm.api.datasets.view_cards import ViewCard, card
from farm.api.datasets.wishes import ViewWish, as_written
from farm.api.jobs import bad_cursor
from farm.dataset.records.current import CurrentView, standing_views
from farm.dataset.records.read import VIEWS_FILE
from farm.spec.job import Job
from farm.spec.passes import PASSES, PassName
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.wire import Page
from farm.storage import Storage

log = logging.getLogger(__name__)

CURSOR = re.compile(r"([0-9]{1,12})\.([0-9]{1,15})\.([^|]{0,400})(?:\|(.{1,400}))?")
DATASETS = 200
"""Most datasets that are opened for one answer."""
LOOKED_S = 0.5
"""Time after which an answer is given, where few views are found."""


class Leafing(ViewWish):
    """Which views somebody wants to see, and from where on."""

    cursor: str | None = Field(default=None, max_length=1000)
    limit: int = Field(default=60, ge=1, le=500)
    dataset: str = Field(default="", max_length=400)
    """Of `view`: folder of its dataset within the job's, where that is known."""
    task: str = Field(default="", max_length=400)
    """Of `view`: the task that rendered it, where that is known: it is looked for there first."""
    once: bool = False
    """Of a sequence only the first of its frames that are there: it stands for all."""


class Start(NamedTuple):
    """Where to leaf from."""

    at: int
    """Number of the dataset."""
    place: int
    source: str
    told: str | None = None
    """Sequence that an earlier answer has told of, if this one begins in its midst."""


class Patience:
    """Says which lines of records are worth reading, until the time for an answer is over."""

    def __init__(self, wish: Leafing, told: str | None, clock: Callable[[], float]) -> None:
        self._wish = wish
        self._quick = wish.quick()
        self._clock = clock
        self._ends_s = clock() + LOOKED_S
        self.told = told
        """Sequence whose card has just been made: its other frames are passed over, if wanted."""

    @property
    def is_over(self) -> bool:
        return self._clock() > self._ends_s

    def may_fit(self, line: bytes) -> bool:
        """Say whether a line is read: the answer ends with one that is not wanted, too."""
        return self.is_over or (self._is_new(line) and self._quick(line))

    def _is_new(self, line: bytes) -> bool:
        """Say whether a line may be of another sequence than the one that was just told of."""
        if self.told is None or not self._wish.once:
            return True
        return f'"{as_written(self.told)}"'.encode() not in line

    def fits(self, view: CurrentView) -> bool:
        """Say whether a view is wanted."""
        moment = view.record.view.moment
        sequence = moment.sequence if moment else None
        if self._wish.once and sequence is not None and sequence == self.told:
            return False
        if not self._wish.fits(view.record):
            return False
        self.told = sequence
        return True


def list_cards(
    storage: Storage, job: Job, wish: Leafing, *, clock: Callable[[], float] = time.monotonic
) -> Page[ViewCard]:
    """Return a page of the views of a job that are finished and wanted.

    It may be short, or empty, with more to come: it takes no longer than people wait.

    Raises:
        ApiProblem: This server did not issue the cursor.
    """
    place = CURSOR.fullmatch(wish.cursor or "0.0.")
    if place is None:
        raise bad_cursor()
    start = Start(int(place[1]), int(place[2]), place[3], place[4])
    if wish.view and wish.task and wish.cursor is None:
        start = where_rendered(job, wish)
    patience = Patience(wish, start.told, clock)
    cards: list[ViewCard] = []
    looked = False
    for at, dataset, view in views_from(storage, job, start, patience.may_fit):
        if view is None:
            return Page[ViewCard](items=tuple(cards), next=f"{at}.0.")
        here = f"{at}.{view.place}.{view.source}"
        is_late, looked = looked and patience.is_over, True
        if not is_late and not patience.fits(view):
            continue
        if is_late:
            told = f"|{patience.told}" if wish.once and patience.told else ""
            return Page[ViewCard](items=tuple(cards), next=here + told)
        if len(cards) == wish.limit:
            return Page[ViewCard](items=tuple(cards), next=here)
        cards.append(card(view.record, inner_path(job, dataset), here))
    return Page[ViewCard](items=tuple(cards))


def where_rendered(job: Job, wish: Leafing) -> Start:
    """Return where the records of a task begin, as long as it runs; else where its dataset does."""
    for at, dataset in enumerate(expand.datasets(job)):
        if inner_path(job, dataset).rstrip("/") == wish.dataset:
            return Start(at, 0, wish.task)
    return Start(0, 0, "")


def views_from(
    storage: Storage, job: Job, start: Start, may_fit: Callable[[bytes], bool]
) -> Iterator[tuple[int, str, CurrentView | None]]:
    """Yield the views of a job from a place on, with their dataset and its number.

    After so many datasets comes one with no view, where another answer is to continue.
    """
    place, source = start.place, start.source
    for at, dataset in enumerate(expand.datasets(job)):
        if at < start.at:
            continue
        if at == start.at + DATASETS:
            yield at, dataset, None
        views = standing_views(
            storage,
            dataset,
            log.warning,
            source=source or VIEWS_FILE,
            place=place,
            may_fit=may_fit,
        )
        for view in views:
            yield at, dataset, view
        place, source = 0, ""


def pictures_of(record: ViewRecord) -> Iterator[tuple[PassName, FileRecord]]:
    """Yield of each pass what is a picture as it is: the 8-bit one, or the file itself."""
    for name, file in record.files.items():
        if name in record.previews:
            yield name, record.previews[name]
        elif PASSES[name].kind in ("picture", "yes_or_no", "cutout"):
            yield name, file
