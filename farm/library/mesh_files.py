"""Dependencies of glTF and OBJ files, read from their own text."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

Remark = Callable[[str], None]

GLB_MAGIC, GLB_JSON = b"glTF", b"JSON"
JSON_MAX_BYTES = 256 << 20

OPTION_ARGUMENTS = {
    "-blendu": 1, "-blendv": 1, "-boost": 1, "-mm": 2, "-texres": 1, "-clamp": 1, "-bm": 1,
    "-imfchan": 1, "-type": 1, "-cc": 1, "-colorspace": 1, "-o": 3, "-s": 3, "-t": 3,
}  # fmt: skip
"""Options of a texture in a .mtl; those with three take one to three numbers."""

TEXTURES = ("map_", "bump", "disp", "decal", "refl", "norm")


def trace_gltf(path: Path, remark: Remark) -> list[Path]:
    """Return the buffers and images that a .gltf or .glb names."""
    named = gltf_uris(path)
    if named is None:
        remark(f"{path.name} is not readable glTF; its external files are not traced")
        return []
    uris = named["buffers"] + named["images"]
    return [path.parent / unquote(uri) for uri in uris if _is_relative(uri, path, remark)]


def gltf_uris(path: Path) -> dict[str, list[str]] | None:
    """Return the `buffers` and `images` that a .gltf or .glb names, data included.

    None where it cannot be read.
    """
    try:
        data = json.loads(_gltf_json(path))
        named = {
            key: [item.get("uri") for item in data.get(key, [])] for key in ("buffers", "images")
        }
    except (OSError, ValueError, AttributeError, TypeError, RecursionError, struct.error):
        return None
    return {key: [uri for uri in uris if isinstance(uri, str)] for key, uris in named.items()}


def _gltf_json(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(4)
        if start != GLB_MAGIC:
            return start + file.read(JSON_MAX_BYTES)
        file.read(8)  # version and length of the whole
        length, kind = struct.unpack("<I4s", file.read(8))
        if kind != GLB_JSON or length > JSON_MAX_BYTES:
            raise ValueError("no JSON chunk")
        return file.read(length)


def _is_relative(uri: str, path: Path, remark: Remark) -> bool:
    if uri.startswith("data:"):
        return False
    if ":" in uri or uri.startswith(("/", "\\")):
        remark(f"{path.name} names {uri[:200]}, which is not beside it; it is not uploaded")
        return False
    return True


def trace_obj(path: Path, remark: Remark) -> list[Path]:
    """Return the material libraries of an .obj and the textures that those name."""
    files: list[Path] = []
    try:
        for library in _material_libraries(path):
            files.append(library)
            if library.is_file():
                names = [name for name in _textures(library) if _is_relative(name, library, remark)]
                files += [library.parent / name for name in names]
    except OSError as error:
        remark(f"{path.name}: its materials cannot be read: {error.strerror}")
    return files


def _material_libraries(path: Path) -> Iterator[Path]:
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"mtllib"):
                yield from _named(path.parent, _text(line).partition(" ")[2])


def _named(folder: Path, text: str) -> list[Path]:
    """Return the one file that a line names, or the many: names may hold spaces."""
    whole = folder / text.strip()
    return [whole] if whole.is_file() else [folder / name for name in text.split()]


def _textures(library: Path) -> Iterator[str]:
    with library.open("rb") as file:
        for line in file:
            word, _, rest = _text(line).partition(" ")
            if word.lower().startswith(TEXTURES) and (name := _texture_name(rest)):
                yield name


def _texture_name(arguments: str) -> str:
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


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").replace("\t", " ").replace("\\", "/").strip()
