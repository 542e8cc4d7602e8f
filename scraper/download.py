"""Carrying out a plan: each asset whole in its place, with its sidecar, or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from farm.errors import AssetError, FarmError, SpecError
from farm.library import hash_file
from farm.library.formats import check_hdr, check_model, hdr_suffix, read_head
from farm.spec.asset import AssetFile
from scraper.asset import Include, RemoteFile
from scraper.catalog import WORK_FOLDER, Catalog, CatalogEntry, file_id, provenance_of
from scraper.choosing.plan import Item
from scraper.errors import ItemError, SiteRefusedError, SourceError
from scraper.fetching.fetch import Wanted, discard, fetch, hash_md5
from scraper.fetching.http_client import Clock, PoliteClient
from scraper.fetching.unpack import main_blend, safe_path, unpack
from scraper.sources.base import Source

SILENT_FAILURES = 3
"""Assets in a row without an answer from the site that end a download."""


class FolderError(FarmError):
    """The folder of downloads cannot be written; nothing else can be fetched."""


@dataclass(frozen=True)
class DownloadOutcome:
    """What became of one item."""

    item: Item
    state: Literal["fetched", "failed", "not tried"]
    entry: CatalogEntry | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Downloader:
    """Fetches assets into a catalog."""

    catalog: Catalog
    client: PoliteClient
    sources: Callable[[str], Source]
    """Gives a source by name."""
    clock: Clock
    file_limit_bytes: int | None = None

    def run(
        self, items: list[Item], report: Callable[[Item, int], None]
    ) -> Iterator[DownloadOutcome]:
        """Fetch `items` one after the other and yield what became of each.

        A refused key, a full quota or a full disk ends it: the rest is `not tried`.
        """
        silent, stop = 0, ""
        for item in items:
            if stop:
                yield DownloadOutcome(item, "not tried", sentence=stop)
                continue
            try:
                entry = self.fetch(item, partial(report, item))
            except (SiteRefusedError, FolderError, SpecError) as error:
                stop = str(error)
                yield DownloadOutcome(item, "failed", sentence=stop)
            except SourceError as error:
                silent += 1
                stop = str(error) if silent >= SILENT_FAILURES else ""
                yield DownloadOutcome(item, "failed", sentence=str(error))
            except ItemError as error:
                yield DownloadOutcome(item, "failed", sentence=_named(item, error))
            else:
                silent = 0
                yield DownloadOutcome(item, "fetched", entry)

    def fetch(self, item: Item, report: Callable[[int], None]) -> CatalogEntry:
        """Bring one asset into its place.

        Raises:
            ItemError: It is not to be had, or is not what it should be.
            SourceError: Its site is away.
            SiteRefusedError: Its site refuses us.
            FolderError: The folder cannot be written.
        """
        try:
            return self._fetch(item, report)
        except OSError as error:
            place = error.filename or self.catalog.root
            raise FolderError(f"{place}: cannot be written: {error.strerror or error}") from error

    def _fetch(self, item: Item, report: Callable[[int], None]) -> CatalogEntry:
        asset, file = item.asset, item.file
        alone = not file.includes and file.file_type != "zip_file"
        folder = self.catalog.folder(asset.asset_type, asset.asset_base_id, alone=alone)
        part = folder / f"{asset.asset_base_id}.part"
        self._bring(item, file, part, report)
        includes = self._includes(item, folder, report)
        if file.file_type == "zip_file":
            part, includes = self._unpack(item, part, folder)
        path = folder / f"{asset.asset_base_id}{self._suffix(item, part)}"
        if other := self.catalog.stranger(path, asset):
            raise ItemError(f"{asset.name}: {path} is {other}; move it away first")
        known = provenance_of(
            asset,
            file,
            sha256=hash_file(part),
            size_bytes=part.stat().st_size,
            fetched=datetime.fromtimestamp(self.clock.now_s(), UTC),
        ).model_copy(update={"includes": includes})
        self.catalog.record(path, known)  # first: a file without its licence must never be there
        part.replace(path)
        discard(part)
        self.catalog.forget_others(asset, path)
        return CatalogEntry(path, known)

    def _bring(
        self, item: Item, file: RemoteFile, part: Path, report: Callable[[int], None]
    ) -> None:
        url = file.download_url
        if not url:
            raise ItemError(f"{item.asset.name}: has no download address")
        source = self.sources(item.asset.source)
        wanted = Wanted(
            name=item.asset.name,
            identity=f"{item.asset.id} {file.file_type} {file_id(file)}",
            size_bytes=file.size_bytes,
            md5=file.md5,
            limit_bytes=self.file_limit_bytes,
        )
        fetch(self.client, lambda: source.link(url), part, wanted, report)

    def _includes(
        self, item: Item, folder: Path, report: Callable[[int], None]
    ) -> tuple[AssetFile, ...]:
        """Bring the files that must lie beside the main one, each inside the asset's folder."""
        done_bytes, brought = item.file.size_bytes or 0, []
        for include in item.file.includes:
            path = inside(folder, include.path)
            if not is_there(path, include):
                self._bring_include(item, include, path, after(done_bytes, report))
            brought.append(asset_file(path, folder))
            done_bytes += brought[-1].size_bytes
        return tuple(brought)

    def _bring_include(
        self, item: Item, include: Include, path: Path, report: Callable[[int], None]
    ) -> None:
        part = path.with_name(f"{path.name}.part")
        wanted = Wanted(
            name=f"{item.asset.name}: {include.path}",
            identity=str(include.md5),
            size_bytes=include.size_bytes,
            md5=include.md5,
            limit_bytes=self.file_limit_bytes,
        )
        fetch(self.client, lambda: include.url, part, wanted, report)
        part.replace(path)
        discard(part)

    def _suffix(self, item: Item, part: Path) -> str:
        """Return what the file's name must end in; its bytes say so, not the source."""
        head = read_head(part)
        try:
            if item.asset.asset_type == "hdr":
                check_hdr(part, head)
                return hdr_suffix(head) or ".exr"
            suffix = ".blend" if item.file.file_type == "zip_file" else item.file.suffix or ".blend"
            check_model(part, head, suffix)
        except AssetError as error:
            discard(part)
            raise ItemError(f"{item.asset.name}: {error.reason}") from None
        return suffix

    def _unpack(
        self, item: Item, archive: Path, folder: Path
    ) -> tuple[Path, tuple[AssetFile, ...]]:
        """Unpack `archive` into `folder`; return its model as a partial file, and all else."""
        place = self.catalog.root / WORK_FOLDER
        try:
            model = main_blend(files := unpack(archive, place), place)
        except ItemError as error:
            discard(archive)
            raise ItemError(f"{item.asset.name}: {error}") from None
        includes = []
        for path in files:
            if path != model and path.is_relative_to(model.parent):
                target = inside(folder, path.relative_to(model.parent).as_posix())
                path.replace(target)
                includes.append(asset_file(target, folder))
        discard(archive)
        model.replace(archive)
        shutil.rmtree(place, ignore_errors=True)
        return archive, tuple(includes)


