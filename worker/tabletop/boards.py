"""A plain board for things to lie on, as the text of a Wavefront OBJ file."""

from __future__ import annotations

THICKNESS_M = 0.03
CORNERS = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 0)]
FACES = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))


def board(size_m: tuple[float, float]) -> str:
    """Return a board of a length (x) and width (y), the middle of whose top is the origin."""
    length, width = size_m
    lines = [
        f"v {x * length / 2:.6f} {z * THICKNESS_M:.6f} {-y * width / 2:.6f}"  # OBJ has y up
        for x, y, z in CORNERS
    ]
    return "\n".join(["o board", *lines, *(f"f {a} {b} {c} {d}" for a, b, c, d in FACES), ""])
