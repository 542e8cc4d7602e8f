"""What `splits.json` says: how a dataset was split, and what is in which split."""

from __future__ import annotations

from pydantic import Field, ValidationError

from farm.dataset.split_lists import SPLITS_FILE, folder_of_splits
from farm.dataset.splits.held_out import HeldPair
from farm.errors import SpecError
from farm.spec.base import Spec, first_reason
from farm.spec.left_out import is_empty, usual
from farm.spec.task import dataset_key
from farm.storage import Storage

SplitBy = str
"""`group`, `view`, a kind of asset (`model`), or a role of assets (`models`)."""


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


def names_in(summary: bytes | None) -> set[str]:
    """Return the splits that a `splits.json` tells of; none where it is broken."""
    try:
        return set(SplitSummary.model_validate_json(summary or b"").views)
    except ValidationError:
        return set()
