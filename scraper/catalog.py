"""The folder that assets are fetched into, and what is known of each of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from farm.errors import AssetError, SpecError
from farm.library import hash_file
from farm.library.formats import check_file
from farm.spec.asset import KINDS as ASSET_KINDS
from farm.spec.asset import AssetFile, AssetKind, Credit
from farm.storage.file_lock import lock_file
from scraper.asset import RemoteAsset, RemoteFile
from scraper.listing import write_whole

KINDS: tuple[AssetKind, ...] = ("model", "hdr")
STATE_FILE = ".farm-assets.json"
LOCK_FILE = ".farm-assets.lock"
WORK_FOLDER = ".farm-assets.tmp"
"""Where archives are unpacked: no model in it is ever taken for one of the catalog's."""


class Provenance(Credit):
    """What is known of a fetched asset: the sidecar `<file name>.json` beside it."""

    kind: AssetKind
    file_type: str | None = None
    """Which variant it is."""
    file_id: str | None = None
    """What the source calls this very file."""
    sha256: str
    size_bytes: int
    tags: tuple[str, ...] = ()
    face_count: int | None = None
    includes: tuple[AssetFile, ...] = ()
    """Files that lie beside it and belong to it."""


@dataclass(frozen=True)
class CatalogEntry:
    """An asset in the folder."""

    path: Path
    provenance: Provenance


class Catalog:
    """`<root>/model/<id>.blend`, `<root>/hdr/<id>.exr`, each with its sidecar.

    A model that needs files beside it has a folder of its own: `<root>/model/<id>/<id>.blend`.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only

    def folder(self, kind: AssetKind, asset_id: str, *, alone: bool) -> Path:
        """Return where an asset's file lies."""
        return self.root / kind if alone else self.root / kind / asset_id

    def entries(self) -> Iterator[CatalogEntry]:
        """Yield all assets that have a sidecar, in order; their files may be broken or gone."""
        for kind in KINDS:
            for sidecar in sorted((self.root / kind).rglob("*.json")):
                path = sidecar.with_name(sidecar.name.removesuffix(".json"))
                if provenance := read_provenance(sidecar):
                    yield CatalogEntry(path, provenance)

    def find(self, asset: RemoteAsset) -> CatalogEntry | None:
        """Return what is known of the file that `asset` has here, if it has one."""
        for path in self._candidates(asset.asset_type, asset.asset_base_id):
            known = read_provenance(sidecar_of(path))
            if known and (known.source, known.source_id) == asset.key:
                return CatalogEntry(path, known)
        return None

    def adopt(self, asset: RemoteAsset, file: RemoteFile) -> CatalogEntry | None:
        """Take over the file that another tool fetched, if it can be told to be whole."""
        for path in self._candidates(asset.asset_type, asset.asset_base_id):
            lone = not (file.includes or sidecar_of(path).exists())
            if lone and path.is_file() and path.stat().st_size == file.size_bytes:
                try:
                    check_file(path, asset.asset_type)
                except AssetError:
                    continue
                fetched = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                known = provenance_of(asset, file, sha256=hash_file(path),
                                      size_bytes=path.stat().st_size, fetched=fetched)  # fmt: skip
                self.record(path, known)
                return CatalogEntry(path, known)
        return None

    def record(self, path: Path, provenance: Provenance) -> None:
        """Write the sidecar of the file at `path`, which may come after it."""
        if self.read_only:
            return
        data = provenance.model_dump(mode="json", exclude_none=True)
        text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        write_whole(sidecar_of(path), text.encode())

    def stranger(self, path: Path, asset: RemoteAsset) -> str | None:
        """Say what lies at `path` if it is an asset, and no version of this one."""
        known = read_provenance(sidecar_of(path)) if path.exists() else None
        if known is None or (known.source, known.source_id) == asset.key:
            return None
        return f"{known.name} from {known.source}"

    def forget_others(self, asset: RemoteAsset, keep: Path) -> None:
        """Remove what an earlier version of the asset left under another suffix."""
        for path in list(self._candidates(asset.asset_type, asset.asset_base_id)):
            known = read_provenance(sidecar_of(path))
            if path != keep and known and (known.source, known.source_id) == asset.key:
                path.unlink(missing_ok=True)
                sidecar_of(path).unlink(missing_ok=True)

    def scene_uuid(self) -> str:
        """Return the id of the project that this folder stands for, made once."""
        path = self.root / STATE_FILE
        try:
            found = json.loads(path.read_bytes()).get("scene_uuid")
            return str(uuid.UUID(found))
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            made = str(uuid.uuid4())
            write_whole(path, json.dumps({"scene_uuid": made}).encode())
            return made

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder: two downloads would write the same partial files.

        Raises:
            SpecError: Another process holds it, or it cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = lock_file(self.root / LOCK_FILE, wait=False, if_possible=True)
        except BlockingIOError:
            raise SpecError(f"{self.root}: another download is running here; wait for it") from None
        except OSError as error:
            raise SpecError(f"{self.root}: cannot be written: {error.strerror}") from None
        try:
            shutil.rmtree(self.root / WORK_FOLDER, ignore_errors=True)  # of a killed download
            yield
        finally:
            os.close(lock)

    def _candidates(self, kind: AssetKind, asset_id: str) -> Iterator[Path]:
        suffixes = ASSET_KINDS[kind].suffixes
        for alone in (True, False):
            folder = self.folder(kind, asset_id, alone=alone)
            for suffix in suffixes:
                path = folder / f"{asset_id}{suffix}"
                if path.is_file() or sidecar_of(path).is_file():
                    yield path


def sidecar_of(path: Path) -> Path:
    """Return where the provenance of a file is kept."""
    return path.with_name(f"{path.name}.json")


def read_provenance(sidecar: Path) -> Provenance | None:
    """Return what a sidecar says; None if there is none, or it is not ours."""
    try:
        return Provenance.model_validate_json(sidecar.read_bytes())
    except (OSError, ValidationError):
        return None


def provenance_of(
    asset: RemoteAsset, file: RemoteFile, *, sha256: str, size_bytes: int, fetched: datetime
) -> Provenance:
    """Say where a file came from."""
    return Provenance(
        name=asset.name,
        author=asset.author,
        licence=asset.license,
        source=asset.source,
        source_id=asset.asset_base_id,
        version=asset.id,
        url=asset.page,
        fetched=fetched.isoformat(timespec="seconds"),
        kind=asset.asset_type,
        file_type=file.file_type,
        file_id=file_id(file),
        sha256=sha256,
        size_bytes=size_bytes,
        tags=asset.tags,
        category=asset.category,
        face_count=asset.face_count,
    )


def file_id(file: RemoteFile) -> str | None:
    """Return what tells a file from those of other versions: an id, a hash, or its name."""
    return file.uuid or file.md5 or re.sub(r".*/", "", file.filename) or None


def fault(entry: CatalogEntry) -> str | None:
    """Return what is wrong with the files of an asset, or None if they are whole."""
    known = entry.provenance
    own = AssetFile(path=entry.path.name, sha256=known.sha256, size_bytes=known.size_bytes)
    for part in (own, *known.includes):
        path = entry.path.parent / part.path
        try:
            size = path.stat().st_size
            if size != part.size_bytes:
                return f"{part.path} has {size} of {part.size_bytes} bytes"
        except OSError:
            return f"{part.path} is gone"
        if hash_file(path) != part.sha256:
            return f"{part.path} has changed since it was fetched"
    return None
