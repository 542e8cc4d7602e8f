"""How large things are: by their files or by their words, and whether that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from farm.errors import AssetError
from farm.spec.words import AssetWords

if TYPE_CHECKING:  # whose room needs Blender
    from worker.blender.physics.solid import Solid

ROUNDING = 1e-4
SMALLEST_M = 0.002
"""What is smaller is nothing on a table: its file counts in another unit."""


def scale_of(
    solid: Solid,
    words: AssetWords | None,
    scale: Literal["file", "expected"],
    *,
    table_m: tuple[float, float],
) -> float:
    """Return how many metres a unit of a thing's file measures in the scene.

    Raises:
        AssetError: It would be larger or smaller than it can be.
    """
    metres = solid.metres_per_file_unit
    size_m = solid.size * metres
    expected = words.size_m if words is not None else None
    if scale == "expected" and expected is not None:
        size_m = sum(expected) / 2
        metres = size_m / solid.size
    elif expected is not None and not fits(size_m, expected):
        low, high = map(length, expected)
        noun = words.noun if words is not None else "object"
        raise AssetError(
            solid.path,
            f"as its file has it, this {noun} is {length(size_m)} long, where its words expect "
            f"{low} to {high}: scale it in its file, change size_m, or use scale: expected",
        )
    check_table(solid, size_m, table_m)
    return metres


def fits(size_m: float, expected: tuple[float, float]) -> bool:
    """Tell whether a size is in a range, as exactly as files have it."""
    return expected[0] * (1 - ROUNDING) <= size_m <= expected[1] * (1 + ROUNDING)


def check_table(solid: Solid, size_m: float, table_m: tuple[float, float]) -> None:
    """Make sure that a thing can lie on a table.

    Raises:
        AssetError: It is too large or too small.
    """
    remedy = "scale it in its file, or say in its words how large it is and use scale: expected"
    if size_m > max(table_m):
        raise AssetError(
            solid.path,
            f"it is {length(size_m)} long and does not fit on a table of {length(table_m[0])} by "
            f"{length(table_m[1])}: {remedy}",
        )
    if size_m < SMALLEST_M:
        raise AssetError(
            solid.path,
            f"it is {length(size_m)} long, too small to be seen on a table: {remedy}",
        )


def length(metres: float) -> str:
    """Return a length as people say it, such as `3 m`, `12 cm` or `0.5 mm`."""
    for unit, factor in (("m", 1.0), ("cm", 100.0)):
        if metres * factor >= 1.0:
            return f"{metres * factor:.3g} {unit}"
    return f"{metres * 1000:.3g} mm"
