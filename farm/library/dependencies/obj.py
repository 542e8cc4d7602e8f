"""Dependencies of OBJ files: their material libraries, and the textures that those name."""

from __future__ import annotations

import contextlib
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from farm.library.dependencies.places import Remark, is_relative, lies_in

LINE_MAX_BYTES = 4096
"""What is read of a line that names materials."""
NAME_MAX_WORDS = 16
"""Words that the name of a material library may have, if there are several on a line."""
JOINT = re.compile(rb"\\\r?\n")
"""Joins a line to the next."""

OPTION_ARGUMENTS = {
    "-blendu": 1, "-blendv": 1, "-boost": 1, "-mm": 2, "-texres": 1, "-clamp": 1, "-bm": 1,
    "-imfchan": 1, "-type": 1, "-cc": 1, "-colorspace": 1, "-o": 3, "-s": 3, "-t": 3,
}  # fmt: skip
"""Options of a texture in a .mtl; those with three take one to three numbers."""

TEXTURES = ("map_", "bump", "disp", "decal", "refl", "norm")


def trace_obj(path: Path, remark: Remark, *, within: Path | None = None) -> list[Path]:
    """Return the material libraries of an .obj and the textures that those name.

    Material libraries are read `within` a folder alone, if one is given.
    """
    files: list[Path] = []
    try:
        for library in _material_libraries(path, within):
            files.append(library)
            if library.is_file() and lies_in(within, library):
                names = [name for name in _textures(library) if is_relative(name, library, remark)]
                files += [library.parent / name for name in names]
    except OSError as error:
        remark(f"{path.name}: its materials cannot be read: {error.strerror}")
    return files


def _material_libraries(path: Path, within: Path | None) -> Iterator[Path]:
    for text in obj_names(path).libraries:
        yield from named_libraries(path.parent, shown(text), within=within)


class ObjNames(NamedTuple):
    """What an .obj names of materials."""

    libraries: dict[str, str]
    """What stands after each `mtllib`, one file or many, with our slashes and as it is written."""
    materials: set[str]
    """Those that its faces use."""


def obj_names(path: Path) -> ObjNames:
    """Read what an .obj names of materials; bytes that are not UTF-8 become surrogates."""
    names = ObjNames({}, set())
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return names
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for line in _lines_with(data, b"mtl"):
                word, _, rest = line.replace("\t", " ").partition(" ")
                if word == "mtllib":
                    written = rest.strip().strip('"')
                    names.libraries.setdefault(written.replace("\\", "/"), written)
                elif word == "usemtl":
                    names.materials.add(rest.strip())
    return names


def _lines_with(data: mmap.mmap, part: bytes) -> Iterator[str]:
    """Yield the lines that hold `part`, far faster than all of them; `\\` joins two."""
    at = data.find(part)
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        end = _end_of_line(data, at)
        while end < len(data) and data[end - 2 : end].rstrip(b"\r").endswith(b"\\"):
            end = _end_of_line(data, end + 1)
        line = data[start : min(end, start + LINE_MAX_BYTES)]
        yield JOINT.sub(b" ", line).decode("utf-8", "surrogateescape").strip()
        at = data.find(part, end)


def _end_of_line(data: mmap.mmap, at: int) -> int:
    end = data.find(b"\n", at)
    return end if end >= 0 else len(data)


def named_libraries(folder: Path, text: str, *, within: Path | None = None) -> list[Path]:
    """Return the one file that a `mtllib` names, or the many: names may hold spaces.

    Missing files are returned where it is clear where a name ends. Files are looked for `within` a
    folder alone, if one is given.
    """
    words = text.strip().split(" ")
    files: list[Path] = []
    while any(words):
        count = _words_of_a_file(folder, words, within)
        file = folder / " ".join(words[:count]).strip()
        files.append(_in_any_case(file) if lies_in(within, file) else file)
        words = words[count:]
    return files


def _words_of_a_file(folder: Path, words: list[str], within: Path | None) -> int:
    """Return how many of the first words name a file; in doubt those up to its suffix."""
    for count in range(min(len(words), NAME_MAX_WORDS), 0, -1):
        file = folder / " ".join(words[:count]).strip()
        if lies_in(within, file) and os.path.isfile(file):  # noqa: PTH113  never raises
            return count
    ends = (at for at, word in enumerate(words, 1) if word.lower().endswith(".mtl"))
    return next(ends, len(words))


def _in_any_case(path: Path) -> Path:
    """Return the file of that name; where there is none, the one that differs in case alone."""
    with contextlib.suppress(OSError, ValueError):
        if not path.exists():
            alike = (each for each in path.parent.iterdir() if _same(each.name, path.name))
            return next(alike, path)
    return path


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _textures(library: Path) -> Iterator[str]:
    with library.open("rb") as file:
        for line in file:
            word, _, rest = shown(plain(line).strip()).partition(" ")
            if word.lower().startswith(TEXTURES) and (name := texture_name(rest)):
                yield name


def texture_name(arguments: str) -> str:
    """Return what a texture's line in a .mtl names, after its options."""
    words = arguments.split(" ")
    while words and words[0] in (*OPTION_ARGUMENTS, ""):
        count = OPTION_ARGUMENTS.get(words.pop(0), 0)
        if count < 3:
            del words[:count]
            continue
        while words and count and _is_number(words[0]):
            del words[0]
            count -= 1
    return " ".join(words).strip()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def plain(line: bytes) -> str:
    """Return a line with slashes and spaces as we write them; none of its bytes gets lost."""
    return line.decode("utf-8", "surrogateescape").replace("\t", " ").replace("\\", "/")


def shown(text: str) -> str:
    """Return a text that anybody can read: without the bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
