"""PLY headers: what a file contains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farm.library.meshes import surfaceless

NUMBERS = {
    "char": "int8", "uchar": "uint8", "short": "int16", "ushort": "uint16", "int": "int32",
    "uint": "uint32", "float": "float32", "double": "float64",
}  # fmt: skip
"""The older names of the types of numbers; the newer ones speak for themselves."""
SPLATS = ({"f_dc_0", "opacity", "scale_0", "rot_0"}, {"packed_position", "packed_rotation"})
"""Properties that tell a Gaussian splat: as training writes it, and compressed."""
HEAD_BYTES = 1 << 18


@dataclass
class Element:
    """One kind of thing in a .ply: `vertex`, `face`."""

    name: str
    count: int
    properties: dict[str, str] = field(default_factory=dict)
    """Name -> type of number, such as `uint8`; `list` for those that hold many."""
    lists: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name of a list -> types of its length and of its numbers."""


def ply_elements(head: bytes) -> list[Element]:
    """Return what a .ply's first bytes announce, in order; nothing where its header is odd."""
    text, end, _ = head.partition(b"end_header")
    elements: list[Element] = []
    try:
        for words in (line.split() for line in text.decode("latin-1").splitlines()):
            if words[:1] == ["element"]:
                elements.append(Element(words[1], int(words[2])))
            elif words[:1] == ["property"]:
                add_property(elements[-1], [NUMBERS.get(word, word) for word in words[1:-1]], words)
    except (IndexError, ValueError):
        return []
    return elements if end and all(each.count >= 0 for each in elements) else []


def add_property(element: Element, kinds: list[str], words: list[str]) -> None:
    """Add what a line of a header says of an element."""
    element.properties[words[-1]] = kinds[0]
    if kinds[0] == "list":
        element.lists[words[-1]] = (kinds[1], kinds[2])


def properties_of(path: Path, element: str) -> Mapping[str, str]:
    """Return the properties of a .ply's vertices, say, or faces: name -> type of number."""
    with path.open("rb") as file:
        elements = ply_elements(file.read(HEAD_BYTES))
    return next((each.properties for each in elements if each.name == element), {})


def without_surface(elements: Iterable[Element]) -> str | None:
    """Say what a .ply is whose vertices nothing joins to faces; None where something does."""
    found = {each.name: each for each in elements if each.count > 0}
    vertices = found.get("vertex")
    if vertices is None or any("list" in each.properties.values() for each in found.values()):
        return None
    if any(marks <= vertices.properties.keys() for marks in SPLATS):
        return surfaceless.gaussian_splat(vertices.count)
    if "edge" in found:
        return surfaceless.lines(found["edge"].count)
    return surfaceless.point_cloud(vertices.count)
