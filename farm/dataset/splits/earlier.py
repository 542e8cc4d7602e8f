"""Splits that a dataset has already: groups stay in them, and they are not replaced unasked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from farm.dataset.split_lists import SPLITS_FILE, folder_of_splits, lists_alone, split_key
from farm.dataset.splits.summary import SplitBy, SplitSummary, read_summary
from farm.dataset.spoken import Pair
from farm.errors import SpecError
from farm.storage import Storage, hash_of

FORMER_DEFAULT = "model"
"""What `group` was called while a group was always a model."""


class SplitsThereError(SpecError):
    """Splits that would be replaced by others."""


def find_kept(
    storage: Storage,
    shares: Mapping[str, float],
    *,
    by: SplitBy,
    seed: int,
    pairs: Sequence[Pair] = (),
) -> dict[str, str]:
    """Return the split of each group as an earlier call, of the same kind, has written it.

    Raises:
        SplitsThereError: There are splits of another kind, or lists that a person has changed.
    """
    found = read_summary(storage)
    if found is None:
        alone = lists_alone(storage)
        if alone:
            raise SplitsThereError(
                f"{storage.place}/{alone[0]}: is a split, but {SPLITS_FILE} is gone; --fresh "
                "replaces it"
            )
        return {}
    same_kind = found.by == by or (found.by, by) == (FORMER_DEFAULT, "group")
    same_kind &= [each.pair for each in found.held_out] == [" ".join(pair) for pair in pairs]
    if not same_kind or (found.seed, found.shares) != (seed, dict(shares)):
        raise SplitsThereError(
            f"{storage.place}: is already split differently ({found.kind}); --fresh "
            "replaces these splits"
        )
    for name in changed_lists(storage, found):
        raise SplitsThereError(
            f"{storage.place}/{split_key(name)}: has changed since it was written; --fresh "
            "replaces it"
        )
    return {group.content: group.split for group in found.groups}


def changed_lists(storage: Storage, summary: SplitSummary) -> Iterator[str]:
    """Yield the splits whose list is there, but not as it was written."""
    folder = folder_of_splits(storage)
    for name, written in summary.lists.items():
        key = split_key(name, folder)
        if storage.size(key) is not None and hash_of(storage, key) != written:
            yield name


def kept_of(members: Mapping[str, Sequence[str]], kept: Mapping[str, str]) -> dict[str, str]:
    """Return the split of each group of which something was split before.

    Raises:
        SpecError: A new view links what is in two splits.
    """
    found = {root: {kept[each] for each in of if each in kept} for root, of in members.items()}
    torn = next((splits for splits in found.values() if len(splits) > 1), None)
    if torn:
        raise SpecError(
            f"new views show things together that are already in {' and '.join(sorted(torn))}; "
            "--fresh makes new splits"
        )
    return {root: splits.pop() for root, splits in found.items() if splits}
