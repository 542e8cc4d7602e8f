"""Local files beside the fetched ones."""

from __future__ import annotations

import json

import pytest

from tests.support.asset_bytes import a_blend, a_jpeg, an_exr

OBJ = "mtllib crate.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


@pytest.fixture
def shelf(tmp_path):
    """A model with a texture, one without, an HDRI, and a picture that poses as one."""
    shelf = tmp_path / "shelf"
    (shelf / "crate" / "textures").mkdir(parents=True)
    (shelf / "crate" / "crate.obj").write_text(OBJ)
    (shelf / "crate" / "crate.mtl").write_text("newmtl wood\nmap_Kd textures/wood.jpg\n")
    (shelf / "crate" / "textures" / "wood.jpg").write_bytes(a_jpeg())
    (shelf / "my chair.stl").write_bytes(b"solid chair\nendsolid chair\n")
    (shelf / "my chair.stl.json").write_text('{"author": "Bob", "license": "CC-BY-4.0"}')
    (shelf / "sky.exr").write_bytes(an_exr())
    return shelf


def test_all_that_a_worker_loads_is_imported_with_its_licence(assets, shelf):
    done = assets("import", shelf, "--license", "CC0-1.0", "--author", "Ada", "--source", "lab",
                  "--url", "https://example.org/shelf")  # fmt: skip

    assert done.code == 0, done.stderr
    assert assets.files() == {
        "model/crate/crate.obj", "model/crate/crate.obj.json", "model/crate/crate.mtl",
        "model/crate/textures/wood.jpg", "model/my-chair.stl", "model/my-chair.stl.json",
        "hdr/sky.exr", "hdr/sky.exr.json",
    }  # fmt: skip
    sidecar = json.loads((assets.downloads / "hdr" / "sky.exr.json").read_text())
    told = {key: sidecar[key] for key in ("name", "author", "licence", "source", "url")}
    assert told == {"name": "sky", "author": "Ada", "licence": "CC0-1.0", "source": "lab",
                    "url": "https://example.org/shelf"}  # fmt: skip
    own = json.loads((assets.downloads / "model" / "my-chair.stl.json").read_text())
    assert (own["author"], own["licence"]) == ("Bob", "CC-BY-4.0")  # it knows better
    assert assets("list", "--check").code == 0


def test_importing_twice_is_the_same_as_once(assets, shelf):
    assets("import", shelf, "--license", "CC0-1.0")
    before = assets.files()

    done = assets("import", shelf, "--license", "CC0-1.0")

    assert done.code == 0
    assert "0 imported, 3 were there" in done.stderr
    assert assets.files() == before


def test_another_file_of_the_same_name_gets_a_name_of_its_own(assets, shelf):
    (shelf / "more").mkdir()
    (shelf / "more" / "sky.exr").write_bytes(an_exr(128, 64))

    assert assets("import", shelf, "--license", "CC0-1.0").code == 0
    assert len([name for name in assets.files() if name.endswith(".exr")]) == 2


def test_what_is_not_what_its_name_says_is_left_out(assets, shelf):
    (shelf / "poser.exr").write_bytes(a_jpeg())
    (shelf / "page.blend").write_bytes(b"<html>")

    done = assets("import", shelf, "--license", "CC0-1.0", "--json")

    assert done.code == 1
    reasons = [one["reason"] for one in done.json if one["state"] == "failed"]
    assert any("it is a JPEG picture" in reason for reason in reasons)
    assert any("it is a web page (HTML)" in reason for reason in reasons)
    assert len(done.json) == 5


def test_a_folder_without_assets_is_said(assets, tmp_path):
    (tmp_path / "empty").mkdir()

    done = assets("import", tmp_path / "empty", "--license", "x")

    assert done.code == 2
    assert "holds no models or HDR environments" in done.stderr


def test_a_fetched_model_is_not_imported_again(assets, blenderkit, tmp_path):
    blenderkit.add("Chair", {"blend": (".blend", a_blend())})
    assets("scrape", "-o", "models.json")
    assets("download", "models.json", "--yes")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "chair.blend").write_bytes(a_blend())

    done = assets("import", tmp_path / "own", "--license", "x", "--json")

    assert [one["state"] for one in done.json] == ["there"]
