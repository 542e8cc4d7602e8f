"""What the values of the index and material passes mean."""

from __future__ import annotations

from collections.abc import Sequence

from farm.spec.label import IndexLabel
from worker.labels.colours import colour_of

NO_MATERIAL = "(no material)"


def index_table(
    names: Sequence[str], *, category: str | None, first: int = 1
) -> tuple[IndexLabel, ...]:
    """Return what each number means whose place in `names` it is, from `first` on."""
    return tuple(
        IndexLabel(index=index, name=name, category=category, colour=colour_of(index))
        for index, name in enumerate(names, first)
    )


def material_table(names: Sequence[str]) -> tuple[IndexLabel, ...]:
    """Return the same of materials, with the number after the last for what has none."""
    return index_table([*names, NO_MATERIAL], category=None)
