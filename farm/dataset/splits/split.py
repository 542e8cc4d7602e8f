"""Splits of a dataset for training and testing, with no model in two of them."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack

from farm.dataset.reader import Dataset
from farm.dataset.splits.components import Components
from farm.dataset.splits.draw import assign, draw_split
from farm.dataset.splits.earlier import find_kept, kept_of
from farm.dataset.splits.held_out import HELD_SPLIT, HeldOut, Survey, parse_pairs
from farm.dataset.splits.listing import check_kind, list_views, listed
from farm.dataset.splits.summary import Group, SplitBy, SplitSummary
from farm.dataset.splits.write import hash_written, write_splits
from farm.dataset.temp_files import scratch
from farm.errors import SpecError
from farm.spec.recipes import RECIPES, classes_of

SLACK = 1e-6
"""Largest distance of the sum of the shares from 1."""


def split_dataset(  # noqa: PLR0913  an option each
    data: Dataset,
    shares: Mapping[str, float],
    *,
    by: SplitBy,
    seed: int,
    fresh: bool = False,
    hold_out: Iterable[str] = (),
    workers: int = 1,
) -> SplitSummary:
    """Write `splits/<name>.txt` with the keys of views, then `splits.json`.

    The same seed gives the same splits. Where the dataset has splits of the same kind, their
    models stay where they are, and new ones go where the most is lacking.

    Args:
        data: What to split; all of it.
        shares: Name of each split and its share of models, HDRIs or views; of sum 1.
        by: What must not be in two splits.
        seed: Other seeds, other splits.
        fresh: Forget the splits that are there.
        hold_out: Colours with nouns, such as `red mug`: groups of which a view shows one, or has a
            sentence that names one, are for testing.
        workers: How many read records at a time, where there are many: in processes, which import
            the program's main module anew.

    Raises:
        SplitsThereError: Other splits are there, and not to be forgotten.
        SpecError: The shares make no sense, there are no views, or none has what is held out.
    """
    check_shares(shares)
    pairs = parse_pairs(hold_out)
    if pairs:
        check_can_hold(shares, by=by)
    for view in itertools.islice(data, 1):
        check_kind(view.record, by)
    kept = {} if fresh else find_kept(data.storage, shares, by=by, seed=seed, pairs=pairs)
    if not len(data):
        raise SpecError(f"{data.storage.place}: has no views yet: there is nothing to split")
    with scratch(), ExitStack() as files:
        listing = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
        together = Components()
        held = HeldOut(pairs, Survey(data if pairs else ()))
        found = listed(data, by, whole=bool(pairs), workers=workers)
        names, views = list_views(found, listing, together, held)
        members = together.members()
        check_separable(members, shares, by=by, remedy=remedy_of(data))
        held_out = tuple(held.found())
        kept = with_held(kept_of(members, kept), held, together, of=len(members))
        splits: Mapping[str, str] = assign(members, shares, seed=seed, kept=kept)
        counted = count_members(members, views)
        parts = {
            name: files.enter_context(tempfile.NamedTemporaryFile("w", encoding="utf-8"))
            for name in shares
        }
        counts: Counter[str] = Counter(dict.fromkeys(shares, 0))
        listing.seek(0)
        for line in listing:
            group, _, key = line.partition("\t")
            root = "" if by == "view" else together.root(group)
            split = splits.get(root) or draw_split(group, shares, seed=seed)
            parts[split].write(key)
            counts[split] += 1
        summary = SplitSummary(
            by=by,
            seed=seed,
            shares=dict(shares),
            views=dict(counts),
            groups=tuple(
                Group(
                    content=key,
                    name=names[key],
                    split=splits[key],
                    views=counted[key],
                    linked=len(members[key]),
                )
                for key in sorted(splits, key=lambda key: (names[key], key))
            ),
            lists={name: hash_written(file) for name, file in parts.items()},
            held_out=held_out,
        )
        write_splits(data.storage, summary, parts)
    return summary


def check_shares(shares: Mapping[str, float]) -> None:
    """Hold that shares are a whole.

    Raises:
        SpecError: They are not.
    """
    said = " ".join(f"--{name} {share:g}" for name, share in shares.items())
    if any(not 0 <= share <= 1 for share in shares.values()):
        raise SpecError(f"{said}: each share must lie between 0 and 1")
    total = sum(shares.values())
    if abs(total - 1) > SLACK:
        raise SpecError(f"{said}: the shares add up to {total:g}, not to 1")


def check_can_hold(shares: Mapping[str, float], *, by: SplitBy) -> None:
    """Hold that there is a test for what is held out, and that scenes stay whole.

    Raises:
        SpecError: There is none, or they do not.
    """
    if not shares.get(HELD_SPLIT):
        raise SpecError(
            f"--hold-out: goes to {HELD_SPLIT}, which has no share: give --{HELD_SPLIT}"
        )
    if by == "view":
        raise SpecError(
            "--hold-out: --by view would put views of one scene into two splits: leave --by out"
        )


def check_separable(
    members: Mapping[str, Sequence[str]],
    shares: Mapping[str, float],
    *,
    by: SplitBy,
    remedy: str = "",
) -> None:
    """Hold that there is more than one group of assets where more than one split is wanted.

    Raises:
        SpecError: Views that show several assets link all of them.
    """
    wanted = sum(share > 0 for share in shares.values())
    if wanted > 1 and len(members) == 1 and len(next(iter(members.values()))) > 1:
        (linked,) = members.values()
        raise SpecError(
            f"--by {by}: views that show several of them link all {len(linked)}, so they "
            f"cannot be divided into splits; choose --by group or --by view{remedy}"
        )


def remedy_of(data: Dataset) -> str:
    """Return what else divides the assets of a dataset, of which recipes know that do it."""
    kind = next((view.record.view.kind for view in data), "")
    if kind not in RECIPES or "holdout" not in classes_of(kind)[0].model_fields:
        return ""
    return (
        ", or render with --holdout 0.2 and split --by objects: then the last fifth of the scenes "
        "shows a fifth of the objects, which no other scene does"
    )


def with_held(
    kept: Mapping[str, str], held: HeldOut, together: Components, *, of: int
) -> dict[str, str]:
    """Return the split of each group that has one, with those for testing that are held out.

    Raises:
        SpecError: One is elsewhere already, or nothing is left.
    """
    found = dict(kept)
    roots = {together.root(group): pair for group, pair in held.groups.items()}
    for root, pair in roots.items():
        if found.setdefault(root, HELD_SPLIT) != HELD_SPLIT:
            raise SpecError(
                f"--hold-out {' '.join(pair)}: new views show or name one in what is already in "
                f"{found[root]}; --fresh makes new splits"
            )
    if of and len(roots) == of:
        raise SpecError(
            f"--hold-out: each of the {of} groups of views shows or names what is held out, so "
            "nothing is left to train on: hold out what fewer show"
        )
    return found


def count_members(members: Mapping[str, Sequence[str]], views: Mapping[str, int]) -> dict[str, int]:
    """Return the views of each group from those that were counted under its members."""
    return {root: sum(views.get(each, 0) for each in of) for root, of in members.items()}
