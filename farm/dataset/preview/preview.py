"""Looking at a dataset that was opened: a sheet, one view, or a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import NamedTuple

from farm.dataset.parallel import mapped_in_processes, pays
from farm.dataset.preview.contact_sheet import CaptionCounter, sheet_of_views
from farm.dataset.preview.selection import choose, in_place
from farm.dataset.reader import Dataset, DatasetError, DatasetView, LineReader, Piece, ViewLine
from farm.dataset.records.assets import AssetKey, key_of
from farm.errors import needing
from farm.spec.counted import counted
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.task import dataset_key

PAGE_VIEWS = 48
NEAR_NAMES = 3
PIECE = 256
"""Views that another process reads at a time."""
DRAWING = ("drawing needs", "pip install 'viewfarm[dataset]'")


class Candidate(NamedTuple):
    """What the choice of the views to show goes by; the record itself takes twenty times as much
    memory.
    """

    line: ViewLine
    assets: tuple[AssetKey, ...]
    resolution_px: tuple[int, int]


def sheet_of(data: Dataset, *, limit: int, workers: int = 1) -> bytes:
    """Return a contact sheet, JPEG, of up to `limit` views; see `chosen_of` for `workers`."""
    chosen, subtitle = chosen_of(data, limit=limit, workers=workers)
    return sheet_of_views(data.storage, "", chosen, title=title_of(data), subtitle=subtitle)


def chosen_of(data: Dataset, *, limit: int, workers: int) -> tuple[list[ViewRecord], str]:
    """Return the records of up to `limit` views, and what a caption says of all.

    Where there are many views, several `workers` are processes, which import the program's main
    module anew.
    """
    reader, tally = data.reader, CaptionCounter()
    found: Iterable[Candidate]
    if data.suits_processes and pays(views=len(data), workers=workers):
        look = partial(candidates_in, reader)
        pieces = mapped_in_processes(look, data.pieces(PIECE), workers=workers)
        found = chain.from_iterable(pieces)
    else:
        found = (candidate_of(line, reader.view(line).record) for line in data.lines())

    def candidates() -> Iterator[Candidate]:
        for candidate in found:
            tally.add(candidate.assets, candidate.resolution_px)
            yield candidate

    chosen = choose(candidates(), lambda each: tuple(key[1] for key in each.assets), limit=limit)
    return in_place(rooted(reader.view(each.line)) for each in chosen), str(tally)


def candidates_in(reader: LineReader, piece: Piece) -> list[Candidate]:
    """Return what the choice goes by of some views in a row."""
    return [candidate_of(line, reader.view(line).record) for line in reader.lines(piece)]


def candidate_of(line: ViewLine, record: ViewRecord) -> Candidate:
    """Return what the choice goes by of one view."""
    return Candidate(line, tuple(map(key_of, record.assets)), record.resolution_px)


def picture_of(data: Dataset, name: str) -> bytes:
    """Return a page, PNG, with all passes of one view.

    Args:
        data: What was opened.
        name: The view's name, or its key where several datasets are open.

    Raises:
        DatasetError: No view is called so, or several are.
    """
    with needing(*DRAWING):
        from farm.dataset.preview.tiles import draw_view

    return draw_view(find_view(data, name))


def page_of(
    data: Dataset,
    *,
    limit: int,
    workers: int = 1,
    progress: Callable[[int], None] = lambda _views: None,
) -> tuple[str, int]:
    """Return an HTML page of up to `limit` views, and how many it shows; see `chosen_of`."""
    with needing(*DRAWING):
        from farm.dataset.preview.html_page import make_page

    chosen, caption = chosen_of(data, limit=limit, workers=workers)
    if not chosen:
        raise DatasetError(f"{data.storage.place}: has no views yet: there is nothing to preview")
    subtitle = f"{caption}  ·  {counted(len(chosen), 'view')} shown"
    views = (rerooted(data, record) for record in chosen)
    page = make_page(
        views, count=len(chosen), title=title_of(data), subtitle=subtitle, progress=progress
    )
    return page, len(chosen)


def title_of(data: Dataset) -> str:
    """Return what a person calls what was opened."""
    if data.prefixes == ("",) and "" in data.summaries:
        return data.summaries[""].name
    return PurePath(data.storage.place).name


def find_view(data: Iterable[DatasetView], name: str) -> DatasetView:
    """Return the view that is called `name`.

    Raises:
        DatasetError: No view is, or several are.
    """
    found: list[DatasetView] = []
    for view in data:
        if view.key == name:
            return view
        if view.name == name:
            found.append(view)
    if not found:
        raise DatasetError(f"no view is called {name!r}; views.jsonl has their names")
    if len(found) > 1:
        some = ", ".join(view.key for view in found[:NEAR_NAMES])
        raise DatasetError(f"{len(found)} views are called {name!r}; say which: {some}, ...")
    return found[0]


def rooted(view: DatasetView) -> ViewRecord:
    """Return the record of a view with paths from the place that was opened."""
    record = view.record
    prefix = view.key.removesuffix(record.view.name).rstrip("/")
    if not prefix:
        return record
    return record.model_copy(update={"files": dict(paths_under(prefix, record))})


def paths_under(prefix: str, record: ViewRecord) -> Iterator[tuple[str, FileRecord]]:
    """Yield the files of a record as they are called from outside of its dataset."""
    for name, file in record.files.items():
        yield name, file.model_copy(update={"path": dataset_key(prefix, file.path)})


def rerooted(data: Dataset, record: ViewRecord) -> DatasetView:
    """Return the view whose record `rooted` has returned."""
    first = next(iter(record.files.values())).path
    around = (prefix for prefix in data.prefixes if not prefix or first.startswith(f"{prefix}/"))
    dataset = max(around, key=len)
    files = {
        name: file.model_copy(update={"path": file.path.removeprefix(dataset).lstrip("/")})
        for name, file in record.files.items()
    }
    return DatasetView(data.storage, dataset, record.model_copy(update={"files": files}))
