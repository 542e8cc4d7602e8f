"""The views of a dataset, listed with what each must stay together with."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import IO, NamedTuple

from farm.dataset.parallel import mapped_in_processes, pays
from farm.dataset.reader import Dataset, DatasetView, LineReader, Piece
from farm.dataset.splits.components import Components
from farm.dataset.splits.held_out import HeldOut
from farm.dataset.splits.summary import SplitBy
from farm.errors import SpecError
from farm.spec.base import digest
from farm.spec.hint import none_of
from farm.spec.record import ViewRecord

PIECE = 512
"""Views that another process reads at a time."""


class Listed(NamedTuple):
    """What a split goes by of one view."""

    key: str
    group: str
    """By which it is listed where views are split one by one; else "", before groups are linked."""
    found: Mapping[str, str]
    """What it must stay together with, and the name of each."""
    record: ViewRecord | None
    """Where more of it is asked for."""


def list_views(
    views: Iterable[Listed], listing: IO[str], together: Components, held: HeldOut
) -> tuple[dict[str, str], Counter[str]]:
    """Write a line per view, its group and its key; return the names of groups, and their views."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for view in views:
        group = view.group
        if view.found:
            names |= view.found
            group = together.link(view.found)
            counts[group] += 1
        if view.record is not None:
            held.look(view.record, group)
        listing.write(f"{group}\t{view.key}\n")
    return names, counts


def listed(data: Dataset, by: SplitBy, *, whole: bool, workers: int) -> Iterator[Listed]:
    """Yield what a split goes by of all views, with `whole` records or without.

    Raises:
        SpecError: A view shows nothing of the kind that is split by.
    """
    if not whole and data.suits_processes and pays(views=len(data), workers=workers):
        look = partial(listed_piece, data.reader, by)
        pieces = mapped_in_processes(look, data.pieces(PIECE), workers=workers)
        return itertools.chain.from_iterable(pieces)
    return (listed_view(view, by, whole=whole) for view in data)


def listed_piece(reader: LineReader, by: SplitBy, piece: Piece) -> list[Listed]:
    """Return what a split goes by of some views in a row."""
    return [listed_view(reader.view(line), by, whole=False) for line in reader.lines(piece)]


def listed_view(view: DatasetView, by: SplitBy, *, whole: bool) -> Listed:
    """Return what a split goes by of one view.

    Raises:
        SpecError: It shows nothing of the kind that is split by.
    """
    record = view.record
    if by == "view":
        return Listed(view.key, group_alone(view), {}, None)
    check_kind(record, by)
    return Listed(view.key, "", group_of(record, by), record if whole else None)


def group_alone(view: DatasetView) -> str:
    """Return the group of a view where they are split one by one: views of a pose share labels."""
    record, pose = view.record, view.record.view.pose
    if pose is None:
        return record.view_id
    return digest(record.group, view.key.rpartition("/")[0], pose)


def group_of(record: ViewRecord, by: SplitBy) -> dict[str, str]:
    """Return what a view must stay together with, and the name of each."""
    if by == "group":
        return {record.group: group_name(record)}
    return {asset.content: asset.name for asset in record.assets if by in (asset.kind, asset.role)}


def group_name(record: ViewRecord) -> str:
    """Return what people call a view's group: by the asset that it is, else as the view."""
    named = (asset.name for asset in record.assets if asset.content == record.group)
    return next(named, record.title)


def check_kind(record: ViewRecord, by: SplitBy) -> None:
    """Hold that a view shows something of what is split by.

    Raises:
        SpecError: It does not; it says what else there is.
    """
    kinds = (asset.kind for asset in record.assets)
    roles = (asset.role for asset in record.assets if asset.role)
    choices = ["group", "view", *dict.fromkeys((*kinds, *roles))]
    if by not in choices:
        raise SpecError(f"--by: {none_of(by, choices)}")
