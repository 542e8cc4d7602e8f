"""The files of a COLMAP model, in text and binary; pixels are counted from the outer corner.

A line of `images.txt` is followed by one of the points that are seen, which is there, and empty,
also where there are none. Rotations have length 1, as readers take them without a look.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.passes.points import Points

PINHOLE = 1
"""The number of the model with fx, fy, cx and cy."""
Cameras = dict[tuple[Any, ...], int]
"""(fx, fy, cx, cy, width, height) -> number."""


class Image(NamedTuple):
    """A view: its pose, x right, y down, z ahead, from world to camera."""

    number: int
    rotation: tuple[float, ...]
    """w, x, y, z."""
    shift: tuple[float, ...]
    camera: int
    name: str
    px: NDArray[np.float64]
    """(N, 2), where its points are seen."""
    first_point: int
    """Number of the first of its points; the others follow."""


def cameras_text(cameras: Cameras) -> bytes:
    """Return `cameras.txt`."""
    lines = [
        "# Camera list with one line of data per camera:",
        "#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]",
        f"# Number of cameras: {len(cameras)}",
    ]
    for (fx, fy, cx, cy, width, height), number in cameras.items():
        lines.append(f"{number} PINHOLE {width} {height} {fx!r} {fy!r} {cx!r} {cy!r}")
    return text(lines)


def images_text(images: list[Image]) -> bytes:
    """Return `images.txt`."""
    seen = sum(len(image.px) for image in images) / max(len(images), 1)
    lines = [
        "# Image list with two lines of data per image:",
        "#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME",
        "#   POINTS2D[] as (X, Y, POINT3D_ID)",
        f"# Number of images: {len(images)}, mean observations per image: {seen:g}",
    ]
    for image in images:
        pose = " ".join(map(repr, (*image.rotation, *image.shift)))
        lines.append(f"{image.number} {pose} {image.camera} {image.name}")
        places = enumerate(image.px.tolist(), start=image.first_point)
        lines.append(" ".join(f"{x} {y} {number}" for number, (x, y) in places))
    return text(lines)


def points_text(points: Points, images: list[Image]) -> bytes:
    """Return `points3D.txt`; each point is seen in the image that it is of."""
    lines = [
        "# 3D point list with one line of data per point:",
        "#   POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)",
        f"# Number of points: {len(points)}, mean track length: {1.0 if len(points) else 0.0}",
    ]
    tracks = tracks_of(images)
    rows = zip(points["xyz"].tolist(), points["rgb"].tolist(), tracks, strict=True)
    for number, ((x, y, z), (red, green, blue), (image, place)) in enumerate(rows, start=1):
        lines.append(f"{number} {x!r} {y!r} {z!r} {red} {green} {blue} 0.0 {image} {place}")
    return text(lines)


def cameras_bytes(cameras: Cameras) -> bytes:
    """Return `cameras.bin`."""
    parts = [struct.pack("<Q", len(cameras))]
    for (fx, fy, cx, cy, width, height), number in cameras.items():
        parts.append(struct.pack("<iiQQ4d", number, PINHOLE, width, height, fx, fy, cx, cy))
    return b"".join(parts)


def images_bytes(images: list[Image]) -> bytes:
    """Return `images.bin`."""
    parts = [struct.pack("<Q", len(images))]
    for image in images:
        pose = (*image.rotation, *image.shift)
        parts.append(struct.pack("<i7di", image.number, *pose, image.camera))
        parts.append(image.name.encode("ascii") + b"\0")
        seen = np.zeros(len(image.px), [("px", "<f8", 2), ("point", "<i8")])
        seen["px"] = image.px
        seen["point"] = np.arange(image.first_point, image.first_point + len(image.px))
        parts += [struct.pack("<Q", len(seen)), seen.tobytes()]
    return b"".join(parts)


def points_bytes(points: Points, images: list[Image]) -> bytes:
    """Return `points3D.bin`."""
    row = [
        ("number", "<u8"), ("xyz", "<f8", 3), ("rgb", "u1", 3), ("error", "<f8"),
        ("length", "<u8"), ("track", "<i4", 2),
    ]  # fmt: skip
    rows = np.zeros(len(points), row)
    rows["number"] = np.arange(1, len(points) + 1)
    rows["xyz"], rows["rgb"], rows["length"] = points["xyz"], points["rgb"], 1
    rows["track"] = np.array(list(tracks_of(images)), "<i4").reshape(-1, 2)
    return struct.pack("<Q", len(points)) + rows.tobytes()


def tracks_of(images: list[Image]) -> Iterator[tuple[int, int]]:
    """Yield the image of each point, and its place there."""
    for image in images:
        for place in range(len(image.px)):
            yield image.number, place


def text(lines: list[str]) -> bytes:
    """Return lines as a file."""
    return ("\n".join(lines) + "\n").encode("ascii")
