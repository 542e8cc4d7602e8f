"""Textures of FBX files, binary ones and text."""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from farm.library.dependencies.places import Remark, lies_in

BINARY = b"Kaydara FBX Binary"
NODE = b"\x10RelativeFilename"
"""How a binary file begins what names a texture: the length of the word, and the word."""
EMBEDDED = re.compile(rb"\x07ContentR(?!\0\0\0\0)", re.DOTALL)
"""A file that lies inside of a binary one."""
IN_TEXT = re.compile(rb'RelativeFilename:\s*"([^"\r\n]{1,4096})"')
EMBEDDED_IN_TEXT = re.compile(rb"Content:\s*,")
LONGEST_NAME = 4096


def trace_fbx(path: Path, remark: Remark, *, within: Path | None = None) -> list[Path]:
    """Return the textures that an .fbx names, where Blender looks for them.

    They are looked for `within` a folder alone, if one is given.
    """
    try:
        names, embedded = named_in(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        remark(f"{path.name}: its textures cannot be traced: {reason}")
        return []
    files = []
    for name in names:
        file = where(path.parent, name, within=within)
        if file.is_file() or not embedded:  # those that are embedded need not be there
            files.append(file)
    return files


def named_in(path: Path) -> tuple[list[str], bool]:
    """Return the names of textures, each once, and whether some lie inside of the file.

    Raises:
        ValueError: The file is empty.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[: len(BINARY)] == BINARY:
            found, embedded = list(in_binary(data)), EMBEDDED.search(data)
        else:
            found = [match[1] for match in IN_TEXT.finditer(data)]
            embedded = EMBEDDED_IN_TEXT.search(data)
    names = (name.decode("utf-8", "replace").replace("\\", "/").strip() for name in found)
    return list(dict.fromkeys(name for name in names if name)), embedded is not None


def in_binary(data: mmap.mmap) -> Iterator[bytes]:
    """Yield the names of textures in a binary file."""
    at = data.find(NODE)
    while at >= 0:
        start = at + len(NODE)
        if data[start : start + 1] == b"S" and start + 5 <= len(data):
            (length,) = struct.unpack_from("<I", data, start + 1)
            if length <= LONGEST_NAME:
                yield data[start + 5 : start + 5 + length]
        at = data.find(NODE, start)


def where(folder: Path, name: str, *, within: Path | None = None) -> Path:
    """Return where Blender finds a texture: as the file says from its folder, else in that itself.

    A path of the machine on which the file was made leads nowhere else.
    """
    beside = folder / name.rpartition("/")[2]
    from_here = folder / name
    absolute = name.startswith("/") or name[1:2] == ":"
    there = lies_in(within, from_here) and from_here.is_file()
    return beside if absolute or (beside.is_file() and not there) else from_here
