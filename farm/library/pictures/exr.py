"""The headers of OpenEXR files, read without decoding a pixel."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

MULTI_PART = 0x1000
"""Bit of the version field: several headers follow one another, and an empty one ends them."""
FIRST_HEADER = 8
"""Bytes of magic and version."""
COLOURS: dict[str, str] = {
    "r": "R", "red": "R", "g": "G", "green": "G", "b": "B", "blue": "B", "y": "Y", "ry": "RY",
    "by": "BY",
}  # fmt: skip
"""What channels are called -> what they hold."""
WHOLE = ({"R", "G", "B"}, {"Y", "RY", "BY"}, {"Y"}, {"R"}, {"G"}, {"B"})
"""Channels that make a picture, the best first."""
MAIN_LAYERS = ("combined", "rgba", "rgb", "beauty", "composite", "default")
"""What programs call the layer that is the picture itself."""


class Attribute(NamedTuple):
    """One entry of an OpenEXR header."""

    name: bytes
    kind: bytes
    value: bytes


class Box2i(NamedTuple):
    """A rectangle of pixels, as a header has it; right and bottom belong to it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left + 1, self.bottom - self.top + 1


class Channel(NamedTuple):
    """One number of each pixel."""

    name: str
    kind: int
    """0 uint, 1 half, 2 float."""
    step: tuple[int, int]
    """Pixels, across and down, from one value to the next."""


class ExrPart(NamedTuple):
    """One picture of a file, by its header."""

    attributes: Mapping[bytes, Attribute]

    def value(self, name: str, kind: str) -> bytes | None:
        """Return the bytes of an entry, if it is there and of its kind."""
        found = self.attributes.get(name.encode())
        return found.value if found and found.kind == kind.encode() else None

    def text(self, name: str) -> str | None:
        """Return an entry that is a text."""
        value = self.value(name, "string")
        return None if value is None else value.decode("utf-8", "replace").strip("\0 ")

    def numbers(self, name: str, kind: str, form: str) -> tuple[float, ...] | None:
        """Return the numbers of an entry, laid out as `struct` names it."""
        value = self.value(name, kind)
        if value is None or len(value) != struct.calcsize(form):
            return None
        return struct.unpack(form, value)

    def window(self, name: str) -> Box2i | None:
        """Return the `dataWindow` or `displayWindow`."""
        value = self.value(name, "box2i")
        return Box2i(*struct.unpack("<4i", value)) if value and len(value) == 16 else None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Its channels; none where the header does not say."""
        return tuple(read_channels(self.value("channels", "chlist") or b""))

    @property
    def is_deep(self) -> bool:
        """Each pixel holds many samples, as in a cloud."""
        return (self.text("type") or "").startswith("deep")


class Layer(NamedTuple):
    """The channels of one part that make a picture."""

    part: int
    title: str
    """Part and layer, as a person knows them; empty if it is all that there is."""
    channels: Mapping[str, Channel]
    """R, G, B, or Y with or without RY and BY -> where it is."""


def exr_parts(head: bytes) -> list[ExrPart]:
    """Return the parts of a file, as far as `head` reaches; a cut-off header does not count."""
    if len(head) < FIRST_HEADER:
        return []
    several = struct.unpack_from("<I", head, 4)[0] & MULTI_PART
    parts: list[ExrPart] = []
    at = FIRST_HEADER
    while True:
        found, end = read_header(head, at)
        if end is None or not found:
            return parts
        parts.append(ExrPart({each.name: each for each in found}))
        if not several:
            return parts
        at = end


def exr_attributes(head: bytes) -> list[Attribute]:
    """Return the entries of the first header, as far as `head` reaches."""
    return read_header(head, FIRST_HEADER)[0]


def exr_size_px(head: bytes) -> tuple[int, int] | None:
    """Return (width, height) of the pixels of a file's first part."""
    window = ExrPart({each.name: each for each in exr_attributes(head)}).window("dataWindow")
    return window.size if window else None


def read_header(head: bytes, at: int) -> tuple[list[Attribute], int | None]:
    """Return the entries of the header at `at`, and where it ends; None if it is cut off.

    Each entry is: name, NUL, type, NUL, int32 size, value; an empty name ends the header
    (openexr.com, "OpenEXR File Layout").
    """
    found: list[Attribute] = []
    while (name_end := head.find(b"\0", at, at + 256)) > at:
        kind_end = head.find(b"\0", name_end + 1, name_end + 257)
        start = kind_end + 5
        if kind_end < 0 or len(head) < start:
            return found, None
        size = struct.unpack_from("<i", head, kind_end + 1)[0]
        if size < 0 or len(head) < start + size:
            return found, None
        kind = head[name_end + 1 : kind_end]
        found.append(Attribute(head[at:name_end], kind, head[start : start + size]))
        at = start + size
    return found, at + 1 if name_end == at else None


def read_channels(value: bytes) -> Iterator[Channel]:
    """Yield the channels of a `chlist`: name, NUL, int32 type, 4 bytes, int32 steps."""
    at = 0
    while (end := value.find(b"\0", at)) > at and len(value) >= end + 17:
        kind, _linear, across, down = struct.unpack_from("<iIii", value, end + 1)
        yield Channel(value[at:end].decode("utf-8", "replace"), kind, (across, down))
        at = end + 17


def layers_of(parts: Sequence[ExrPart]) -> list[Layer]:
    """Return every picture in a file: layers end in `.R`, `.G`, `.B` or the like."""
    found: list[Layer] = []
    for place, part in enumerate(parts):
        name = part.text("name") if len(parts) > 1 else ""
        for layer, held in groups_of(part).items():
            title = " ".join(filter(None, (name, layer)))
            if colours := next((each for each in WHOLE if each <= held.keys()), None):
                found.append(Layer(place, title, {each: held[each] for each in sorted(colours)}))
    return found


def groups_of(part: ExrPart) -> dict[str, dict[str, Channel]]:
    """Return the channels of each layer that hold colours, by what they hold."""
    groups: dict[str, dict[str, Channel]] = {}
    for channel in part.channels:
        layer, _, last = channel.name.rpartition(".")
        groups.setdefault(layer, {})[COLOURS.get(last.lower(), last.upper())] = channel
    for held in groups.values():
        if "X" in held:  # of a point, whose Y is no brightness
            held.pop("Y", None)
    return groups


def main_layer(layers: Sequence[Layer]) -> Layer | None:
    """Return the layer that is the picture: the only one, the one without a name, or by its name.

    None where nobody can tell.
    """
    candidates = [layer for layer in layers if not layer.title] or list(layers)
    if len(candidates) == 1:
        return candidates[0]
    named = [layer for layer in candidates if last_word(layer.title) in MAIN_LAYERS]
    return named[0] if len(named) == 1 else None


def last_word(title: str) -> str:
    """Return the last part of `ViewLayer.Combined` in lower case."""
    return re.split(r"[ .]", title)[-1].lower()
