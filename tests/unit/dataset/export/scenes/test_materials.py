"""What whoever learns materials reads: maps with channels and encodings as glTF 2.0 has them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.errors import SpecError
from tests.support.changed_datasets import ChangedDataset
from tests.support.datasets import give_lens
from tests.support.lenses import LENSES
from tests.unit.dataset.export.pictures import run
from tests.unit.dataset.export.scenes.shared import (
    SURFACE,
    add_surfaces,
    change_records,
    write_object,
    write_whole,
)


def linear(srgb: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, backwards."""
    share = srgb / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def test_each_map_gives_the_number_again(tmp_path: Path):
    write_whole(tmp_path / "d", views=3)

    run(tmp_path / "d", tmp_path / "o", "materials")

    bright = json.loads((tmp_path / "o/train/emissive_strength.json").read_text())
    for view in farm.dataset.open(tmp_path / "d"):
        maps = {
            folder.name: np.asarray(Image.open(folder / f"{view.name}.png"))
            for folder in (tmp_path / "o/train").iterdir()
            if folder.is_dir()
        }
        assert sorted(maps) == [
            "base_color", "emissive", "image", "mask", "metallic_roughness", "normal",
            "transmission", "valid",
        ]  # fmt: skip
        ball = np.any(view["normal"] != 0, axis=-1)
        colour = maps["base_color"]
        np.testing.assert_allclose(
            linear(colour[ball][:, :3]), [SURFACE["base_color"]] * ball.sum(), atol=1 / 255
        )
        np.testing.assert_allclose(colour[..., 3] / 255, np.where(ball, 0.6, 0), atol=0.5 / 255)
        red, green, blue = np.moveaxis(maps["metallic_roughness"], -1, 0) / 255
        np.testing.assert_allclose(green, view["roughness"], atol=0.51 / 255)
        np.testing.assert_allclose(blue, view["metallic"], atol=0.51 / 255)
        assert (red == 1).all()  # where others keep occlusion: there is none
        np.testing.assert_allclose(
            maps["transmission"][..., 0] / 255, view["transmission"], atol=0.51 / 255
        )
        light = linear(maps["emissive"]) * bright[view.name]
        np.testing.assert_allclose(light, view["emission"], atol=4 / 255)
        normals = maps["normal"] / 255 * 2 - 1
        np.testing.assert_allclose(normals, view["normal"], atol=1.01 / 255)
        np.testing.assert_array_equal(maps["valid"], view["surface_valid"])


def test_what_is_not_brighter_than_1_has_no_strength(tmp_path: Path):
    write_object(tmp_path / "d", views=3)
    add_surfaces(tmp_path / "d")
    changed = ChangedDataset(tmp_path / "d")
    changed.change_all(("emission",), lambda light: light / 8)
    changed.save()

    run(tmp_path / "d", tmp_path / "o", "materials")

    assert not (tmp_path / "o/train/emissive_strength.json").exists()
    view = farm.dataset.open(tmp_path / "d")[0]
    found = np.asarray(Image.open(tmp_path / f"o/train/emissive/{view.name}.png"))
    np.testing.assert_allclose(linear(found), view["emission"], atol=1 / 255)


def test_maps_that_no_pass_gives_are_left_out_and_what_must_be_there_is_told(tmp_path: Path):
    write_object(tmp_path / "d", views=3)
    with pytest.raises(SpecError, match="an export to materials needs the pass base_color: not al"):
        run(tmp_path / "d", tmp_path / "o", "materials")
    add_surfaces(tmp_path / "d")

    def drop(_at: int, line: dict) -> None:
        for name in ("emission", "transmission", "opacity", "surface_valid"):
            del line["files"][name]

    change_records(tmp_path / "d", drop)
    give_lens(tmp_path / "d", LENSES["orthographic"])  # any camera will do

    run(tmp_path / "d", tmp_path / "o", "materials")

    folders = sorted(path.name for path in (tmp_path / "o/train").iterdir())
    assert folders == ["base_color", "image", "mask", "metallic_roughness", "normal"]
    view = farm.dataset.open(tmp_path / "d")[0]
    colour = np.asarray(Image.open(tmp_path / f"o/train/base_color/{view.name}.png"))
    ball = np.any(view["normal"] != 0, axis=-1)
    np.testing.assert_array_equal(colour[..., 3], ball * 255)


def test_gobjaverse_has_colours_metal_and_roughness_where_all_views_have_them(tmp_path: Path):
    write_whole(tmp_path / "d", views=3)
    run(tmp_path / "d", tmp_path / "o", "gobjaverse")

    [folder] = (tmp_path / "o/train").iterdir()
    names = dict(
        line.split() for line in (folder / "campos_512_v4/views.txt").read_text().splitlines()
    )
    views = {view.name: view for view in farm.dataset.open(tmp_path / "d")}
    for number, name in names.items():
        path = folder / f"campos_512_v4/{number}/{number}"
        albedo = np.asarray(Image.open(f"{path}_albedo.png"))
        np.testing.assert_allclose(linear(albedo), views[name]["base_color"], atol=1 / 255)
        metal, rough, _ = np.moveaxis(
            (np.asarray(Image.open(f"{path}_mr.png")) / 255) ** 2.2, -1, 0
        )
        np.testing.assert_allclose(metal, views[name]["metallic"], atol=2 / 255)
        np.testing.assert_allclose(rough, views[name]["roughness"], atol=2 / 255)
