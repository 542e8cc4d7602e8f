"""The kind of a file, by its first bytes rather than by its name."""

from __future__ import annotations

import stat
import struct
from pathlib import Path

from farm.errors import AssetError
from farm.library.meshes.ply import ply_elements, without_surface
from farm.library.meshes.stl import check_stl
from farm.library.pictures.png_jpeg import picture_fault, picture_suffixes
from farm.library.pictures.radiance import radiance_size_px
from farm.library.pictures.sphere import exr_fault, exr_sizes_px, radiance_fault
from farm.spec.asset import KINDS, AssetKind

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
    known = KINDS[kind].suffixes
    if path.suffix.lower() not in known:
        raise AssetError(
            str(path), f"{path.suffix or 'no suffix'} is not one of {', '.join(known)}"
        )
    head = read_head(path)
    if kind == "hdr":
        check_hdr(path, head)
    elif kind == "image":
        check_picture(path, head)
    elif kind != "script":
        check_model(path, head)


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file that is there and not empty."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting
            raise AssetError(str(path), "it is not a regular file")
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


def check_picture(path: Path, head: bytes) -> None:
    """Make sure that a picture is what its name says, and of an allowed size."""
    suffixes = picture_suffixes(head)
    if not suffixes:
        raise AssetError(str(path), f"not a picture (PNG or JPEG): it is {likeness(head)}")
    if path.suffix.lower() not in suffixes:
        raise AssetError(str(path), f"it is {likeness(head)}: rename it to end in {suffixes[0]}")
    if fault := picture_fault(path, head):
        raise AssetError(str(path), fault)


def check_hdr(path: Path, head: bytes) -> None:
    """Make sure that an environment is OpenEXR or Radiance and of an allowed size."""
    suffix = hdr_suffix(head)
    if suffix is None:
        raise AssetError(str(path), f"not an HDR environment: it is {likeness(head)}")
    if not hdr_sizes_px(head):
        raise AssetError(str(path), "its header is damaged: it has no picture size")
    if fault := environment_fault(head):
        raise AssetError(str(path), fault)


def environment_fault(head: bytes) -> str | None:
    """Say why an HDR environment cannot be used, as far as its first bytes tell."""
    for width, height in hdr_sizes_px(head):
        if width < 1 or height < 1 or width * height > HDR_MAX_PX or max(width, height) > 16384:
            return f"{width} x {height} pixels: an HDR environment may have 16384 x 8192"
    if hdr_suffix(head) is None:
        return None
    return exr_fault(head) if hdr_suffix(head) == ".exr" else radiance_fault(head)


def hdr_sizes_px(head: bytes) -> list[tuple[int, int]]:
    """Return width and height of all that is decoded of an HDR environment, as its header says."""
    suffix = hdr_suffix(head)
    if suffix == ".exr":
        return exr_sizes_px(head)
    size = radiance_size_px(head) if suffix else None
    return [size] if size else []


def hdr_suffix(head: bytes) -> str | None:
    """Return what an HDR environment's name should end in, or None if it is not one."""
    if head.startswith(EXR_MAGIC):
        return ".exr"
    return ".hdr" if head.startswith(RADIANCE_MAGIC) else None


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
