"""What `farm dataset preview` writes, and where."""

from __future__ import annotations

from pathlib import Path

from farm.cli.dataset.places import opened
from farm.cli.dataset.progress import views_bar
from farm.cli.progress import file_size
from farm.cli.remote.farm_options import err_console, interruptible
from farm.dataset.preview.contact_sheet import LIMIT
from farm.dataset.preview.preview import PAGE_VIEWS, page_of, picture_of, sheet_of
from farm.dataset.reader import Dataset
from farm.errors import SpecError
from farm.spec.counted import counted
from farm.storage import FolderStorage


def write_preview(  # noqa: PLR0913  an option each
    place: str,
    *,
    view: str | None,
    html: bool,
    views: int | None,
    out: Path | None,
    every: bool = False,
) -> str:
    """Write the requested preview, and say what was written and where."""
    if view and html:
        raise SpecError("--view and --html: give only one of them; the page shows passes as well")
    data = opened(place, every=every)
    with interruptible("stopped: nothing was written"):
        if view:
            name = f"{view.rpartition('/')[2]}.png"
            return put(picture_of(data, view), out or Path(name))
        if html:
            limit = views or PAGE_VIEWS
            bar = views_bar(err_console(), "drawing", total=min(limit, len(data)))
            with bar as advance:
                page, shown = page_of(data, limit=limit, progress=advance)
            written = put(page.encode(), out or beside(data, "preview.html"))
            return f"{written}, with {shown} of {counted(len(data), 'view')}"
        sheet = sheet_of(data, limit=views or LIMIT)
        return put(sheet, out or beside(data, "preview.jpg"))


def beside(data: Dataset, name: str) -> Path:
    """Return where a file goes: into the dataset if it is a folder, else here."""
    return data.storage.local_path(name) or Path(name)


def put(data: bytes, path: Path) -> str:
    """Write a file, whole or not at all, and say where and how large it is."""
    FolderStorage(path.parent).put(path.name, data)
    return f"{path}: {file_size(len(data))}"
