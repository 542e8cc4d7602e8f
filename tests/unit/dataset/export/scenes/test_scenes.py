"""Which views are a scene, which are held out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.registry import SCENE_FORMATS
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from tests.support.datasets import give_lens, write_dataset
from tests.support.lenses import LENSES
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import (
    SCENE,
    add_cutouts,
    change_records,
    read_json,
    write_object,
)

OF_STILL_THINGS = [to for to in SCENE_FORMATS if to not in ("materials", "matting", "rvm")]
every_format = pytest.mark.parametrize("to", OF_STILL_THINGS)
HELD_OUT = [to for to in OF_STILL_THINGS if to in ("nerf", "ngp", "colmap", "nerfstudio")]


def scenes_of(out: Path, to: str) -> int:
    """The folders of scenes in an export."""
    within = {"trellis": "renders/*", "gobjaverse": "train/*"}
    found = [path for path in out.glob(within.get(to, "*")) if path.is_dir()]
    return len([path for path in found if path.name != ".farm-export"])


def turn_light(at: int, line: dict) -> None:
    line["view"]["light"] = {"rotation_deg": 30.0 * at, "strength": 1.0}


@every_format
def test_a_light_that_turns_with_the_view_is_refused_and_the_object_alone_offered(tmp_path, to):
    write_object(tmp_path / "d")
    change_records(tmp_path / "d", turn_light)
    first, second, *_ = [view.name for view in farm.dataset.open(tmp_path / "d")]

    with pytest.raises(SpecError) as refused:
        run(tmp_path / "d", tmp_path / "o", to)

    said = str(refused.value)
    assert said.startswith(
        f"{first} (sky000, turned 0°, strength 1) and {second} (sky000, turned 30°, strength 1): "
        "the light differs, and "
    )
    assert "pass --foreground, which exports the object alone" in said
    assert not (tmp_path / "o").exists()
    done = run(tmp_path / "d", tmp_path / "o", to, foreground=True)
    assert done.views == 12
    assert (
        "the light differs from view to view of 1 object, such as ball000 · sky000" in done.notes[0]
    )


@every_format
@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param({"exposure_ev": 0.5}, id="exposure"),
        pytest.param(
            {"lamps": [{"kind": "point", "at_m": [1, 1, 1], "power_w": 9, "kelvin": 4000,
                        "size_m": 0.1}]}, id="lamps",
        ),
    ],
)  # fmt: skip
def test_another_exposure_or_lamp_is_another_light(tmp_path: Path, to, drawn):
    write_object(tmp_path / "d", views=4)
    change_records(
        tmp_path / "d", lambda at, line: line["view"].update({"drawn": drawn} if at == 2 else {})
    )

    with pytest.raises(SpecError, match=": the light differs, and "):
        run(tmp_path / "d", tmp_path / "o", to)


@every_format
def test_materials_that_change_with_the_view_are_refused(tmp_path: Path, to):
    write_object(tmp_path / "d", views=4)
    paint = {"drawn": {"paints": [{"prop": 0, "hue_deg": 40.0}]}}
    change_records(tmp_path / "d", lambda at, line: line["view"].update(paint if at == 2 else {}))

    with pytest.raises(SpecError, match="show the same model, but with other materials"):
        run(tmp_path / "d", tmp_path / "o", to, foreground=True)


@every_format
def test_views_of_one_object_under_two_lights_are_two_scenes(tmp_path: Path, to):
    write_object(tmp_path / "d")
    change_records(
        tmp_path / "d",
        lambda at, line: line["view"].update(
            {"light": {"rotation_deg": 90.0 * (at % 2), "strength": 1.0}}
        ),
    )

    run(tmp_path / "d", tmp_path / "o", to)

    assert scenes_of(tmp_path / "o", to) == 2


@every_format
def test_several_objects_and_datasets_are_a_scene_each(tmp_path: Path, to):
    for name in ("one", "two"):
        write_object(tmp_path / "d" / name, views=4)

    run(tmp_path / "d", tmp_path / "o", to)

    assert scenes_of(tmp_path / "o", to) == 2


@pytest.mark.parametrize("to", HELD_OUT)
def test_too_few_views_for_a_split_are_refused(tmp_path: Path, to):
    write_object(tmp_path / "d", views=2)

    with pytest.raises(SpecError, match=f"^{SCENE}: has 2 views, and an export to .* takes 3 at"):
        run(tmp_path / "d", tmp_path / "o", to)


@every_format
@pytest.mark.parametrize("lens", ["fisheye", "orthographic"])
def test_a_camera_that_is_not_a_pinhole_is_refused(tmp_path: Path, to, lens):
    write_object(tmp_path / "d", views=4)
    give_lens(tmp_path / "d", LENSES[lens])

    with pytest.raises(SpecError, match=r"^ball\S+: its camera is .* supports only pinholes: "):
        run(tmp_path / "d", tmp_path / "o", to)


def roles(folder: Path) -> dict[str, set[str]]:
    """The views that a scene has to train and hold out."""
    told = read_json(folder / "transforms.json")
    return {role: set(told[f"{role}_filenames"]) for role in ("train", "val", "test")}


def test_an_eighth_is_held_out_to_validate_and_to_test_whatever_the_order(tmp_path: Path):
    write_object(tmp_path / "d", views=16)
    run(tmp_path / "d", tmp_path / "one", "nerfstudio")
    lines = (tmp_path / "d/views.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "d/views.jsonl").write_text("".join(lines[::-1]))
    run(tmp_path / "d", tmp_path / "two", "nerfstudio")

    found = roles(tmp_path / "one" / SCENE)
    assert {role: len(names) for role, names in found.items()} == {"train": 12, "val": 2, "test": 2}
    assert len(set.union(*found.values())) == 16
    assert roles(tmp_path / "two" / SCENE) == found


def test_three_views_are_one_each(tmp_path: Path):
    write_object(tmp_path / "d", views=3)
    run(tmp_path / "d", tmp_path / "o", "nerfstudio")

    assert [len(names) for names in roles(tmp_path / "o" / SCENE).values()] == [1, 1, 1]


def test_the_splits_of_a_dataset_say_which_views_are_held_out(tmp_path: Path):
    write_object(tmp_path / "d", views=12)
    shares = {"train": 0.5, "test": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=3)
    test = set((tmp_path / "d/splits/test.txt").read_text().split())

    run(tmp_path / "d", tmp_path / "o", "nerfstudio")

    found = roles(tmp_path / "o" / SCENE)
    assert found["test"] == {f"images/{key}.png" for key in test}
    assert found["val"] == found["test"]  # readers open both
    assert len(found["train"]) == 12 - len(test)


def test_splits_by_object_keep_scenes_apart_and_each_holds_out_its_own_views(tmp_path: Path):
    write_object(tmp_path / "d", models=2)
    shares = {"train": 0.5, "test": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="group", seed=3)

    run(tmp_path / "d", tmp_path / "o", "nerfstudio")

    scenes = sorted(path.parent for path in (tmp_path / "o").glob("*/*/transforms.json"))
    assert [scene.parent.name for scene in scenes] == ["test", "train"]
    for scene in scenes:
        assert [len(names) for names in roles(scene).values()] == [4, 1, 1]


def test_splits_with_other_names_are_refused(tmp_path: Path):
    write_object(tmp_path / "d", views=12)
    shares = {"some": 0.5, "others": 0.5}
    split_dataset(farm.dataset.open(tmp_path / "d"), shares, by="view", seed=3)

    with pytest.raises(SpecError, match="are in the splits others, some, and nerfstudio opens tra"):
        run(tmp_path / "d", tmp_path / "o", "nerfstudio")


def test_a_name_is_safe_for_readers_that_cut_at_spaces_and_dots(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    names = ["Vase ä.1", "Vase ä.2", "plain_1", "_.weiß"]

    def rename(at: int, line: dict) -> None:
        line["view"]["name"] = names[at]

    change_records(tmp_path / "d", rename)

    run(tmp_path / "d", tmp_path / "o", "colmap")

    pictures = sorted(path.name for path in (tmp_path / "o" / SCENE / "images").iterdir())
    assert [name.rpartition("-")[0] for name in pictures] == ["Vase-a-1", "Vase-a-2", "_-wei", ""]
    assert pictures[-1] == "plain_1.png"
    assert all(name.isascii() and name.count(".") == 1 and " " not in name for name in pictures)


def test_the_object_alone_is_made_of_picture_and_mask_where_no_edge_is_soft(tmp_path: Path):
    write_object(tmp_path / "d", views=4)

    run(tmp_path / "d", tmp_path / "o", "colmap", foreground=True)

    from PIL import Image

    for view in farm.dataset.open(tmp_path / "d"):
        found = np.asarray(Image.open(tmp_path / "o" / SCENE / f"images/{view.name}.png"))
        np.testing.assert_array_equal(found[..., 3], view["mask"])
        seen = view["mask"] > 0
        np.testing.assert_array_equal(found[seen][:, :3], view["rgb"][seen])
        assert (found[~seen] == 0).all()


@pytest.mark.parametrize("bits", [8, 16])
@every_format
def test_the_pass_foreground_is_the_object_alone_in_8_bits(tmp_path: Path, to, bits):
    write_object(tmp_path / "d", views=4)
    wanted = add_cutouts(tmp_path / "d", bits=bits)

    run(tmp_path / "d", tmp_path / "o", to, foreground=True)

    from PIL import Image

    found = [np.asarray(Image.open(path)) for path in (tmp_path / "o").rglob("*.png")]
    found = [pixels for pixels in found if pixels.shape[-1] == 4]
    assert len(found) == 4
    for pixels in wanted.values():
        assert any(np.array_equal(pixels, each) for each in found)


@pytest.mark.parametrize("to", ["colmap", "ngp", "nerfstudio"])
def test_whole_pictures_are_not_taken_for_the_object_alone(tmp_path: Path, to):
    write_object(tmp_path / "d", views=4)
    add_cutouts(tmp_path / "d")
    run(tmp_path / "d", tmp_path / "o", to)

    from PIL import Image

    pictures = list((tmp_path / "o" / SCENE / "images").iterdir())
    assert len(pictures) == 4
    assert all(np.asarray(Image.open(path)).shape == (64, 64, 3) for path in pictures)
    change_records(tmp_path / "d", lambda _at, line: line["files"].pop("rgb"))
    with pytest.raises(SpecError, match=r"shows whole pictures, the pass rgb: .* pass --foregroun"):
        run(tmp_path / "d", tmp_path / "p", to)
    assert run(tmp_path / "d", tmp_path / "p", to, foreground=True).views == 4


@every_format
def test_who_has_neither_foreground_nor_mask_is_told_to_add_it(tmp_path: Path, to):
    write_object(tmp_path / "d", views=4)
    change_records(tmp_path / "d", lambda _at, line: line["files"].pop("mask"))

    with pytest.raises(SpecError, match=r"needs the object alone, the pass foreground: .*add-pass"):
        run(tmp_path / "d", tmp_path / "o", to, foreground=True)


def test_a_pass_without_a_place_goes_beside(tmp_path: Path):
    write_object(tmp_path / "d", views=4)
    run(tmp_path / "d", tmp_path / "o", "colmap", passes=("mask", "normal", "depth"))

    assert len(list((tmp_path / "o/passes/masks/train").iterdir())) == 4
    assert len(list((tmp_path / "o/passes/normal/train").iterdir())) == 4
    assert not (tmp_path / "o/passes/depth").exists()


def test_soft_edges_are_not_passed_off_as_the_objects_own_colour(tmp_path: Path):
    write_dataset(tmp_path / "d", views=4, passes=("rgb", "mask", "depth"))

    with pytest.raises(
        SpecError,
        match=r"soft edges .* pass foreground: `farm add-passes DATASET foreground` adds it, or ",
    ):
        run(tmp_path / "d", tmp_path / "o", "colmap", foreground=True)
    with pytest.raises(SpecError, match="--image-format jpg: has no alpha"):
        run(tmp_path / "d", tmp_path / "o", "colmap", foreground=True, image_format="jpg")
