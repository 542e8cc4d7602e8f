import json

import pytest

from farm.errors import SpecError
from farm.library import (
    assign_ids,
    describe,
    discover,
    read_credit,
    safe_stem,
)
from farm.spec.asset import Credit
from farm.spec.job import JobSpec, make_job
from farm.spec.recipes.tabletop import RecipeSpec
from tests.builders import an_asset, the_job


@pytest.fixture
def downloads(tmp_path):
    for name in ("b.blend", "a.GLB", "deep/c.obj", "notes.txt", "sky.exr"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def names(files):
    return [path.name for path in files]


def test_files_globs_and_folders_mean_what_they_say(downloads):
    assert names(discover(["b.blend"], "model", base=downloads)) == ["b.blend"]
    assert names(discover(["*"], "model", base=downloads)) == ["a.GLB", "b.blend"]
    assert names(discover(["."], "model", base=downloads)) == ["a.GLB", "b.blend", "c.obj"]
    assert names(discover([str(downloads / "**/*.obj")], "model", base=downloads)) == ["c.obj"]
    assert names(discover(["."], "hdr", base=downloads)) == ["sky.exr"]


def test_folders_may_have_names_that_look_like_patterns(tmp_path):
    folder = tmp_path / "sets [v2] * ü"
    folder.mkdir()
    (folder / "a.obj").touch()

    assert names(discover(["*.obj"], "model", base=folder)) == ["a.obj"]
    assert names(discover([str(folder / "*.obj")], "model", base=tmp_path)) == ["a.obj"]
    assert names(discover([str(folder)], "model", base=tmp_path)) == ["a.obj"]


def test_a_folder_means_what_its_links_lead_to_and_nothing_hidden(downloads, tmp_path_factory):
    (downloads / "._b.blend").touch()
    (downloads / ".trash").mkdir()
    (downloads / ".trash" / "old.blend").touch()
    elsewhere = tmp_path_factory.mktemp("disk")
    (elsewhere / "d.fbx").touch()
    (downloads / "more").symlink_to(elsewhere)
    (downloads / "deep" / "again").symlink_to(downloads)

    found = names(discover(["."], "model", base=downloads))

    assert sorted(found) == ["a.GLB", "b.blend", "c.obj", "d.fbx"]


def test_a_tilde_is_home(downloads, monkeypatch):
    monkeypatch.setenv("HOME", str(downloads))

    assert names(discover(["~/*.blend"], "model", base=downloads / "deep")) == ["b.blend"]
    with pytest.raises(SpecError, match="~nobody-of-that-name/x matches no file"):
        discover(["~nobody-of-that-name/x"], "model", base=downloads)


def test_a_file_that_is_meant_twice_is_taken_once(downloads):
    assert names(discover(["b.blend", ".", "*.blend"], "model", base=downloads)) == [
        "b.blend", "a.GLB", "c.obj",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("none/*.blend", "models: none/*.blend matches no file"),
        ("gone.blend", "models: gone.blend matches no file"),
        ("notes.txt", "models: notes.txt is not a 3D model"),
        ("sky.exr", "models: sky.exr is not a 3D model"),
    ],
)
def test_a_pattern_that_means_nothing_is_named(downloads, pattern, sentence):
    with pytest.raises(SpecError) as caught:
        discover([pattern], "model", base=downloads)

    assert sentence in str(caught.value)


def test_models_in_formats_that_nothing_reads_are_counted(downloads):
    for name in ("a.dae", "b.DAE", "deep/c.3ds", "notes.md"):
        (downloads / name).write_bytes(b"")
    notes = []

    found = discover([".", "b.blend"], "model", base=downloads, note=notes.append)

    assert names(found) == ["a.GLB", "b.blend", "c.obj"]
    assert notes == [
        "models: left out (1 .3ds, 2 .dae), since nothing here reads them: convert them, to .glb"
    ]
    with pytest.raises(SpecError, match=r"matches no file .*; what is there \(2 \.dae\)"):
        discover(["*.[dD][aA][eE]"], "model", base=downloads)


def test_ids_are_the_first_eight_characters():
    assert assign_ids([("718316ee-1111", "x"), ("14d3a10a-2222", "y")]) == {
        "x": "718316ee", "y": "14d3a10a",
    }  # fmt: skip


def test_ids_grow_until_they_differ():
    ids = assign_ids(
        [("armchair_red", "x"), ("armchair_blue", "y"), ("armchair", "z"), ("lamp", "l")]
    )

    assert ids == {"x": "armchair-red", "y": "armchair-blu", "z": "armchair", "l": "lamp"}


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("zeyu_tower", "zeyu-tow"),
        ("wooden_chair", "wooden"),
        ("old_oak__x", "old-oak"),
        ("lamp_12_blue", "lamp-12"),
        ("chair_v2", "chair-v2"),
        ("Sofa_01_4k", "Sofa-01"),
        ("a__b", "a-b"),
        ("__", "asset"),
    ],
)
def test_ids_hold_no_underscore_and_end_with_a_word_where_there_is_one(stem, name):
    assert assign_ids([(stem, "x")]) == {"x": name}


