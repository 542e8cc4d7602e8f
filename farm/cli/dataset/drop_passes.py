"""What `farm dataset drop-passes` asks and shows."""

from __future__ import annotations

from farm.cli.add_passes_run import hold_place, storage_of
from farm.cli.dataset.progress import views_bar
from farm.cli.progress import file_size
from farm.cli.remote.farm_options import (
    confirm,
    err_console,
    interruptible,
    out_console,
    print_json,
    say,
)
from farm.dataset.additions import passes_named
from farm.dataset.edits.drop_passes import check_some_stay, drop_passes
from farm.dataset.reader import open_in
from farm.spec.counted import counted


def drop_from_place(place: str, passes: str, *, yes: bool, json: bool) -> None:
    """Ask, drop with a bar for people, and say what went."""
    names, storage = frozenset(passes_named(passes)), storage_of(place)
    with hold_place(storage, lambda told: say(err_console(), told)):
        data = open_in(storage)
        check_some_stay(data, names)
        own = sum(not names.isdisjoint(view.record.files) for view in data)
        if own:
            what = f"remove {', '.join(sorted(names))} of {counted(own, 'view')} of {place}?"
            confirm(what, yes=yes, default=False)
        bar = views_bar(err_console(), "dropping", total=len(data))
        with interruptible("stopped; run the same command again to resume"), bar as advance:
            done = drop_passes(data, names, progress=advance)
    if json:
        print_json(done._asdict())
        return
    say(
        out_console(),
        f"{place}: {counted(done.views, 'view')} changed, {counted(done.files, 'file')} removed "
        f"({file_size(done.size_bytes)})",
    )
