"""What `farm dataset upgrade` shows."""

from __future__ import annotations

from farm.cli.dataset.progress import views_bar
from farm.cli.remote.farm_options import err_console, interruptible, out_console, print_json, say
from farm.dataset.edits.upgrade import upgrade
from farm.dataset.reader import open_dataset
from farm.spec.counted import counted


def upgrade_place(place: str, *, json: bool) -> None:
    """Upgrade, with a bar for people, and say what was done."""
    data = open_dataset(place)
    bar = views_bar(err_console(), f"upgrading {place}", total=len(data))
    with interruptible("stopped; run the same command again to resume"), bar as advance:
        done = upgrade(data, progress=advance)
    if json:
        print_json(done._asdict())
        return
    say(out_console(), f"{place}: {counted(done.views, 'view')}, {done.rewritten} rewritten")