def test_names_that_read_alike_are_told_apart_by_their_hash():
    ids = assign_ids([("a_b", "a" * 64), ("a-b", "b" * 64)])

    assert ids == {"a" * 64: f"a-b-{'a' * 8}", "b" * 64: f"a-b-{'b' * 8}"}


def test_files_of_the_same_name_are_told_apart_by_their_hash():
    ids = assign_ids([("chair", "a" * 64), ("Chair", "b" * 64)])

    assert ids == {"a" * 64: f"chair-{'a' * 8}", "b" * 64: f"Chair-{'b' * 8}"}


@pytest.mark.parametrize(
    ("stem", "safe"), [("a b/c", "a-b-c"), ("żółw", "w"), ("..", "asset"), ("ok_1-2", "ok_1-2")]
)
def test_ids_are_safe_in_file_names(stem, safe):
    assert safe_stem(stem) == safe


def test_lengthened_ids_and_doubles_are_said(tmp_path):
    for name, data in (("armchair_a.obj", b"1"), ("armchair_b.obj", b"2"), ("copy.obj", b"1")):
        (tmp_path / name).write_bytes(data)

    assets, remarks = describe(discover(["."], "model", base=tmp_path), "model")

    assert [asset.id for asset in assets] == ["armchair-a", "armchair-b"]
    assert any("copy.obj has the same contents as armchair_a.obj" in remark for remark in remarks)
    assert any("armchair_b.obj is called armchair-b here" in remark for remark in remarks)


def test_a_sidecar_gives_the_credit(tmp_path):
    (tmp_path / "x.obj").write_bytes(b"x")
    sidecar = {"author": "Ada", "license": "cc_zero", "name": "Chair", "faces": 12}
    (tmp_path / "x.obj.json").write_text(json.dumps(sidecar))

    (asset,), _ = describe([tmp_path / "x.obj"], "model")

    assert (asset.credit.author, asset.credit.licence) == ("Ada", "cc_zero")


def test_a_broken_sidecar_is_named(tmp_path):
    (tmp_path / "x.obj").write_bytes(b"x")
    (tmp_path / "x.obj.json").write_text("{")

    with pytest.raises(SpecError, match=r"x\.obj\.json: is not readable JSON"):
        describe([tmp_path / "x.obj"], "model")


def test_a_sidecar_that_is_too_deep_is_named(tmp_path):
    (tmp_path / "vase.blend.json").write_text("[" * 100_000)

    with pytest.raises(SpecError, match=r"vase\.blend\.json: is not readable JSON"):
        read_credit(tmp_path / "vase.blend")


@pytest.mark.parametrize("author", ["\ud800", "a\0b", 1, float("inf"), ["ada"]])
def test_a_word_in_a_sidecar_that_is_no_text_is_left_out(tmp_path, author):
    (tmp_path / "vase.blend.json").write_text(json.dumps({"author": author, "license": "CC0"}))

    assert read_credit(tmp_path / "vase.blend") == Credit(licence="CC0")


def test_a_file_whose_name_is_not_unicode_is_named(tmp_path):
    model = tmp_path / "caf\udce9.blend"
    model.touch()

    with pytest.raises(SpecError, match="is not valid Unicode; rename it"):
        describe([model], "model")


def test_a_sidecar_gives_tags_as_far_as_they_are_words(tmp_path):
    sidecar = tmp_path / "hall.hdr.json"
    sidecar.write_text(json.dumps({"tags": ["chair", 3, None, "x" * 101, "coffee table"]}))
    assert read_credit(tmp_path / "hall.hdr").tags == ("chair", "coffee table")

    sidecar.write_text(json.dumps({"tags": ["word" * 20] * 500}))
    assert len(read_credit(tmp_path / "hall.hdr").tags) == 25, "no sidecar fills a job"

    sidecar.write_text(json.dumps({"tags": {"no": "list"}, "author": "Ada"}))
    assert read_credit(tmp_path / "hall.hdr") == Credit(author="Ada")


def test_tags_go_no_further_than_recipes_that_read_them(tmp_path):
    tagged = Credit(name="Hall", tags=("chair",))
    hall = an_asset("hall.hdr", kind="hdr").model_copy(update={"credit": tagged})
    cup = an_asset("cup.blend").model_copy(update={"role": "objects", "credit": tagged})

    sod = the_job({"models": "m", "hdrs": "h"}, models=[an_asset()], hdrs=[hall])
    table = make_job(
        JobSpec(assets={"objects": ("o",), "hdrs": ("h",)}, recipe=RecipeSpec()), [cup, hall]
    )

    assert [asset.credit.tags for asset in sod.assets] == [(), ()]
    assert [asset.credit.tags for asset in table.assets] == [(), ("chair",)]
    assert "tags" not in sod.assets[1].model_dump_json(), "it is written as by older versions"
