"""BlenderKit, which calls itself Blendkit since 2026: models and HDRIs, free ones without a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import ValidationError

from farm.spec.asset import AssetKind
from scraper.asset import RemoteAsset
from scraper.errors import ItemError, SiteRefusedError, SourceError
from scraper.fetching.http_client import (
    AnswerError,
    ApiKey,
    Note,
    PoliteClient,
    bare,
    joined,
    origin,
)
from scraper.sources.base import Query, listed

KEY_VARIABLE = "BLENDERKIT_API_KEY"
KEY_HOSTS = ("www.blendkit.com", "blendkit.com", "api.blendkit.com",
             "www.blenderkit.com", "blenderkit.com", "api.blenderkit.com")  # fmt: skip
PAGE_SIZE = 100
MAX_WORDS = 150
PAGE = "https://www.blendkit.com/asset-gallery-detail/{id}/"


class BlenderKit:
    """The vendor's search and download API."""

    name = "blenderkit"
    credit: str | None = None

    def __init__(
        self,
        client: PoliteClient,
        *,
        server: str,
        key: str,
        scene_uuid: Callable[[], str],
        note: Note,
    ) -> None:
        """Make the source.

        Args:
            client: Sends the requests.
            server: Address of the service.
            key: The user's, or nothing.
            scene_uuid: Gives one id for all downloads of a project: the service pays creators by
                the scenes that use them, so it must not be drawn anew for each file.
            note: Takes a sentence for the user.
        """
        self._client = client
        self._server = server.rstrip("/")
        origins = {f"https://{host}" for host in KEY_HOSTS} | {origin(self._server)}
        self._key = ApiKey(KEY_VARIABLE, key, frozenset(origins))
        self._scene_uuid = scene_uuid
        self._note = note

    def search(self, query: Query) -> Iterator[RemoteAsset]:
        url: str | None = f"{self._server}/api/v1/search/?{_question(query)}"
        asked: set[str] = set()
        while url and url not in asked:
            asked.add(url)
            page = self._page(url, first=len(asked) == 1)
            rows = page.get("results") if isinstance(page, dict) else None
            if not isinstance(rows, list):
                raise SourceError(f"{bare(url)} lists no results; is {self._server} BlenderKit?")
            for row in rows:
                asset = self._read(row, query.kind)
                if asset and asset.files and query.license in (None, asset.license):
                    yield asset
            url = self._next(page.get("next"))

    def complete(self, asset: RemoteAsset) -> RemoteAsset:
        """Ask for an asset that is known by its id alone."""
        if asset.files:
            return asset
        query = urlencode({"query": f"asset_base_id:{asset.asset_base_id}", "dict_parameters": 1})
        page = self._client.get_json(f"{self._server}/api/v1/search/?{query}", key=self._key)
        rows = page.get("results") if isinstance(page, dict) else None
        for row in rows if isinstance(rows, list) else []:
            found = self._read(row, asset.asset_type)
            if found and found.key == asset.key:
                return found
        raise ItemError(f"{asset.name} is no longer at BlenderKit")

    def link(self, url: str) -> str:
        try:
            query = urlencode({"scene_uuid": self._scene_uuid()})
            joint = "&" if "?" in url else "?"
            data = self._client.get_json(f"{url}{joint}{query}", key=self._key)
        except AnswerError as error:
            if "limit of" in error.detail.lower():  # "Limit of models exceeded. The limit is ..."
                raise SiteRefusedError(f"BlenderKit gives no more files: {error.detail}") from None
            if error.status in (402, 403, 404, 410):
                raise ItemError(f"BlenderKit gives no file: {error.detail or error}") from None
            raise
        path = data.get("filePath") if isinstance(data, dict) else None
        if not isinstance(path, str) or not path:
            raise ItemError(f"{bare(url)} names no file")
        return path

    def _page(self, url: str, *, first: bool) -> Any:
        try:
            return self._client.get_json(url, key=self._key)
        except AnswerError as error:
            if error.status == 404 and not first:  # past the last page
                return {"results": [], "next": None}
            if error.status < 500 or "dict_parameters=1" not in url:
                raise
            # one bad asset spoils a page of this form; the other form has it
            return self._client.get_json(url.replace("dict_parameters=1", ""), key=self._key)

    def _next(self, url: object) -> str | None:
        """Return the next page on our own server, whatever name the answer gave it."""
        if not isinstance(url, str) or not url:
            return None
        parts = urlsplit(joined(f"{self._server}/", url))
        return f"{self._server}{parts.path}?{parts.query}"

    def _read(self, row: object, kind: AssetKind) -> RemoteAsset | None:
        """Return an asset of the search's answer; None for what cannot be one."""
        if not isinstance(row, dict) or row.get("assetType") != kind:
            return None  # authors come along with models
        try:
            return read_asset(row)
        except ValidationError as error:
            self._note(f"BlenderKit: {row.get('name')!r:.80} is skipped: {_first(error)}")
            return None


def _question(query: Query) -> str:
    """Return the query string of a search: words, then `key:value` filters, then the order."""
    words = " ".join(query.words.split())
    if len(words) > MAX_WORDS:
        words = words[: MAX_WORDS + 1].rpartition(" ")[0] or words[:MAX_WORDS]
    filters = [f"asset_type:{query.kind}", "is_free:true"]
    if query.license:
        filters.append(f"license:{query.license}")
    filters.append("order:_score" if words else "order:-last_blend_upload")
    words = " ".join(filter(None, [words, *filters]))
    return urlencode({"query": words, "dict_parameters": 1, "page_size": PAGE_SIZE})


def read_asset(row: dict[str, Any]) -> RemoteAsset:
    """Read one result of a search.

    Raises:
        ValidationError: It lacks what every asset has.
    """
    facts = _parameters(row)
    author = row.get("author")
    names = author if isinstance(author, dict) else {}
    full_name = names.get("fullName") or f"{names.get('firstName', '')} {names.get('lastName', '')}"
    files = [file for file in listed(row.get("files")) if isinstance(file, dict)]
    known = {
        "source": "blenderkit",
        "name": row.get("displayName") or row.get("name"),
        "author": str(full_name).strip() or None,
        "page": PAGE.format(id=row.get("assetBaseId")),
        "tags": [tag for tag in listed(row.get("tags")) if isinstance(tag, str)],
        "faceCount": facts.get("faceCount"),
        "trueHdr": facts.get("trueHDR") if isinstance(facts.get("trueHDR"), bool) else None,
        "isFree": row.get("isFree") is True,
        "canDownload": row.get("canDownload") is True,
        "files": [file for file in files if not file.get("isThumbnail")],
    }
    return RemoteAsset.model_validate(row | known)


def _parameters(row: dict[str, Any]) -> dict[str, Any]:
    facts = row.get("dictParameters")
    if isinstance(facts, dict):
        return facts
    rows = [fact for fact in listed(row.get("parameters")) if isinstance(fact, dict)]
    return {str(fact.get("parameterType")): fact.get("value") for fact in rows}


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
