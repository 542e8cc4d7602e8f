"""The user's own modules that a script imports: they lie beside it, and travel with it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

from farm.errors import SpecError
from farm.spec.asset import AssetFile

MOST_FILES = 1000
MOST_BYTES = 4 << 20
"""Larger files are looked into by nobody: they are no modules."""


def modules_beside(script: Path, hash_file: Callable[[Path], str]) -> tuple[AssetFile, ...]:
    """Return the modules beside a script that it imports, with those that they import.

    What cannot be read as Python is told by whoever runs it.

    Raises:
        SpecError: There are too many.
    """
    home = script.parent
    found: dict[Path, None] = {}
    waiting = [script]
    while waiting:
        file = waiting.pop()
        for module in imported_by(file, home):
            if module not in found and module != script:
                found[module] = None
                waiting.append(module)
        if len(found) > MOST_FILES:
            raise SpecError(f"{script}: imports more than {MOST_FILES} files that lie beside it")
    return tuple(
        AssetFile(
            path=module.relative_to(home).as_posix(),
            sha256=hash_file(module),
            size_bytes=module.stat().st_size,
        )
        for module in sorted(found)
    )


def imported_by(file: Path, home: Path) -> Iterator[Path]:
    """Yield the files below a folder that a file's import statements lead to."""
    for level, words in names_in(file):
        base = home if level == 0 else file.parents[min(level, len(file.parents)) - 1]
        if not base.is_relative_to(home):
            continue
        for length in range(1, len(words) + 1):
            yield from files_of(base.joinpath(*words[:length]))


def files_of(place: Path) -> Iterator[Path]:
    """Yield the file of a module, or that of a package, if there is one."""
    for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if file.is_file():
            yield file


def names_in(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield what a file imports: how many folders up it begins, and the words of its name."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, each.name.split(".")) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            words = node.module.split(".") if node.module else []
            for each in node.names:  # which may be a module, or a name in one
                yield node.level, [*words, each.name]
