"""What a file is, by its first bytes rather than by its name."""

from __future__ import annotations

import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from farm.errors import AssetError
from farm.library.ply import ply_elements, without_surface
from farm.library.stl import check_stl
from farm.spec.asset import HDR_SUFFIXES, MODEL_SUFFIXES, AssetKind

HDR_MAX_PX = 16384 * 8192
"""More pixels than this in an HDRI are taken for a mistake or an attack."""
HEAD_BYTES = 1 << 18

EXR_MAGIC = b"\x76\x2f\x31\x01"
RADIANCE_MAGIC = b"#?"
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
)
MODEL_MAGIC: dict[str, tuple[bytes, ...]] = {
    ".blend": (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b"),
    ".glb": (b"glTF",),
    ".ply": (b"ply",),
    ".usdc": (b"PXR-USDC",),
    ".usda": (b"#usda",),
    ".usdz": (b"PK\x03\x04",),
}
"""How files with these suffixes begin; the others have no fixed beginning."""


def check_file(path: Path, kind: AssetKind) -> None:
    """Make sure that a file is an asset of its `kind`, and what its name says.

    Raises:
        AssetError: It is missing, empty, too large or something else.
    """
    known = MODEL_SUFFIXES if kind == "model" else HDR_SUFFIXES
    if path.suffix.lower() not in known:
        raise AssetError(str(path), f"{path.suffix or 'no suffix'} is none of {', '.join(known)}")
    head = read_head(path)
    if kind == "model":
        check_model(path, head)
    else:
        check_hdr(path, head)


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file that is there and not empty."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting
            raise AssetError(str(path), "it is no regular file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise AssetError(str(path), f"cannot be read: {error.strerror}") from error
    if not head:
        raise AssetError(str(path), "the file is empty (0 bytes)")
    return head


def check_model(path: Path, head: bytes, suffix: str = "") -> None:
    """Compare a model's first bytes with its suffix, or with the one that it is going to have.

    A .glb and an .stl must also be as long as they say, and a .ply must have faces.
    """
    suffix = (suffix or path.suffix).lower()
    magic = MODEL_MAGIC.get(suffix, ())
    if magic and not head.startswith(magic):
        raise AssetError(str(path), f"not a {suffix} file: it is {likeness(head)}")
    if not magic and (suspect := telling_likeness(head, suffix)):
        raise AssetError(str(path), f"not a {suffix} file: it is {suspect}")
    if suffix == ".glb":
        size = path.stat().st_size
        stated = struct.unpack_from("<I", head, 8)[0] if len(head) >= 12 else 12
        if size < stated:
            raise AssetError(str(path), f"the file is cut off: {size} of {stated} bytes")
    if suffix == ".stl":
        check_stl(path, head)
    if suffix == ".ply" and (remark := without_surface(ply_elements(head))):
        raise AssetError(str(path), remark)


def check_hdr(path: Path, head: bytes) -> None:
    """Make sure that an environment is OpenEXR or Radiance and of a bearable size."""
    suffix = hdr_suffix(head)
    if suffix is None:
        raise AssetError(str(path), f"not an HDR environment: it is {likeness(head)}")
    size = exr_size_px(head) if suffix == ".exr" else radiance_size_px(head)
    if size is None:
        raise AssetError(str(path), "its header is damaged: no picture size in it")
    width, height = size
    if width < 1 or height < 1 or width * height > HDR_MAX_PX or max(size) > 16384:
        raise AssetError(
            str(path), f"{width} x {height} pixels: an HDR environment may have 16384 x 8192"
        )


def hdr_suffix(head: bytes) -> str | None:
    """Return what an HDR environment's name should end in, or None if it is none."""
    if head.startswith(EXR_MAGIC):
        return ".exr"
    return ".hdr" if head.startswith(RADIANCE_MAGIC) else None


class Attribute(NamedTuple):
    """One entry of an OpenEXR header."""

    name: bytes
    kind: bytes
    value: bytes


def exr_attributes(head: bytes) -> Iterator[Attribute]:
    """Yield the entries of the first header of an OpenEXR file, as far as `head` reaches.

    After magic and version each entry is: name, NUL, type, NUL, int32 size, value; an empty name
    ends the header (openexr.com, "OpenEXR File Layout").
    """
    at = 8
    while (name_end := head.find(b"\0", at, at + 256)) > at:
        kind_end = head.find(b"\0", name_end + 1, name_end + 257)
        start = kind_end + 5
        if kind_end < 0 or len(head) < start:
            return
        size = struct.unpack_from("<i", head, kind_end + 1)[0]
        if size < 0 or len(head) < start + size:
            return
        kind = head[name_end + 1 : kind_end]
        yield Attribute(head[at:name_end], kind, head[start : start + size])
        at = start + size


def exr_size_px(head: bytes) -> tuple[int, int] | None:
    """Return (width, height) from an OpenEXR header."""
    for name, kind, value in exr_attributes(head):
        if name == b"dataWindow" and kind == b"box2i" and len(value) == 16:
            left, top, right, bottom = struct.unpack("<4i", value)
            return (right - left + 1, bottom - top + 1)
    return None


def radiance_size_px(head: bytes) -> tuple[int, int] | None:
    """Return (width, height) from a Radiance header."""
    match = re.search(rb"\n\n([-+][XY]) (\d{1,9}) ([-+][XY]) (\d{1,9})\n", head)
    if match is None:
        return None
    sides = {match[1][1:]: int(match[2]), match[3][1:]: int(match[4])}
    return (sides[b"X"], sides[b"Y"]) if len(sides) == 2 else None


def likeness(head: bytes) -> str:
    """Say what a file's first bytes look like."""
    return telling_likeness(head, "") or "something else"


def telling_likeness(head: bytes, suffix: str) -> str | None:
    """Say what a file is that cannot be a `suffix`, or None where nothing tells."""
    for magic, name in SIGNATURES:
        if head.startswith(magic):
            return name
    text = head[:512].lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)"
    if text.startswith((b"{", b"[")) and suffix != ".gltf":
        return "a JSON message"
    return None
