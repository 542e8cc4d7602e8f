"""`farm assets` against Poly Haven: models with textures beside them, published hashes."""

from __future__ import annotations

import json

import pytest

from tests.support.asset_bytes import a_blend, a_jpeg, a_radiance, an_exr
from tests.support.sites import Answer, FakePolyHaven

TEXTURE = "textures/ArmChair_diff_1k.jpg"


def a_chair(
    site: FakePolyHaven, slug: str = "ArmChair_01", texture: str = TEXTURE, **facts
) -> None:
    variants = {}
    for number, resolution in enumerate(("1k", "2k", "8k")):
        file = site.put(f"/Models/{resolution}/{slug}.blend", a_blend(number, 20_000))
        image = site.put(f"/Models/{resolution}/diff.jpg", a_jpeg(3000))
        variants[resolution] = {"blend": file | {"include": {texture: image}}}
    site.add(slug, {"blend": variants, "gltf": {}, "Diffuse": {}}, kind=2, polycount=900, **facts)


def a_sky(site: FakePolyHaven, slug: str = "studio", *, exr: bool = True, **facts) -> None:
    variants = {}
    for resolution, width in (("1k", 1024), ("2k", 2048)):
        files = {"hdr": site.put(f"/HDRIs/{slug}_{resolution}.hdr", a_radiance(width, width // 2))}
        if exr:
            files["exr"] = site.put(f"/HDRIs/{slug}_{resolution}.exr", an_exr(width, width // 2))
        variants[resolution] = files
    listing = {"hdri": variants, "tonemapped": site.put(f"/HDRIs/{slug}.jpg", a_jpeg())}
    site.add(slug, listing, kind=0, **facts)


def test_a_model_lies_in_a_folder_of_its_own_with_what_it_needs(assets, polyhaven):
    a_chair(polyhaven)
    found = assets("scrape", "--source", "polyhaven", "-o", "models.json")

    done = assets("download", "models.json", "--yes")

    assert done.code == 0, done.stderr
    assert "Powered by Poly Haven" in found.stderr
    assert "Powered by Poly Haven" in done.stderr
    folder = "model/ArmChair_01"
    blend = f"{folder}/ArmChair_01.blend"
    assert assets.files() == {blend, f"{blend}.json", f"{folder}/{TEXTURE}"}
    sidecar = json.loads((assets.downloads / f"{blend}.json").read_text())
    assert sidecar["licence"] == "cc_zero"
    assert sidecar["author"] == "Greg Zaal"
    assert sidecar["url"] == "https://polyhaven.com/a/ArmChair_01"
    assert sidecar["file_type"] == "resolution_2K"  # there is no original; nobody asked for 8K
    assert sidecar["includes"][0]["path"] == TEXTURE


def test_a_texture_that_is_gone_or_broken_is_fetched_alone(assets, polyhaven):
    a_chair(polyhaven)
    assets("scrape", "--source", "polyhaven", "-o", "models.json")
    assets("download", "models.json", "--yes")
    texture = assets.downloads / "model" / "ArmChair_01" / TEXTURE
    texture.write_bytes(b"half")

    assert assets("download", "models.json", "--yes").code == 0
    assert texture.read_bytes() == a_jpeg(3000)


def test_a_texture_of_a_new_version_is_fetched_though_the_model_is_the_same(assets, polyhaven):
    a_chair(polyhaven)
    assets("scrape", "--source", "polyhaven", "-o", "models.json")
    assets("download", "models.json", "--yes")
    listing = polyhaven.listings["ArmChair_01"]
    listing["blend"]["2k"]["blend"]["include"][TEXTURE] = polyhaven.put("/new.jpg", a_jpeg(4000))
    polyhaven.add("ArmChair_01", listing, kind=2)
    assets("scrape", "--source", "polyhaven", "-o", "models.json")

    assert assets("download", "models.json", "--yes").code == 0
    texture = assets.downloads / "model" / "ArmChair_01" / TEXTURE
    assert texture.read_bytes() == a_jpeg(4000)


@pytest.mark.parametrize(
    "path",
    ["../../../escape.jpg", "/tmp/escape.jpg", "textures/../../x.jpg", "C:\\x.jpg", "..\\x.jpg",
     "a:b.jpg", "ArmChair_01.blend", "ArmChair_01.blend.json", ""],
)  # fmt: skip
def test_includes_stay_in_the_folder_of_their_model(assets, polyhaven, path):
    a_chair(polyhaven, texture=path)
    assets("scrape", "--source", "polyhaven", "-o", "models.json")

    done = assets("download", "models.json", "--yes")

    assert done.code == 3
    assert "leads out of its folder" in done.stderr
    assert not list(assets.folder.rglob("*.jpg"))
    assert not list(assets.folder.rglob("*.blend"))


def test_a_link_in_the_folder_leads_no_include_out(assets, polyhaven, tmp_path_factory):
    a_chair(polyhaven)
    assets("scrape", "--source", "polyhaven", "-o", "models.json")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    folder = assets.downloads / "model" / "ArmChair_01"
    folder.mkdir(parents=True)
    (folder / "textures").symlink_to(elsewhere)

    assert assets("download", "models.json", "--yes").code == 3
    assert list(elsewhere.iterdir()) == []


def test_bytes_of_another_md5_are_fetched_once_more_and_then_refused(assets, polyhaven):
    a_sky(polyhaven)
    assets("scrape", "--source", "polyhaven", "--type", "hdr", "-o", "hdrs.json")
    wrong = Answer(200, an_exr(2048, 1024)[:-1] + b"!")
    polyhaven.files.faults["/HDRIs/"].append(wrong)
    assert assets("download", "hdrs.json", "--yes").code == 0

    (assets.downloads / "hdr" / "studio.exr").unlink()
    polyhaven.files.faults["/HDRIs/"].extend([wrong, wrong])
    done = assets("download", "hdrs.json", "--yes")

    assert done.code == 3
    assert "its MD5 is" in done.stderr
    assert {path for path in assets.files() if not path.endswith(".json")} == set()


@pytest.mark.parametrize(("exr", "suffix"), [(True, ".exr"), (False, ".hdr")])
def test_an_hdri_is_exr_where_there_is_one(assets, polyhaven, exr, suffix):
    a_sky(polyhaven, exr=exr)
    assets("scrape", "--source", "polyhaven", "--type", "hdr", "-o", "hdrs.json")

    assert assets("download", "hdrs.json", "--yes").code == 0
    assert assets.files() == {f"hdr/studio{suffix}", f"hdr/studio{suffix}.json"}


def test_the_best_liked_come_first_before_the_list_is_cut(assets, polyhaven):
    for slug, downloads in (("aa", 3), ("mm", 900), ("zz", 40)):
        a_sky(polyhaven, slug, download_count=downloads)

    found = assets("search", "--source", "polyhaven", "--type", "hdr", "--limit", 2, "--json").json

    assert [row["assetBaseId"] for row in found] == ["mm", "zz"]
    assert [request.path for request in polyhaven.requests] == ["/assets", "/files/mm", "/files/zz"]


def test_words_and_categories_choose(assets, polyhaven):
    a_chair(polyhaven)
    a_chair(polyhaven, "Barrel_01", tags=["rusty"], categories=["props"])

    def names(*args: str) -> list[str]:
        found = assets("search", "--source", "polyhaven", *args, "--json").json
        return [row["assetBaseId"] for row in found]

    assert names("--query", "chair wood") == ["ArmChair_01"]
    assert names("--include", "category:seating") == ["ArmChair_01"]
    assert names("--exclude", "tag:rusty") == ["ArmChair_01"]
    assert sum(request.path == "/files/Barrel_01" for request in polyhaven.requests) == 0


def test_an_asset_that_is_gone_costs_only_itself(assets, polyhaven):
    a_sky(polyhaven, "kept")
    a_sky(polyhaven, "gone", download_count=99)
    del polyhaven.listings["gone"]

    done = assets("scrape", "--source", "polyhaven", "--type", "hdr", "-o", "hdrs.json")

    assert done.code == 0
    assert "gone is no longer at Poly Haven" in done.stderr


def test_there_is_no_other_licence(assets, polyhaven):
    done = assets("search", "--source", "polyhaven", "--license", "royalty_free")

    assert done.code == 2
    assert "everything on Poly Haven is cc_zero" in done.stderr
