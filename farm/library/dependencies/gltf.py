"""Dependencies of glTF files: their buffers and images."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from urllib.parse import unquote

from farm.library.dependencies.places import Remark, is_relative

GLB_MAGIC, GLB_JSON = b"glTF", b"JSON"
JSON_MAX_BYTES = 256 << 20


def trace_gltf(path: Path, remark: Remark) -> list[Path]:
    """Return the buffers and images that a .gltf or .glb names."""
    named = gltf_uris(path)
    if named is None:
        remark(f"{path.name} is not readable glTF; its external files are not traced")
        return []
    uris = named["buffers"] + named["images"]
    return [path.parent / unquote(uri) for uri in uris if is_relative(uri, path, remark)]


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
