"""What `farm dataset split` asks and shows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial

from farm.cli.dataset.places import tell_left_out
from farm.cli.remote.farm_options import confirm, err_console, out_console, say
from farm.dataset.parallel import usual_workers
from farm.dataset.reader import open_dataset
from farm.dataset.splits.earlier import SplitsThereError
from farm.dataset.splits.held_out import HELD_SPLIT
from farm.dataset.splits.split import split_dataset
from farm.dataset.splits.summary import SplitBy, SplitSummary
from farm.spec.counted import counted
from farm.spec.recipes import word_of


def split_place(  # noqa: PLR0913  an option each
    place: str,
    shares: Mapping[str, float],
    *,
    by: SplitBy,
    seed: int,
    fresh: bool,
    every: bool = False,
    hold_out: Sequence[str] = (),
) -> SplitSummary:
    """Split; ask the user first if other splits would be lost."""
    data = open_dataset(place, every=every)
    tell_left_out(data)
    split = partial(
        split_dataset, data, shares, by=by, seed=seed, hold_out=hold_out, workers=usual_workers()
    )
    try:
        return split(fresh=fresh)
    except SplitsThereError as error:
        if not sys.stdin.isatty():
            raise
        say(err_console(), str(error))
        confirm("replace them?", yes=False, default=False)
        return split(fresh=True)


def print_splits(summary: SplitSummary) -> None:
    """Say what each split holds."""
    console = out_console()
    noun = {"view": None, "hdr": "HDRI"}.get(summary.by, word_of(summary.by))
    for name, views in summary.views.items():
        groups = sum(group.linked for group in summary.groups if group.split == name)
        of = f" of {counted(groups, noun)}" if noun else ""
        say(console, f"{name:5}  {counted(views, 'view')}{of}")
        if summary.shares[name] and not views:
            say(console, f"note: {name} is empty: there are too few to split{remedy_of(summary)}")
    for held in summary.held_out:
        where = f"{counted(held.views, 'view')} of {counted(held.groups, 'group')}"
        say(console, f"{held.pair}: {where} show or name one; all are in {HELD_SPLIT}")


def remedy_of(summary: SplitSummary) -> str:
    """Return how a split that is empty may get something."""
    filled = [name for name, views in summary.views.items() if views]
    if len(filled) < 2:
        return ""
    return f"; --{filled[-1]} 0 and a larger share for it may fill it"