def _named(item: Item, error: ItemError) -> str:
    """Return what went wrong, with the asset's name in it."""
    name = item.asset.name
    return str(error) if name in str(error) else f"{name}: {error}"


def asset_file(path: Path, folder: Path) -> AssetFile:
    """Describe a file that lies in or under `folder`."""
    return AssetFile(
        path=path.relative_to(folder).as_posix(),
        sha256=hash_file(path),
        size_bytes=path.stat().st_size,
    )


def after(done_bytes: int, report: Callable[[int], None]) -> Callable[[int], None]:
    """Return what reports the bytes of a file that comes after `done_bytes` of others."""
    return lambda size: report(done_bytes + size)


def inside(folder: Path, name: str) -> Path:
    """Return where an include lies, with its folder made.

    Raises:
        ItemError: It would lie outside of `folder`, or on what is there for other reasons.
    """
    path = folder / safe_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.parent == folder and path.name.startswith(f"{folder.name}.")
    if own or not path.parent.resolve().is_relative_to(folder.resolve()):
        raise ItemError(f"a path that leads out of its folder: {name!r:.120}")
    return path


def is_there(path: Path, include: Include) -> bool:
    """Say whether an include is there and whole; without an MD5 nobody can tell."""
    if include.md5 is None:
        return False
    with contextlib.suppress(OSError):
        return hash_md5(path) == include.md5.lower()
    return False
