"""Whatever a site of assets answers: assets, or a sentence, and nothing outside the folder."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import FarmError
from scraper.asset import RemoteAsset
from scraper.catalog import Catalog
from scraper.choosing.plan import Planner
from scraper.download import Downloader
from scraper.fetching.http_client import PoliteClient
from scraper.sources.base import Query
from scraper.sources.blenderkit import BlenderKit
from scraper.sources.polyhaven import PolyHaven
from tests.fuzz.effort import fuzz
from tests.fuzz.strange import bent, words
from tests.support.asset_bytes import a_blend
from tests.support.sites import Answer, Request, Site


class StrangeSite(Site):
    """Answers every request with what it is told to; `{site}` in it is its own address."""

    def __init__(self) -> None:
        super().__init__()
        self.said = Answer()

    def answer(self, request: Request) -> Answer:
        return self.said

    def say(self, data: object) -> None:
        text = json.dumps(data).replace("{site}", self.address)
        self.said = Answer(200, text.encode(), {"Content-Type": "application/json"})


class QuickClock:
    """Time that passes only by sleeping."""

    now = 1_795_000_000.0

    def now_s(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="module")
def site() -> Iterator[StrangeSite]:
    strange = StrangeSite()
    with strange.running():
        yield strange


@pytest.fixture(scope="module")
def client() -> Iterator[PoliteClient]:
    with httpx.Client(trust_env=False, timeout=20) as http:
        yield PoliteClient(
            http, user_agent="test", clock=QuickClock(), note=lambda _: None, spacing_s=0
        )


FOUND = {
    "next": "{site}/api/v1/search/?page=2",
    "results": [{
        "id": "v1", "assetBaseId": "abc", "versionNumber": 1, "name": "Chair", "assetType": "model",
        "author": {"firstName": "Ada", "fullName": "Ada Love"}, "tags": ["x"], "license": "cc0",
        "isFree": True, "canDownload": True, "parameters": [{"parameterType": "x", "value": 1}],
        "files": [{"fileType": "blend", "downloadUrl": "{site}/d/", "fileUploadSize": 5000}],
    }],
}  # fmt: skip
LISTED = {
    "chair": {"name": "Chair", "type": 2, "download_count": 5, "files_hash": "x", "polycount": 9,
              "authors": {"Ada": "All"}, "categories": ["seat"], "tags": ["wood"]},
}  # fmt: skip
FILES = {"blend": {"1k": {"blend": {
    "url": "{site}/x.blend", "size": 5000, "md5": "x" * 32,
    "include": {"textures/a.png": {"url": "{site}/a.png", "size": 5, "md5": "x" * 32}},
}}}}  # fmt: skip


@fuzz(2)
@given(
    found=bent(FOUND, times=2),
    polyhaven=bent(LISTED, times=2),
    kind=st.sampled_from(["model", "hdr"]),
)
def test_what_a_search_finds_is_assets_or_a_sentence(site, client, found, polyhaven, kind):
    blenderkit = BlenderKit(client, server=site.address, key="", scene_uuid=str, note=str)
    for source, answer in (
        (blenderkit, found),
        (PolyHaven(client, server=site.address), polyhaven),
    ):
        site.say(answer)
        with contextlib.suppress(FarmError):
            for asset in source.search(Query(kind=kind, words="")):
                assert asset.model_dump_json()


@fuzz(2)
@given(
    files=bent(FILES, times=2),
    link=bent({"filePath": "{site}/x"}) | words.map(lambda url: {"filePath": url}),
)
def test_files_and_links_are_such_or_a_sentence(site, client, files, link):
    site.say(files)
    polyhaven = PolyHaven(client, server=site.address)
    with contextlib.suppress(FarmError):
        assert polyhaven.complete(a_chair("polyhaven")).model_dump_json()

    site.say(link)
    blenderkit = BlenderKit(client, server=site.address, key="", scene_uuid=str, note=str)
    with contextlib.suppress(FarmError):
        assert isinstance(blenderkit.link(f"{site.address}/d/"), str)


@fuzz(2)
@given(files=bent(FILES, times=2))
def test_a_download_stays_in_its_folder(tmp_path_factory, site, client, files):
    folder = tmp_path_factory.getbasetemp() / "downloads" / "inside"
    folder.mkdir(parents=True, exist_ok=True)
    polyhaven, catalog = PolyHaven(client, server=site.address), Catalog(folder)
    site.say(files)
    plan = Planner(catalog, polyhaven.complete).plan([a_chair("polyhaven")])
    site.said = Answer(200, a_blend(padding=4988), {})
    downloader = Downloader(catalog, client, lambda name: polyhaven, QuickClock())

    for outcome in downloader.run(plan.items, lambda item, count: None):
        assert outcome.state == "fetched" or outcome.sentence

    assert {path.name for path in folder.parent.iterdir()} <= {"inside"}


@fuzz(1)
@given(
    location=st.sampled_from(
        [
            "/again",
            "http://[",
            "//",
            "ftp://x",
            "file:///etc/passwd",
            "\\\\x",
            "http://example.org/",
            "https://x:99999/",
            "http://127.0.0.1:0/",
        ]
    )
    | words
)
def test_wherever_a_site_sends_us_it_ends_in_a_sentence(site, client, location):
    target = "".join(char for char in location if char.isprintable() and ord(char) < 256)
    site.said = Answer(302, b"", {"Location": target})

    with pytest.raises(FarmError):
        client.get_json(site.address)


def a_chair(source: str) -> RemoteAsset:
    return RemoteAsset(source=source, asset_base_id="chair", name="Chair", asset_type="model")
