"""What Blender's OBJ importer is given where it would lose materials: one library for all."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from farm.library.dependencies.obj import (
    TEXTURES,
    named_libraries,
    obj_names,
    plain,
    shown,
    texture_name,
)
from worker.blender.guards.file_access import is_readable, may_read

LIBRARY_MAX_BYTES = 64 << 20
"""Size of a library that is read, at most."""
MOST_NAMES = 10
"""Names of materials that are told, of those that are in no library."""
NO_MATERIAL = {"", "(null)", "None", "off"}
"""What faces without a material are said to use."""
KEYWORDS = {
    word.lower(): word
    for word in ("map_Kd", "map_Ka", "map_Ks", "map_Ns", "map_Ke", "map_d", "map_Bump", "map_refl",
                 "map_Pr", "map_Pm", "map_Ps")
}  # fmt: skip
"""Blender knows each in this case alone."""

Blocks = dict[str, list[str]]
"""Material -> its lines."""


class Read(NamedTuple):
    """What an .obj's libraries hold, and what of them is missing."""

    blocks: Blocks
    differs: bool
    """Blender, by itself, would read something else."""
    unread: tuple[str, ...]
    lost: frozenset[str]
    """Materials of faces that are in no library: Blender makes up grey ones."""


@contextlib.contextmanager
def as_blender_reads_it(
    path: Path, home: Path | None, scratch: Path
) -> Iterator[tuple[Path, Read]]:
    """Yield where Blender is to read an .obj, and what is known of its materials.

    That is the file itself, unless Blender would miss a library or what one says. Then it is a
    link to the file, with a library of the same name beside, which Blender takes by itself.
    """
    read = read_materials(path, home)
    if not read.differs:
        yield path, read
        return
    with tempfile.TemporaryDirectory(prefix="obj-", dir=scratch) as folder:
        link = Path(folder, path.name)
        link.symlink_to(path.absolute())
        text = "".join(f"newmtl {name}\n" + "\n".join(lines) + "\n" for name, lines in
                       read.blocks.items())  # fmt: skip
        link.with_suffix(".mtl").write_bytes(text.encode("utf-8", "surrogateescape"))
        yield link, read


def read_materials(path: Path, home: Path | None) -> Read:
    """Read an .obj's material libraries; of two materials of one name the first counts."""
    names = obj_names(path)
    blocks: Blocks = {}
    missing: list[str] = []
    differs = False
    taken: list[Path] = []
    for text, written in names.libraries.items():
        files = named_libraries(path.parent, text)
        there = [each for each in files if is_library(each, home)]
        missing += [each.name for each in files if each not in there]
        differs |= there != [each for each in (path.parent / written,) if each.exists()]
        taken += there
    beside = path.with_suffix(".mtl")
    if beside.exists() and beside not in taken:  # which Blender reads unasked
        taken += [beside] if is_library(beside, home) else []
        differs |= beside not in taken
    for library in taken:
        for name, lines in materials(library):
            mended = list(mended_lines(lines, library.parent))
            differs |= mended != [absolute(line, library.parent) for line in lines]
            blocks.setdefault(name, mended)
    lost = names.materials - set(blocks)
    return Read(blocks, differs, not_found(lost - NO_MATERIAL, missing), frozenset(lost))


def is_library(path: Path, home: Path | None) -> bool:
    """Tell whether there is a library that the model may read."""
    full = Path(os.path.normpath(path))
    if not (is_readable(full) and may_read(str(full), home)):
        return False
    return full.stat().st_size <= LIBRARY_MAX_BYTES


def not_found(lost: set[str], missing: list[str]) -> tuple[str, ...]:
    """Say which libraries are not there, or else which materials are in none."""
    if not lost:
        return ()
    if missing:
        return tuple(f"material library {shown(name)}" for name in dict.fromkeys(missing))
    told = [f"material {shown(name)[:200]}" for name in sorted(lost)[:MOST_NAMES]]
    more = len(lost) - len(told)
    return (*told, *([f"{more} more materials"] if more else []))


def materials(library: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the materials of a .mtl, each with its lines."""
    name, lines = None, list[str]()
    for line in itertools.chain(library.read_bytes().splitlines(), [b"newmtl"]):
        text = plain(line).strip()
        word, _, rest = text.partition(" ")
        if word == "newmtl":
            if name is not None:
                yield name, lines
            name, lines = rest.strip(), []
        elif word and not word.startswith("#"):
            lines.append(text)


def mended_lines(lines: list[str], folder: Path) -> Iterator[str]:
    """Yield the lines of a material as Blender understands them, free of their folder."""
    dissolves = any(line.startswith("d ") for line in lines)
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "Tr":
            if not dissolves and (share := share_of(rest)) is not None:
                yield f"d {1.0 - share:g}"
        else:
            yield absolute(in_our_case(without_colorspace(line)), folder)


def share_of(text: str) -> float | None:
    """Return the share, 0 to 1, that a line has."""
    with contextlib.suppress(ValueError):
        if not math.isnan(value := float(text)):
            return min(max(value, 0.0), 1.0)
    return None


def in_our_case(line: str) -> str:
    """Return a line whose keyword Blender knows."""
    word, space, rest = line.partition(" ")
    return KEYWORDS.get(word.lower(), word) + space + rest


def without_colorspace(line: str) -> str:
    """Return a texture's line without the option that Blender takes for its name."""
    word, _, rest = line.partition(" ")
    words = rest.split(" ")
    if not word.lower().startswith(TEXTURES) or "-colorspace" not in words:
        return line
    at = words.index("-colorspace")
    return " ".join([word, *words[:at], *words[at + 2 :]])


def absolute(line: str, folder: Path) -> str:
    """Return a line whose texture is found from anywhere."""
    word, _, rest = line.partition(" ")
    name = texture_name(rest).strip('"') if word.lower().startswith(TEXTURES) else ""
    if not name:
        return line
    options = rest[: rest.rindex(name)].removesuffix('"')
    return f"{word} {options}{picture(folder, name)}"


def picture(folder: Path, name: str) -> str:
    """Return where a texture is, or lies beside the library; else its name."""
    for each in (name, name.rpartition("/")[2]):
        if os.path.isfile(folder / each):  # noqa: PTH113  what is no valid path raises elsewhere
            return os.path.abspath(folder / each)  # noqa: PTH100
    return name
