"""Splits of a dataset for training and testing, such that no model is in two of them."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from pydantic import Field, ValidationError

from farm.dataset.components import Components
from farm.dataset.held_out import HELD_SPLIT, HeldOut, HeldPair, Survey, parse_pairs
from farm.dataset.parallel import mapped_in_processes, pays
from farm.dataset.reader import Dataset, DatasetView, LineReader, Piece
from farm.dataset.split_lists import (
    NEXT_FOLDER,
    SPLITS_FILE,
    folder_of_splits,
    lists_alone,
    split_key,
)
from farm.dataset.spoken import Pair
from farm.dataset.temp_files import scratch
from farm.errors import FarmError, SpecError
from farm.spec.base import Spec, digest, first_reason
from farm.spec.hint import none_of
from farm.spec.left_out import is_empty, usual
from farm.spec.recipes import RECIPES, classes_of
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage, hash_of

SplitBy = str
"""`group`, `view`, a kind of asset (`model`), or a role of assets (`models`)."""
FORMER_DEFAULT = "model"
"""What `group` was called while a group was always a model."""
PIECE = 512
"""Views that another process reads at a time."""
SLACK = 1e-6
"""Largest distance of the sum of the shares from 1."""


class Group(Spec):
    """Views that must stay together: those that show the same things."""

    content: str
    """What the group is known by: of assets, the hash of all bytes of one of them."""
    name: str
    split: str
    views: int
    linked: int = Field(default=1, exclude_if=usual(1))
    """Assets that views show together, so that they must stay together, with this one."""


class SplitSummary(Spec):
    """What `splits.json` says."""

    by: SplitBy
    seed: int
    shares: dict[str, float]
    views: dict[str, int]
    """Of each split."""
    groups: tuple[Group, ...]
    """None where views were split one by one."""
    lists: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the list of each split, as it was written."""
    held_out: tuple[HeldPair, ...] = Field(default=(), exclude_if=is_empty)
    """Colours and nouns that only the test shows and names together."""

    @property
    def kind(self) -> str:
        """How it was split, in words."""
        shares = ", ".join(f"{name} {share:g}" for name, share in self.shares.items())
        held = ", ".join(each.pair for each in self.held_out)
        return f"by {self.by}, seed {self.seed}, {shares}" + (f", {held} held out" if held else "")


class SplitsThereError(SpecError):
    """Splits that would be replaced by others."""


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


def read_summary(storage: Storage) -> SplitSummary | None:
    """Return what is known of the splits that are there, if there are any.

    Raises:
        SpecError: It is broken.
    """
    data = storage.get(dataset_key(folder_of_splits(storage), SPLITS_FILE))
    if data is None:
        return None
    try:
        return SplitSummary.model_validate_json(data)
    except ValidationError as error:
        reason = first_reason(error)
        raise SpecError(
            f"{storage.place}/{SPLITS_FILE}: {reason}; split with --fresh to write it again"
        ) from error


def changed_lists(storage: Storage, summary: SplitSummary) -> Iterator[str]:
    """Yield the splits whose list is there, but not as it was written."""
    folder = folder_of_splits(storage)
    for name, written in summary.lists.items():
        key = split_key(name, folder)
        if storage.size(key) is not None and hash_of(storage, key) != written:
            yield name


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


def count_members(members: Mapping[str, Sequence[str]], views: Mapping[str, int]) -> dict[str, int]:
    """Return the views of each group from those that were counted under its members."""
    return {root: sum(views.get(each, 0) for each in of) for root, of in members.items()}


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


def hash_written(file: IO[str]) -> str:
    """Return the SHA-256 of what was written into a temporary file."""
    file.flush()
    with Path(file.name).open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()


def write_splits(storage: Storage, summary: SplitSummary, parts: Mapping[str, IO[str]]) -> None:
    """Write all files, or none: first apart, where `splits.json` comes last.

    From then on they count, and are read there until all are in their places. So a crash leaves
    the old splits or the new ones; an error leaves the old ones.
    """
    settle(storage)
    before = {key: storage.get(key) for key in (*map(split_key, parts), SPLITS_FILE)}
    try:
        put_splits(storage, NEXT_FOLDER, summary, parts)
        put_splits(storage, "", summary, parts)
    except BaseException:
        with contextlib.suppress(FarmError):
            restore(storage, before)
            forget_next(storage)
        raise
    forget_next(storage)
    for name in names_in(before[SPLITS_FILE]).difference(parts):
        storage.delete(split_key(name))


def settle(storage: Storage) -> None:
    """Put splits into their places whose writing was stopped there."""
    if folder_of_splits(storage):
        summary = storage.get(f"{NEXT_FOLDER}/{SPLITS_FILE}") or b""
        for name in names_in(summary):
            storage.put(split_key(name), storage.get(split_key(name, NEXT_FOLDER)) or b"")
        storage.put(SPLITS_FILE, summary)
    forget_next(storage)


def put_splits(
    storage: Storage, folder: str, summary: SplitSummary, parts: Mapping[str, IO[str]]
) -> None:
    """Write lists, then `splits.json`."""
    for name, file in parts.items():
        storage.put_file(split_key(name, folder), Path(file.name))
    data = (summary.model_dump_json(indent=2) + "\n").encode()
    storage.put(dataset_key(folder, SPLITS_FILE), data)


def restore(storage: Storage, before: Mapping[str, bytes | None]) -> None:
    """Make files what they were."""
    for key, data in before.items():
        if data is None:
            storage.delete(key)
        elif storage.get(key) != data:
            storage.put(key, data)


def forget_next(storage: Storage) -> None:
    """Remove splits that are written apart; first what makes them count."""
    storage.delete(f"{NEXT_FOLDER}/{SPLITS_FILE}")
    storage.delete_tree(NEXT_FOLDER)


def names_in(summary: bytes | None) -> set[str]:
    """Return the splits that a `splits.json` tells of; none where it is broken."""
    try:
        return set(SplitSummary.model_validate_json(summary or b"").views)
    except ValidationError:
        return set()
