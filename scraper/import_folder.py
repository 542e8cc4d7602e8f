"""Assets from a folder of this machine into the catalog, with a note on their licence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from farm.errors import AssetError, SpecError
from farm.library import discover, hash_file, read_credit, safe_stem
from farm.library.dependencies.trace import Tracer
from farm.library.formats import check_file
from farm.spec.asset import AssetFile, AssetKind, Credit
from farm.spec.base import digest
from scraper.catalog import KINDS, Catalog, Provenance, fault

LOCAL = "local"


@dataclass(frozen=True)
class ImportOutcome:
    """What became of one local file."""

    path: Path
    """Where it was."""
    state: Literal["imported", "there", "failed"]
    target: Path | None = None
    sentence: str = ""


def import_files(
    folder: Path, catalog: Catalog, credit: Credit, note: Callable[[str], None]
) -> Iterator[ImportOutcome]:
    """Copy the assets in `folder` into the catalog, each with the files that it needs.

    Textures and linked files come along with their models and are no assets of their own.

    Raises:
        SpecError: There is nothing in `folder` that can be rendered.
    """
    found = {kind: _discover(folder, kind) for kind in KINDS}
    if not any(found.values()):
        raise SpecError(f"{folder}: holds no models or HDR environments")
    trace = Tracer(hash_file, note)
    trace.prepare(found["model"])
    needs = {path: trace(path) for path in found["model"]}
    needed = {
        Path(os.path.normpath(path.parent / file.path)) for path in needs for file in needs[path]
    }
    known = {
        content(entry.provenance.sha256, entry.provenance.includes): entry.path
        for entry in catalog.entries()
        if fault(entry) is None
    }
    for kind, paths in found.items():
        for path in paths:
            if path not in needed:
                brought = _bring(path, kind, needs.get(path, ()), folder, catalog, credit, known)
                yield brought


def content(sha256: str, needs: tuple[AssetFile, ...]) -> str:
    """Return what tells an asset from all others: its bytes and those of what it needs."""
    return digest(sha256, sorted(file.sha256 for file in needs))


def _discover(folder: Path, kind: AssetKind) -> list[Path]:
    try:
        return discover([str(folder.resolve())], kind, base=Path.cwd())
    except SpecError:
        return []


def _bring(  # noqa: PLR0913 - the loop's own words
    path: Path,
    kind: AssetKind,
    needs: tuple[AssetFile, ...],
    folder: Path,
    catalog: Catalog,
    credit: Credit,
    known: dict[str, Path],
) -> ImportOutcome:
    try:
        check_file(path, kind)
    except AssetError as error:
        return ImportOutcome(path, "failed", sentence=str(error))
    sha256 = hash_file(path)
    if there := known.get(content(sha256, needs)):
        return ImportOutcome(path, "there", there)
    root = Path(os.path.commonpath([path.parent, *((path.parent / n.path).resolve().parent
                                                   for n in needs)]))  # fmt: skip
    if not root.is_relative_to(folder.resolve()):
        return ImportOutcome(path, "failed", sentence=f"{path}: needs files outside {folder}")
    target = _target(path, kind, sha256, root if needs else None, catalog)
    provenance = _provenance(path, kind, sha256, needs, credit)
    for file in needs:
        _copy(path.parent / file.path, Path(os.path.normpath(target.parent / file.path)))
    catalog.record(target, provenance)
    _copy(path, target)
    known[content(sha256, needs)] = target
    return ImportOutcome(path, "imported", target)


def _target(path: Path, kind: AssetKind, sha256: str, root: Path | None, catalog: Catalog) -> Path:
    """Return where a file goes; one that needs others keeps its place among them."""
    stem = safe_stem(path.stem)[:55]
    for name in (stem, f"{stem}-{sha256[:8]}"):
        place = catalog.folder(kind, name, alone=root is None)
        within = path.parent.relative_to(root) if root else Path()
        target = place / within / f"{name}{path.suffix.lower()}"
        if not target.exists() or hash_file(target) == sha256:
            return target
    return target


def _provenance(
    path: Path, kind: AssetKind, sha256: str, needs: tuple[AssetFile, ...], credit: Credit
) -> Provenance:
    """Say where a file came from: what its own sidecar says, else what is said of the folder."""
    own = read_credit(path).model_dump(exclude_none=True)
    given = {"source": LOCAL, "name": path.stem} | credit.model_dump(exclude_none=True) | own
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Provenance(
        **{"fetched": now} | given,
        kind=kind,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        includes=needs,
    )


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, part)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SpecError(f"{target}: cannot be written: {error.strerror}") from None
