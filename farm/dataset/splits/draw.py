"""Which split a group or a view goes to: by its hash, and by what is lacking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from farm.spec.base import digest


def assign(
    members: Mapping[str, Sequence[str]],
    shares: Mapping[str, float],
    *,
    seed: int,
    kept: Mapping[str, str],
) -> dict[str, str]:
    """Return the split of each group: first one for each split, then by what is lacking.

    Groups with most members come first, so that the largest share gets one of them.
    """
    there = sorted(members, key=lambda group: (-len(members[group]), digest(seed, group)))
    splits = {group: kept[group] for group in there if group in kept}
    counts = Counter(splits.values())
    wanted: Sequence[str] = sorted(shares, key=lambda name: -shares[name])
    for group in there:
        if group in splits:
            continue
        total = counts.total() + 1
        open_to = [name for name in wanted if shares[name] > 0]
        empty = [name for name in open_to if not counts[name]]
        lacking = max(open_to, key=lambda name: shares[name] * total - counts[name])
        splits[group] = empty[0] if empty else lacking
        counts[splits[group]] += 1
    return splits


def draw_split(view_id: str, shares: Mapping[str, float], *, seed: int) -> str:
    """Return the split of a view, which depends on no other view."""
    drawn = int(digest(seed, view_id)[:13], 16) / 16**13
    end = 0.0
    for name, share in shares.items():
        end += share
        if drawn < end:
            return name
    return [name for name, share in shares.items() if share > 0][-1]
