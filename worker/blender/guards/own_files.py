"""The files that came with a model, for paths that lead nowhere but on its maker's machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from worker.assets.layout import FILLER

ABSOLUTE = re.compile(r"/|[A-Za-z]:[/\\]|\\\\")
TILE = re.compile("<UDIM>|<UVTILE>")


class OwnFiles:
    """The files of a model below its folder, found by how their paths end.

    They lie to each other as on the machine where the model was made, so the path that the model
    has of one ends in its path from the folder that holds all of them.
    """

    def __init__(self, home: Path | None) -> None:
        self.home = home

    def find(self, path: str) -> str | None:
        """Return where the file of an absolute path lies here; None where that is not certain."""
        if self.home is None or not ABSOLUTE.match(path):
            return None
        words = path.replace("\\", "/").split("/")
        folders, name = words[:-1], TILE.sub(r"\\d+", re.escape(words[-1]))
        fitting = [
            (len(tail.parts), file)
            for tail, file in self._tails
            if re.fullmatch(name, tail.name) and ends_in(folders, tail.parent.parts)
        ]
        longest = max((length for length, _file in fitting), default=0)
        places = {file.parent for length, file in fitting if length == longest}
        return str(places.pop() / words[-1]) if len(places) == 1 else None

    @cached_property
    def _tails(self) -> list[tuple[PurePosixPath, Path]]:
        return list(self._walk())

    def _walk(self) -> Iterator[tuple[PurePosixPath, Path]]:
        assert self.home is not None
        for file in self.home.rglob("*"):
            parts = list(file.relative_to(self.home).parts)
            while parts and parts[0] == FILLER:
                del parts[0]
            if parts and file.is_file():
                yield PurePosixPath(*parts), file


def ends_in(words: list[str], end: tuple[str, ...]) -> bool:
    """Say whether a path ends in these folders."""
    return not end or tuple(words[-len(end) :]) == end
