"""The files that a model needs beside its own: textures, buffers, linked files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

from farm.library.dependencies.blend import trace_blend
from farm.library.dependencies.data_suffixes import DATA_SUFFIXES
from farm.library.dependencies.fbx import trace_fbx
from farm.library.dependencies.gltf import trace_gltf
from farm.library.dependencies.obj import trace_obj
from farm.library.dependencies.places import Remark
from farm.library.dependencies.usd import LAYERS, trace_usd
from farm.spec.asset import MOST_UPS, AssetFile


class ChainTracer(Protocol):
    """Traces a model by looking at other files than its own, too."""

    def __call__(self, path: Path, remark: Remark, *, within: Path | None = None) -> list[Path]:
        """Return the files that a model names."""
        ...


TRACERS: dict[str, Callable[[Path, Remark], list[Path]]] = {
    ".blend": trace_blend,
    ".gltf": trace_gltf,
    ".glb": trace_gltf,
    ".obj": trace_obj,
    ".fbx": trace_fbx,
    **dict.fromkeys(LAYERS, trace_usd),
}


CHAINED: dict[str, ChainTracer] = {
    ".blend": trace_blend,
    ".obj": trace_obj,
    ".fbx": trace_fbx,
    **dict.fromkeys(LAYERS, trace_usd),
}
"""Those that look at other files than the model's own."""


class Traced(NamedTuple):
    """The findings of a model's own tracer."""

    files: list[Path]
    remarks: list[str]


READERS = (*sorted(TRACERS), ".mtl")
"""Files that name others: to know what a model needs, these are read."""


def trace(path: Path, *, within: Path | None = None) -> Traced:
    """Return the files that the model at `path` names, and remarks on them.

    Other files than its own are looked at `within` a folder alone, if one is given: so a stranger's
    model does not tell which files there are elsewhere, or what is in them.
    """
    suffix = path.suffix.lower()
    traced = Traced([], [])
    if chained := CHAINED.get(suffix):
        traced.files.extend(chained(path, traced.remarks.append, within=within))
    elif tracer := TRACERS.get(suffix):
        traced.files.extend(tracer(path, traced.remarks.append))
    return traced


class Tracer:
    """Finds the dependencies of models, and says once what it could not find."""

    def __init__(self, hash_file: Callable[[Path], str], remark: Remark) -> None:
        self._hash_file = hash_file
        self._said: set[str] = set()
        self._remark = remark
        self._traced: dict[Path, Traced] = {}

    def prepare(self, paths: Sequence[Path]) -> None:
        """Trace many models at once: each .blend is a process of its own."""
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            self._traced.update(zip(paths, pool.map(trace, paths), strict=True))

    def __call__(self, path: Path) -> tuple[AssetFile, ...]:
        """Return the files, other than itself, that the model at `path` needs.

        Raises:
            SpecError: One of them cannot be read.
        """
        traced = self._traced.pop(path, None) or trace(path)
        for sentence in traced.remarks:
            self._say(sentence)
        needed = {Path(os.path.normpath(file)): None for file in traced.files}
        return tuple(
            AssetFile(
                path=Path(os.path.relpath(file, path.parent)).as_posix(),
                sha256=self._hash_file(file),
                size_bytes=file.stat().st_size,
            )
            for file in sorted(needed)
            if file != path and self._may_leave(file, path)
        )

    def _may_leave(self, file: Path, model: Path) -> bool:
        if not file.is_file():
            self._say(f"{model.name} needs {file}, which does not exist")
            return False
        if file.drive != model.drive:
            self._say(f"{model.name} needs {file} on another drive; it is not uploaded")
            return False
        if os.path.relpath(file, model.parent).count("..") > MOST_UPS:
            self._say(
                f"{model.name} needs {file}, which is more than {MOST_UPS} folders above it; it is "
                "not uploaded: move it nearer"
            )
            return False
        if file.suffix.lower() not in DATA_SUFFIXES:
            self._say(
                f"{model.name} names {file}, which is not a texture or a model; it is not uploaded"
            )
            return False
        return True

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._remark(sentence)
