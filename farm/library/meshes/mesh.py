"""The triangles of a .ply, .obj or .stl, in Blender's axes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.library.meshes.ply import HEAD_BYTES, Element, ply_elements
from farm.library.meshes.ply_faces import ORDERS, Order, layout, length
from farm.library.meshes.stl import BODY_AT, FACET_BYTES, count_triangles, is_text

Points = NDArray[np.float64]
Triangles = NDArray[np.int64]
FACES = {"vertex_indices", "vertex_index"}
"""What a .ply calls the corners of a face."""
FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("note", "<u2")])


class Mesh(NamedTuple):
    """Triangles and the points that they join."""

    points: Points
    """(N, 3); each is a corner of a triangle."""
    triangles: Triangles
    """(M, 3), numbers of points."""


class NoMeshError(ValueError):
    """A file of which nobody here can read triangles."""


def read_mesh(suffix: str, data: bytes) -> Mesh:
    """Return the triangles of a file; faces of more corners are cut into fans.

    Args:
        suffix: Of its name, such as `.ply`.
        data: Its bytes.

    Raises:
        NoMeshError: They are not of a kind that is read here, broken, or without faces.
    """
    check_suffix(suffix)
    try:
        points, triangles = READERS[suffix.lower()](data)
        used, numbers = np.unique(triangles, return_inverse=True)
        mesh = Mesh(np.asarray(points[used], np.float64), numbers.reshape(-1, 3).astype(np.int64))
    except (ValueError, LookupError, TypeError, OverflowError, struct.error) as error:
        raise NoMeshError("its triangles cannot be read") from error
    if not len(mesh.triangles) or not np.isfinite(mesh.points).all():
        raise NoMeshError("it has no triangles")
    return mesh


def check_suffix(suffix: str) -> None:
    """Hold that a kind of file is read here.

    Raises:
        NoMeshError: Only Blender reads it.
    """
    if suffix.lower() not in READERS:
        raise NoMeshError(f"only Blender reads {suffix}; {', '.join(READERS)} are read here")


def fans(polygons: Iterable[Sequence[int]]) -> Triangles:
    """Return polygons as triangles, (M, 3), that all begin at their first corner."""
    found = [
        (corners[0], corners[at], corners[at + 1])
        for corners in polygons
        for at in range(1, len(corners) - 1)
    ]
    return np.array(found, np.int64).reshape(-1, 3)


def read_ply(data: bytes) -> tuple[Points, Triangles]:
    """Return the points and triangles of a .ply."""
    head = data[:HEAD_BYTES]
    rest = data[head.index(b"\n", head.index(b"end_header")) + 1 :]
    order = ORDERS.get(head.split(b"format", 1)[1].split()[0])
    points, triangles = np.empty((0, 3)), fans([])
    words = [] if order else rest.split()
    at = 0
    for element in ply_elements(head):
        if order:
            rows, at = binary_rows(rest, element, order, at)
        else:
            rows, at = text_rows(words, element, at)
        if element.name == "vertex":
            points = np.stack([np.asarray(rows[axis], np.float64) for axis in "xyz"], axis=1)
        elif element.name == "face":
            triangles = fans(rows[next(name for name in element.lists if name in FACES)])
    return points, triangles


def binary_rows(data: bytes, element: Element, order: Order, at: int) -> tuple[dict[str, Any], int]:
    """Return the columns of an element that begins at byte `at`, and where the next one does."""
    if not element.count:
        return dict.fromkeys(element.properties, ()), at
    record = layout(element, order, data, at)
    end = at + element.count * record.itemsize
    if end <= len(data):
        rows = np.frombuffer(data, record, element.count, at)
        if all((rows[length(name)] == record[name].shape[0]).all() for name in element.lists):
            return {name: rows[name] for name in element.properties}, end
    found: dict[str, list[Any]] = {name: [] for name in element.properties}
    for _ in range(element.count):
        record = layout(element, order, data, at)
        row = np.frombuffer(data, record, 1, at)[0]
        for name, column in found.items():
            column.append(row[name])
        at += record.itemsize
    return found, at


def text_rows(words: list[bytes], element: Element, at: int) -> tuple[dict[str, Any], int]:
    """Return the columns of an element that begins at word `at`, and where the next one does."""
    found: dict[str, list[Any]] = {name: [] for name in element.properties}
    for _ in range(element.count):
        for name, column in found.items():
            if name in element.lists:
                end = at + 1 + int(words[at])
                column.append([float(word) for word in words[at + 1 : end]])
                at = end
            else:
                column.append(float(words[at]))
                at += 1
    return found, at


def read_obj(data: bytes) -> tuple[Points, Triangles]:
    """Return the points and triangles of an .obj, turned as Blender turns it: its Y goes up."""
    points: list[tuple[float, float, float]] = []
    polygons: list[list[int]] = []
    for line in data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").splitlines():
        words = line.split()
        if words[:1] == [b"v"]:
            x, y, z = map(float, words[1:4])
            points.append((x, -z, y))
        elif words[:1] == [b"f"]:
            corners = [int(word.partition(b"/")[0]) for word in words[1:]]
            polygons.append([at - 1 if at > 0 else len(points) + at for at in corners])
    return np.array(points, np.float64).reshape(-1, 3), fans(polygons)


def read_stl(data: bytes) -> tuple[Points, Triangles]:
    """Return the points, those that are the same once, and triangles of an .stl."""
    if is_text(data[:HEAD_BYTES]):
        words = data.lower().split(b"vertex")[1:]
        corners = np.array([word.split()[:3] for word in words], np.float64).reshape(-1, 3)
    else:
        count = count_triangles(data[:BODY_AT], len(data))
        if len(data) < BODY_AT + count * FACET_BYTES:
            raise NoMeshError("its triangles cannot be read")
        facets = np.frombuffer(data, FACET, count, BODY_AT)
        corners = facets["corners"].reshape(-1, 3).astype(np.float64)
    points, numbers = np.unique(corners, axis=0, return_inverse=True)
    return points, numbers.reshape(-1, 3)


READERS: dict[str, Callable[[bytes], tuple[Points, Triangles]]] = {
    ".ply": read_ply,
    ".obj": read_obj,
    ".stl": read_stl,
}
