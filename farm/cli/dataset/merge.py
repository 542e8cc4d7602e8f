"""What `farm dataset merge` shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from farm.cli.dataset.places import opened
from farm.cli.dataset.progress import views_bar
from farm.cli.remote.farm_options import err_console, interruptible, out_console, print_json, say
from farm.dataset.merge import merge
from farm.local.folder_lock import hold_folder
from farm.spec.counted import counted
from farm.storage import FolderStorage


def merge_places(  # noqa: PLR0913  an option each
    places: Sequence[str],
    out: Path,
    *,
    prefix: bool,
    link: bool,
    json: bool,
    every: bool = False,
) -> None:
    """Merge, with a bar for people, and say what was done."""
    parts = [opened(place, every=every) for place in places]
    views = sum(map(len, parts))
    with (
        interruptible("stopped; run the same command again to resume"),
        hold_folder(out, flag="--out"),
        views_bar(err_console(), "merging", total=views) as advance,
    ):
        done = merge(parts, FolderStorage(out), prefix=prefix, link=link, progress=advance)
    if json:
        print_json(done._asdict())
        return
    repeated = f", {done.repeated} were in more than one" if done.repeated else ""
    files = ", ".join(
        f"{count} {how}"
        for how, count in (("linked", done.linked), ("copied", done.copied), ("there", done.there))
        if count
    )
    say(out_console(), f"{out}: {counted(done.views, 'view')}{repeated}; files: {files}")
