"""Files that are assets: found by pattern, hashed, named within a dataset."""

from __future__ import annotations

import glob
import hashlib
import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from farm.errors import SpecError
from farm.library.ids import ID_LENGTH, assign_ids
from farm.spec.asset import KINDS, Asset, AssetFile, AssetKind, Credit
from farm.spec.quote import is_text, quoted

TAG_CHARS, TAGS_CHARS = 100, 2000
"""Most characters of a tag, which is a word or two, and of all that are read of a sidecar."""


UNREAD = frozenset(
    {
        ".3dm", ".3ds", ".abc", ".c4d", ".dae", ".dxf", ".iges", ".igs", ".lwo", ".ma", ".max",
        ".mb", ".off", ".skp", ".sldprt", ".step", ".stp", ".vox", ".vrm", ".wrl", ".x3d",
    }
)  # fmt: skip
"""Suffixes of models and scenes in formats that nothing here reads."""


def discover(
    patterns: Iterable[str],
    kind: AssetKind,
    *,
    base: Path,
    field: str | None = None,
    note: Callable[[str], None] = lambda _sentence: None,
) -> list[Path]:
    """Return the files that `patterns` (files, globs, folders) mean, without doubles, in order.

    `field` is the one of the spec that errors name; left out, the usual one of the kind. `note`
    takes a sentence on models among them that are in formats which nothing here reads.

    A linked .blend that came with a model, as the model's sidecar says, is found by name alone.

    Raises:
        SpecError: A pattern means no file, or a named file is of another kind.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        found |= dict.fromkeys(_matches(pattern, kind, base, field or f"{kind}s", note))
    return list(found)


def places_of(patterns: Iterable[str], *, base: Path) -> list[tuple[Path, str]]:
    """Return where `discover` looks for what is named by no file's own name: a folder, and the
    pattern below it.
    """
    paths = (base / home_expanded(pattern) for pattern in patterns)
    return [_split(path) for path in paths if not path.is_file()]


def _matches(
    pattern: str, kind: AssetKind, base: Path, field: str, note: Callable[[str], None]
) -> list[Path]:
    known = KINDS[kind]
    wanted = ", ".join(known.suffixes)
    path = base / home_expanded(pattern)
    if path.is_file():
        if path.suffix.lower() not in known.suffixes:
            raise SpecError(f"{field}: {pattern} is not {known.phrase} ({wanted})")
        return [path.resolve()]
    folder, rest = _split(path)
    # glob, not Path.glob: like a shell it follows links and skips what is hidden
    names = [folder / name for name in glob.glob(rest, root_dir=folder, recursive=True)]  # noqa: PTH207
    found = {
        name.resolve() for name in names if name.suffix.lower() in known.suffixes and name.is_file()
    }
    files = sorted(found - {part for name in found for part in _parts(name)})
    unread = _unread(names) if kind in ("model", "scene") else ""
    if not files:
        instead = f"; what is there ({unread}) must be converted, to .glb for example"
        raise SpecError(f"{field}: {pattern} matches no file ({wanted}){instead if unread else ''}")
    if unread:
        note(f"{field}: left out ({unread}), since nothing here reads them: convert them, to .glb")
    return files


def _unread(names: Iterable[Path]) -> str:
    """Say how many files there are of each format that nothing here reads: `2 .dae, 1 .3ds`."""
    counts = Counter(name.suffix.lower() for name in names)
    return ", ".join(f"{counts[each]} {each}" for each in sorted(UNREAD & counts.keys()))


def _parts(path: Path) -> list[Path]:
    """Return the files that belong to an asset, as its sidecar lists them under `includes`."""
    try:
        includes: Any = json.loads(path.with_name(path.name + ".json").read_bytes())["includes"]
        return [Path(os.path.normpath(path.parent / part["path"])) for part in includes]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def _split(path: Path) -> tuple[Path, str]:
    """Return the folder that a pattern starts in, and the rest: `[` may be part of its name."""
    if path.is_dir():
        return path, "**/*"
    folder = next(each for each in path.parents if each.is_dir())
    return folder, str(path.relative_to(folder))


def home_expanded(path: str) -> Path:
    """Return a path whose `~` is a home folder, where there is such a user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user
        return Path(path)


def hash_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes.

    Raises:
        SpecError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None


def describe(  # noqa: PLR0913  what is read of files, each its own way
    files: Sequence[Path],
    kind: AssetKind,
    *,
    role: str | None = None,
    hash_file: Callable[[Path], str] = hash_file,
    dependencies: Callable[[Path], tuple[AssetFile, ...]] = lambda _path: (),
    tell_ids: bool = True,
) -> tuple[tuple[Asset, ...], list[str]]:
    """Hash and name `files`; return them with remarks for the user. The same bytes count once.

    Args:
        files: The files.
        kind: What they are.
        role: What a recipe takes them for; left out, that of `sod`.
        hash_file: Returns the SHA-256 of a file.
        dependencies: Returns the other files that a model needs.
        tell_ids: Remark on ids that are longer than usual, since names of views will show them.

    Raises:
        SpecError: A file cannot be read.
    """
    remarks: list[str] = []
    found: dict[str, Asset] = {}  # by content
    for path in files:
        _check_name(path)
        asset = Asset(
            kind=kind,
            role=role or f"{kind}s",
            id=path.stem,
            name=path.name,
            path=str(path),
            sha256=hash_file(path),
            size_bytes=path.stat().st_size,
            credit=read_credit(path),
            dependencies=dependencies(path),
        )
        first = found.setdefault(asset.content, asset)
        if first is not asset:
            remarks.append(f"{asset.name} has the same contents as {first.name}; they count as one")
    ids = assign_ids([(asset.id, content) for content, asset in found.items()])
    assets = tuple(
        asset.model_copy(update={"id": ids[content]}) for content, asset in found.items()
    )
    remarks += [
        f"{asset.name} is called {asset.id} here: others also start with {asset.id[:ID_LENGTH]}"
        for asset in assets
        if tell_ids and len(asset.id) > ID_LENGTH
    ]
    return assets, remarks


def _check_name(path: Path) -> None:
    """Refuse a name that records and messages, which are JSON, could not tell."""
    if not is_text(str(path)):
        raise SpecError(f"{quoted(str(path))} is not valid Unicode; rename it")


def read_credit(path: Path) -> Credit:
    """Read who made an asset from the JSON file beside it (`<file name>.json`), if there is one.

    Raises:
        SpecError: The sidecar is not a JSON object.
    """
    sidecar = path.with_name(path.name + ".json")
    if not sidecar.is_file():
        return Credit()
    try:
        data: Any = json.loads(sidecar.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"{sidecar}: is not readable JSON; mend or remove it ({error})") from None
    if not isinstance(data, dict):
        raise SpecError(f"{sidecar}: is not a JSON object; mend or remove it")
    data = {"licence": data.get("license")} | data
    known = {key: data[key] for key in Credit.model_fields if is_text(data.get(key))}
    return Credit(**known | {"tags": tags_in(data)})


def tags_in(sidecar: dict[str, Any]) -> tuple[str, ...]:
    """Return the words for what an asset shows; what is no list of words has none."""
    tags = sidecar.get("tags")
    if not isinstance(tags, list):
        return ()
    words = [tag for tag in tags if is_text(tag) and len(tag) <= TAG_CHARS]
    ends = itertools.accumulate(len(word) for word in words)
    return tuple(word for word, end in zip(words, ends, strict=True) if end <= TAGS_CHARS)
