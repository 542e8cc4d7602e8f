"""What `farm dataset preview` writes, and where."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from farm.cli.dataset.places import opened
from farm.cli.dataset.progress import views_bar
from farm.cli.progress import file_size
from farm.cli.remote.farm_options import err_console, interruptible, say
from farm.dataset.parallel import usual_workers
from farm.dataset.preview.contact_sheet import LIMIT
from farm.dataset.preview.preview import (
    DRAWING,
    NEAR_NAMES,
    PAGE_VIEWS,
    page_of,
    picture_of,
    sheet_of,
    title_of,
)
from farm.dataset.reader import Dataset
from farm.dataset.sequences import SequenceFrames, evenly, find_sequences, has_sequences
from farm.errors import SpecError, needing
from farm.spec.counted import counted
from farm.spec.hint import hint
from farm.storage import FolderStorage

if TYPE_CHECKING:
    from farm.dataset.preview.films.film import Film

MOST_ON_SHEET = 200
"""Views of a contact sheet."""
FILES = (".jpg", ".jpeg", ".png", ".html", ".mp4", ".webp")
"""Suffixes of what is no folder."""


def write_preview(  # noqa: PLR0913  an option each
    place: str,
    *,
    view: str | None,
    html: bool,
    views: int | None,
    out: Path | None,
    sequences: Sequence[str] = (),
    frames: int | None = None,
    every: bool = False,
) -> str:
    """Write the requested preview, and say what was written and where."""
    if view and html:
        raise SpecError("--view and --html: give only one of them; the page shows passes as well")
    data = opened(place, every=every)
    if not view and has_sequences(data):
        refuse_flag("--views", views, f"{place} holds sequences: --frames limits each one's film")
        return write_films(data, html=html, names=sequences, at_most=frames, out=out)
    for flag, value in (("--sequence", sequences), ("--frames", frames)):
        refuse_flag(flag, value, f"{place}: none of the views that it shows is of a sequence")
    with interruptible("stopped: nothing was written"):
        if view:
            name = f"{view.rpartition('/')[2]}.png"
            return put(picture_of(data, view), out or Path(name))
        if html:
            limit = views or PAGE_VIEWS
            bar = views_bar(err_console(), "drawing", total=min(limit, len(data)))
            with bar as advance:
                page, shown = page_of(data, limit=limit, workers=usual_workers(), progress=advance)
            written = put(page.encode(), out or beside(data, "preview.html"))
            return f"{written}, with {shown} of {counted(len(data), 'view')}"
        if views and views > MOST_ON_SHEET:
            raise SpecError(
                f"--views {views}: a sheet shows at most {MOST_ON_SHEET}; --html leafs through more"
            )
        sheet = sheet_of(data, limit=views or LIMIT, workers=usual_workers())
        return put(sheet, out or beside(data, "preview.jpg"))


def refuse_flag(flag: str, value: object, reason: str) -> None:
    """Make sure that a flag was not given.

    Raises:
        SpecError: It was.
    """
    if value:
        raise SpecError(f"{flag}: {reason}")


def write_films(
    data: Dataset, *, html: bool, names: Sequence[str], at_most: int | None, out: Path | None
) -> str:
    """Write a film of each sequence, and the page that plays them; say what was written."""
    with needing(*DRAWING):
        from farm.dataset.preview.films.film import FILM_FRAMES
        from farm.dataset.preview.films.film_page import film_page
    if out is not None and out.suffix.lower() in FILES:
        raise SpecError(f"--out {out}: there is a film for each sequence: give a folder")
    folder = FolderStorage(out or data.storage.local_path("") or Path("preview"))
    with interruptible("stopped: films that were finished are kept"):
        sequences = chosen_sequences(data, names)
        films = draw_films(data, sequences, folder, at_most=at_most or FILM_FRAMES)
    lines = [f"{film.path}: {file_size(film.size_bytes)}, {film.note}" for film in films]
    if html:
        frames = sum(film.frames for film in films)
        subtitle = f"{counted(len(films), 'sequence')}, {counted(frames, 'frame')}"
        page = film_page(films, beside=folder.root, title=title_of(data), subtitle=subtitle)
        lines.append(put(page.encode(), folder.root / "preview.html"))
    return "\n".join(lines)


def draw_films(
    data: Dataset, sequences: Sequence[SequenceFrames], folder: FolderStorage, *, at_most: int
) -> list[Film]:
    """Write films into the folders of their sequences, below `folder`, with a bar for people."""
    from farm.dataset.preview.films.film import film_suffix, make_film

    total = sum(len(evenly(range(len(each)), at_most=at_most)[0]) for each in sequences)
    make = partial(make_film, data, at_most=at_most, workers=usual_workers())
    with views_bar(err_console(), "drawing", total=total, unit="frames") as advance:
        return [
            make(each, folder.path(f"{each.key}/preview{film_suffix()}"), progress=advance)
            for each in sequences
        ]


def chosen_sequences(data: Dataset, names: Sequence[str]) -> list[SequenceFrames]:
    """Return the sequences of these names, or all; say of how many views there is no film.

    Raises:
        SpecError: None has such a name.
    """
    with views_bar(err_console(), "reading records", total=len(data)) as advance:
        index = find_sequences(data, progress=advance)
    found = {sequence.key: sequence for sequence in index}
    if not found:
        raise SpecError(f"{data.storage.place}: has no views yet: there is nothing to preview")
    for name in names:
        if name not in found:
            near = ", ".join(list(found)[:NEAR_NAMES])
            more = f" and {len(found) - NEAR_NAMES:,} more" if len(found) > NEAR_NAMES else ""
            meant = hint(name, found)
            raise SpecError(
                f"--sequence {name}: there is none of this name, but {near}{more}{meant}"
            )
    if others := len(data) - index.frames:
        what = f"note: {counted(others, 'view')} of no sequence left out; their dataset's own"
        say(err_console(), f"{what} folder gives a contact sheet")
    return [found[name] for name in names or found]


def beside(data: Dataset, name: str) -> Path:
    """Return where a file goes: into the dataset if it is a folder, else here."""
    return data.storage.local_path(name) or Path(name)


def put(data: bytes, path: Path) -> str:
    """Write a file, whole or not at all, and say where and how large it is."""
    FolderStorage(path.parent).put(path.name, data)
    return f"{path}: {file_size(len(data))}"
