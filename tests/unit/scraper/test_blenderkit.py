"""`farm assets` against BlenderKit, from the search to the files."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.support.asset_bytes import a_blend, a_jpeg, a_radiance, an_exr
from tests.support.sites import FakeBlenderKit, html


def a_model(site: FakeBlenderKit, name: str = "Chair", **facts: object) -> dict:
    """An asset as the service lists it: original, variants, a glTF, a thumbnail."""
    return site.add(
        name,
        {
            "blend": (".blend", a_blend(1, 50_000)),
            "gltf": (".glb", b"glTF" + bytes(400)),
            "resolution_1K": (".blend", a_blend(2, 10_000)),
            "resolution_2K": (".blend", a_blend(3, 20_000)),
            "thumbnail": (".jpg", a_jpeg(30_000)),
        },
        **facts,
    )


def an_hdr(site: FakeBlenderKit, name: str = "Snooker room", **facts: object) -> dict:
    return site.add(
        name,
        {
            "blend": (".hdr", a_radiance(padding=90_000)),
            "resolution_1K": (".exr", an_exr(1024, 512)),
            "resolution_2K": (".exr", an_exr(2048, 1024, 8000)),
            "thumbnail": (".jpg", a_jpeg(30_000)),
        },
        kind="hdr",
        **facts,
    )


def test_a_search_shows_what_is_free_with_the_size_of_its_file(assets, blenderkit):
    a_model(blenderkit, license="cc_zero")
    anonymous = {"messages": ["User is anonymous"], "type": "anonymous_user"}
    paid = {"isFree": False, "access": "full", "canDownload": False, "canDownloadError": anonymous}
    a_model(blenderkit, "Throne", **paid)
    a_model(blenderkit, "Locked", canDownload=False, canDownloadError=False)

    done = assets("search", "--query", "chair", "--type", "model", "--limit", 50)

    assert done.code == 0, done.stderr
    assert "Chair" in done.stdout
    assert "50.0 kB" in done.stdout
    assert "Throne" not in done.stdout
    assert "Locked" not in done.stdout
    asked = blenderkit.asked("/api/v1/search/")[0].query
    assert asked["query"] == "chair asset_type:model is_free:true order:_score"
    assert int(asked["page_size"]) <= 100


def test_a_scrape_follows_the_pages_and_lists_each_asset_once(assets, blenderkit):
    for number in range(7):
        an_hdr(blenderkit, f"Sky {number}")
    an_hdr(blenderkit, "Sky 3")  # the service shows an asset twice while it is sorted anew
    blenderkit.rows.append({"id": 1826089, "assetType": "author", "name": "Ada"})
    blenderkit.rows.append({"assetType": "hdr", "name": "Broken", "assetBaseId": "../../etc"})
    blenderkit.most_per_page = 3

    done = assets("scrape", "--type", "hdr", "-o", "hdrs.json")

    assert done.code == 0, done.stderr
    names = [row["name"] for row in json.loads((assets.folder / "hdrs.json").read_text())]
    assert names == [f"Sky {number}" for number in range(7)]
    assert "'Broken' is skipped" in done.stderr
    assert [r.query.get("page") for r in blenderkit.requests] == [None, "2", "3"]


def test_a_limit_spares_the_service_further_pages(assets, blenderkit):
    for number in range(7):
        an_hdr(blenderkit, f"Sky {number}")
    blenderkit.most_per_page = 3

    assets("scrape", "--type", "hdr", "--limit", 2, "-o", "hdrs.json")

    assert len(blenderkit.requests) == 1


def test_the_end_may_be_a_page_that_is_not_there(assets, blenderkit):
    an_hdr(blenderkit)
    blenderkit.faults["/api/v1/search/"].append(_page(blenderkit, next_page=2))

    assert assets("scrape", "--type", "hdr", "-o", "hdrs.json").code == 0


def test_a_page_that_one_bad_asset_spoils_is_asked_for_in_another_form(assets, blenderkit):
    an_hdr(blenderkit)
    blenderkit.faults["/api/v1/search/"].extend(html(500) for _ in range(4))

    done = assets("scrape", "--type", "hdr", "-o", "hdrs.json")

    assert done.code == 0, done.stderr
    assert "dict_parameters" not in blenderkit.requests[-1].query


def test_a_download_has_the_names_bytes_and_sidecars_that_are_promised(assets, blenderkit):
    chair, sky = a_model(blenderkit, license="cc_zero"), an_hdr(blenderkit)
    assets("scrape", "-o", "models.json")
    assets("scrape", "--type", "hdr", "-o", "hdrs.json")

    done = assets("download", "models.json", "hdrs.json", "-o", "downloads", "--yes")

    assert done.code == 0, done.stderr
    blend, exr = f"model/{chair['assetBaseId']}.blend", f"hdr/{sky['assetBaseId']}.exr"
    assert assets.files() == {blend, f"{blend}.json", exr, f"{exr}.json"}
    data = (assets.downloads / blend).read_bytes()
    assert data == a_blend(1, 50_000)
    assert (assets.downloads / exr).read_bytes() == an_exr(2048, 1024, 8000)
    sidecar = json.loads((assets.downloads / f"{blend}.json").read_text())
    assert sidecar | {"fetched": "", "file_id": ""} == {
        "name": "Chair", "author": "Ada Love", "licence": "cc_zero", "source": "blenderkit",
        "source_id": chair["assetBaseId"], "version": chair["id"], "fetched": "",
        "url": f"https://www.blendkit.com/asset-gallery-detail/{chair['assetBaseId']}/",
        "kind": "model", "file_type": "blend", "file_id": "", "category": "table",
        "tags": ["table", "chair"], "face_count": 20384, "includes": [],
        "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data),
    }  # fmt: skip


def test_what_is_there_and_whole_is_not_fetched_again(assets, blenderkit):
    a_model(blenderkit)
    assets("scrape", "-o", "models.json")
    assets("download", "models.json", "--yes")
    blenderkit.requests.clear()

    done = assets("download", "models.json", "--yes")

    assert done.code == 0
    assert "0 fetched (0 bytes), 1 were there" in done.stderr
    assert blenderkit.requests == []


@pytest.mark.parametrize("harm", [b"", b"BLENDER-v300", a_blend(9, 50_000)])
def test_a_broken_local_file_is_found_and_fetched_again(assets, blenderkit, harm):
    chair = a_model(blenderkit)
    assets("scrape", "-o", "models.json")
    assets("download", "models.json", "--yes")
    path = assets.downloads / "model" / f"{chair['assetBaseId']}.blend"
    path.write_bytes(harm)

    listed = assets("list", "downloads", "--check")
    done = assets("download", "models.json", "--yes")

    assert listed.code == 3
    assert done.code == 0
    assert path.read_bytes() == a_blend(1, 50_000)
    assert assets("list", "downloads", "--check").code == 0


def test_what_an_older_tool_fetched_is_taken_over_if_it_is_whole(assets, blenderkit):
    chair, table = a_model(blenderkit), a_model(blenderkit, "Table")
    assets("scrape", "-o", "models.json")
    folder = assets.downloads / "model"
    folder.mkdir(parents=True)
    (folder / f"{chair['assetBaseId']}.blend").write_bytes(a_blend(1, 50_000))
    (folder / f"{table['assetBaseId']}.blend").write_bytes(a_blend(1, 20_000))

    done = assets("download", "models.json", "--yes", "--json")

    assert [path.rpartition("/")[2] for path in done.json["there"]] == [
        f"{chair['assetBaseId']}.blend"
    ]
    assert len(done.json["fetched"]) == 1
    assert len(assets("list", "--json").json) == 2


def test_lists_of_the_older_tool_are_read(assets, blenderkit):
    chair = a_model(blenderkit)
    kept = ("assetBaseId", "name", "assetType", "filesSize", "isFree", "canDownload")
    row = {key: chair[key] for key in kept} | {
        "files": [{key: f[key] for key in ("fileType", "downloadUrl")} for f in chair["files"]]
    }
    (assets.folder / "old.json").write_text(json.dumps([row | {"filesSize": None}]))

    done = assets("download", "--input", "old.json", "--output", "downloads", "-m", 5000, "-y")

    assert done.code == 0, done.stderr
    path = assets.downloads / "model" / f"{chair['assetBaseId']}.blend"
    assert path.read_bytes() == a_blend(1, 50_000)


def test_a_new_version_replaces_the_old_one(assets, blenderkit):
    sky = an_hdr(blenderkit)
    assets("scrape", "--type", "hdr", "-o", "old.json")
    assets("download", "old.json", "--yes")
    blenderkit.rows.clear()
    blenderkit.add(sky["name"], {"blend": (".hdr", a_radiance())}, kind="hdr", versionNumber=2)
    assets("scrape", "--type", "hdr", "-o", "new.json")

    done = assets("download", "old.json", "new.json", "--yes")

    assert done.code == 0, done.stderr
    name = f"hdr/{sky['assetBaseId']}.hdr"
    assert assets.files() == {name, f"{name}.json"}


@pytest.mark.parametrize(
    ("resolution", "file_type"),
    [("1k", "resolution_1K"), ("4K", "resolution_2K"), ("0.5K", "resolution_1K"),
     ("original", "blend")],
)  # fmt: skip
def test_the_resolution_picks_the_variant(assets, blenderkit, resolution, file_type):
    chair = a_model(blenderkit)
    assets("scrape", "-o", "models.json")

    plan = assets("download", "models.json", "--resolution", resolution, "--dry-run", "--json").json

    size = next(f["fileUploadSize"] for f in chair["files"] if f["fileType"] == file_type)
    assert [(item["fileType"], item["bytes"]) for item in plan["fetch"]] == [(file_type, size)]
    assert not assets.downloads.exists()


def test_an_hdri_is_named_by_its_bytes(assets, blenderkit):
    """The original of an HDRI is often Radiance, whatever its variants are."""
    sky = blenderkit.add("Old", {"blend": (".exr", a_radiance())}, kind="hdr")
    assets("scrape", "--type", "hdr", "-o", "hdrs.json")

    assert assets("download", "hdrs.json", "--yes").code == 0
    assert (assets.downloads / "hdr" / f"{sky['assetBaseId']}.hdr").is_file()


def test_a_thumbnail_is_never_taken_for_an_hdri(assets, blenderkit):
    an_hdr(blenderkit, "Good")
    poser = {"resolution_2K": (".exr", a_jpeg()), "thumbnail": (".jpg", a_jpeg(9000))}
    blenderkit.add("Poser", poser, kind="hdr")
    blenderkit.add("Flat", {"resolution_2K": (".exr", an_exr())}, kind="hdr",
                   dictParameters={"trueHDR": False})  # fmt: skip
    blenderkit.add("Bare", {"thumbnail": (".jpg", a_jpeg())}, kind="hdr")
    blenderkit.add("Cut", {"resolution_2K": (".exr", an_exr()[:20])}, kind="hdr")
    assets("scrape", "--type", "hdr", "-o", "hdrs.json")

    done = assets("download", "hdrs.json", "--yes")

    assert done.code == 1
    assert "Poser: not an HDR environment: it is a JPEG picture" in done.stderr
    assert "Cut: its header is damaged" in done.stderr
    assert len(assets.files()) == 2
    listed = {row["name"] for row in json.loads((assets.folder / "hdrs.json").read_text())}
    assert listed == {"Good", "Poser", "Cut"}


def test_max_size_is_of_the_chosen_files_of_the_run(assets, blenderkit):
    a_model(blenderkit)
    an_hdr(blenderkit)
    blenderkit.add("Small", {"blend": (".blend", a_blend(4, 9_000))})
    assets("scrape", "-o", "models.json")

    done = assets("download", "models.json", "--max-size", 0.055, "--yes", "--json")
    assert len(done.json["fetched"]) == 1
    assert done.json["leftOut"][0]["reason"] == "over --max-size"

    lone = assets("download", "models.json", "--max-file-size", 0.01, "--dry-run", "--json").json
    assert [item["name"] for item in lone["fetch"]] == ["Small"]


def test_rules_choose_by_tag_category_faces_and_size(assets, blenderkit):
    a_model(blenderkit)
    a_model(blenderkit, "Robot", tags=["character"], category="people",
            dictParameters={"faceCount": "900000"})  # fmt: skip
    a_model(blenderkit, "Vague", dictParameters={})

    def names(*rules: str) -> set[str]:
        return {row["name"] for row in assets("search", *rules, "--json").json}

    assert names() == {"Chair", "Robot", "Vague"}
    assert names("--exclude", "tag:character,weapon") == {"Chair", "Vague"}
    assert names("--include", "category:table") == {"Chair", "Vague"}
    assert names("--include", "faces<200k") == {"Chair"}
    assert names("--exclude", "faces>=200k") == {"Chair", "Vague"}
    assert names("--include", "size<0.04") == set()
    assert names("--include", "size<0.04", "--resolution", "2K") == {"Chair", "Robot", "Vague"}


def test_a_licence_is_asked_for_and_looked_at(assets, blenderkit):
    a_model(blenderkit, license="cc_zero")
    a_model(blenderkit, "Other")
    assets("scrape", "-o", "all.json")

    found = assets("search", "--license", "cc_zero", "--json").json
    plan = assets("download", "all.json", "--license", "cc_zero", "--dry-run", "--json").json

    assert [row["name"] for row in found] == ["Chair"]
    assert "license:cc_zero" in blenderkit.requests[-1].query["query"]
    assert [item["name"] for item in plan["fetch"]] == ["Chair"]
    assert plan["leftOut"][0]["reason"] == "licence is royalty_free"


def test_all_files_of_a_project_are_one_scene(assets, blenderkit):
    """The service pays creators by scene, so the id outlives the command."""
    a_model(blenderkit)
    an_hdr(blenderkit)
    assets("scrape", "-o", "models.json")
    assets("scrape", "--type", "hdr", "-o", "hdrs.json")

    assets("download", "models.json", "--yes")
    assets("download", "hdrs.json", "--yes")

    scenes = {request.query["scene_uuid"] for request in blenderkit.asked("/api/v1/downloads/")}
    assert len(blenderkit.asked("/api/v1/downloads/")) == 2
    assert len(scenes) == 1


def test_info_counts_what_a_list_holds(assets, blenderkit):
    a_model(blenderkit)
    a_model(blenderkit, "Table", license="cc_zero")
    assets("scrape", "-o", "models.json")

    told = assets("info", "models.json").stdout
    counted = assets("info", "models.json", "--resolution", "2K", "--json").json

    assert "1 royalty_free, 1 cc_zero" in told
    assert "100.0 kB" in told
    assert counted["download_bytes"] == 2 * (20_000 + 12)


def _page(site: FakeBlenderKit, next_page: int):
    from tests.support.sites import as_json

    url = f"{site.address}/api/v1/search/?page={next_page}&page_size=100&query=asset_type%3Ahdr"
    return as_json({"count": 9, "next": url, "previous": None, "results": site.rows})


def test_what_belongs_to_somebody_else_is_not_overwritten(assets, blenderkit, tmp_path):
    chair = a_model(blenderkit)
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / f"{chair['assetBaseId']}.blend"
    own.write_bytes(a_blend(77))
    assets("import", "own", "--license", "mine")
    assets("scrape", "-o", "models.json")

    done = assets("download", "models.json", "--yes")

    assert done.code == 3
    assert "move it away first" in done.stderr
    path = assets.downloads / "model" / f"{chair['assetBaseId']}.blend"
    assert path.read_bytes() == a_blend(77)
    assert json.loads(path.with_suffix(".blend.json").read_text())["licence"] == "mine"


def test_a_strangers_words_do_not_steer_the_terminal(assets, blenderkit):
    a_model(blenderkit, "Chair \x1b[2J\x07[red]", displayName=None)

    done = assets("search")

    assert "Chair [2J [red]" in done.stdout
    assert "\x1b" not in done.stdout
