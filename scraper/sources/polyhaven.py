"""Poly Haven: models and HDRIs under CC0, without a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from farm.errors import SpecError
from farm.spec.asset import AssetKind
from scraper.asset import Include, RemoteAsset, RemoteFile
from scraper.errors import ItemError, SourceError
from scraper.fetching.http_client import AnswerError, PoliteClient, bare
from scraper.sources.base import Query, listed

TYPES: dict[AssetKind, str] = {"model": "models", "hdr": "hdris"}
FORMATS: dict[AssetKind, tuple[str, ...]] = {"model": ("blend",), "hdr": ("exr", "hdr")}
LICENCE = "cc_zero"
PAGE = "https://polyhaven.com/a/{id}"


class PolyHaven:
    """The public API."""

    name = "polyhaven"
    credit: str | None = "Powered by Poly Haven (polyhaven.com): assets under CC0"

    def __init__(self, client: PoliteClient, *, server: str) -> None:
        self._client = client
        self._server = server.rstrip("/")

    def search(self, query: Query) -> Iterator[RemoteAsset]:
        if query.license not in (None, LICENCE):
            raise SpecError(
                f"license: everything on Poly Haven is {LICENCE}, nothing is {query.license}"
            )
        url = f"{self._server}/assets?type={TYPES[query.kind]}"
        answer = self._client.get_json(url)
        if not isinstance(answer, dict):
            raise SourceError(f"{bare(url)} lists no assets; is {self._server} Poly Haven?")
        rows = [(slug, row) for slug, row in answer.items() if isinstance(row, dict)]
        words = query.words.lower().split()
        # the answer is sorted by name and never cut: what is liked best comes first here
        for slug, row in sorted(rows, key=lambda item: -_count(item[1].get("download_count"))):
            if all(word in _text_of(slug, row) for word in words) and (
                asset := _read(slug, row, query.kind)
            ):
                yield asset

    def complete(self, asset: RemoteAsset) -> RemoteAsset:
        if asset.files:
            return asset
        url = f"{self._server}/files/{asset.asset_base_id}"
        try:
            answer = self._client.get_json(url)
        except AnswerError as error:
            if error.status in (400, 404):
                raise ItemError(f"{asset.name} is no longer at Poly Haven") from None
            raise
        try:
            files = tuple(_files(answer, asset.asset_type))
        except ValidationError:
            raise ItemError(f"{asset.name}: Poly Haven's list of its files is damaged") from None
        return asset.model_copy(update={"files": files})

    def link(self, url: str) -> str:
        return url


def _count(value: object) -> float:
    return value if isinstance(value, int | float) else 0


def _text_of(slug: str, row: dict[str, Any]) -> str:
    words = [slug, str(row.get("name", "")), *map(str, listed(row.get("tags")))]
    return " ".join([*words, *map(str, listed(row.get("categories")))]).lower()


def _read(slug: str, row: dict[str, Any], kind: AssetKind) -> RemoteAsset | None:
    """Return an asset without its files; None for what is none."""
    authors = row.get("authors")
    categories = listed(row.get("categories"))
    try:
        return RemoteAsset.model_validate(
            {
                "source": "polyhaven",
                "assetBaseId": slug,
                "id": row.get("files_hash"),
                "name": row.get("name") or slug,
                "assetType": kind,
                "author": ", ".join(authors) if isinstance(authors, dict) and authors else None,
                "license": LICENCE,
                "page": PAGE.format(id=slug),
                "category": str(categories[0]) if categories else None,
                "tags": [str(word) for word in [*listed(row.get("tags")), *categories]],
                "faceCount": row.get("polycount"),
                "isFree": True,
                "canDownload": True,
            }
        )
    except ValidationError:
        return None


def _files(answer: Any, kind: AssetKind) -> Iterator[RemoteFile]:
    """Yield the variants in `/files/<id>`: {"hdri" or "blend": {"2k": {format: file}}}."""
    variants = answer.get("hdri" if kind == "hdr" else "blend") if isinstance(answer, dict) else {}
    for resolution, formats in variants.items() if isinstance(variants, dict) else ():
        for suffix in FORMATS[kind]:
            file = formats.get(suffix) if isinstance(formats, dict) else None
            if isinstance(file, dict):
                yield _file(f"resolution_{resolution.upper()}", suffix, file)


def _file(file_type: str, suffix: str, file: dict[str, Any]) -> RemoteFile:
    includes = file.get("include")
    return RemoteFile(
        file_type=file_type,
        download_url=file.get("url"),
        filename=re.sub(r"[?#].*|.*/", "", str(file.get("url", ""))) or f"file.{suffix}",
        size_bytes=file.get("size"),
        md5=file.get("md5"),
        includes=tuple(
            Include(path=path, url=one["url"], size_bytes=one.get("size"), md5=one.get("md5"))
            for path, one in (includes if isinstance(includes, dict) else {}).items()
            if isinstance(one, dict) and "url" in one
        ),
    )
