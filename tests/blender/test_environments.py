"""The light of each kind of environment, in what Cycles renders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
import pytest

from farm.errors import AssetError, StorageError
from farm.library import Library
from farm.spec.camera import OrbitCamera, orbit_matrix
from farm.storage import FolderStorage
from tests.support.blender.scenes import add_box, asset_of
from tests.support.blender.shots import (
    again,
    render_labelled,
    shoot,
    some_render,
    some_view,
    task_of,
)
from tests.support.environments import (
    AP0,
    old_runs,
    quarters,
    radiance,
    rgbe,
    window,
    write_exr,
)
from worker.assets.cache import AssetCache
from worker.render.loading import light_evenly_without_hdr

SKY = quarters(32)
LOOKS = {"red": (180, -30), "green": (0, -30), "blue": (180, 30), "yellow": (0, 30)}
"""Quarter of the sky -> yaw and pitch of a camera that looks through the middle into it."""
RGB = {"red": (1, 0.25, 0.25), "green": (0.25, 1, 0.25), "blue": (0.25, 0.25, 1),
       "yellow": (1, 1, 0.25)}  # fmt: skip


def hdr_of(path: Path, data: bytes | None = None):
    if data is not None:
        path.write_bytes(data)
    return asset_of(path, "hdr")


def seen(blender, hdr) -> dict[str, list[float]]:
    """Return what a camera sees of each quarter of the sky, with nothing in front of it."""
    blender.free_model()
    blender.configure(some_render(resolution_px=(8, 8), samples=1))
    if hdr is not None:
        blender.load_hdr(hdr)
    colours = {}
    for name, (yaw, pitch) in LOOKS.items():
        camera = OrbitCamera(yaw_deg=yaw, pitch_deg=pitch, distance=2.0, fit=False)
        pose = orbit_matrix(yaw_deg=yaw, pitch_deg=pitch, distance=2.0)
        blender.set_camera(pose, camera, distance=2.0)
        sky = again(blender, some_view()).layers["Environment"]
        colours[name] = sky.reshape(-1, 3).mean(axis=0).tolist()
    return colours


def expected(turn=lambda rgb: rgb) -> dict[str, object]:
    return {name: pytest.approx(list(turn(np.array(rgb))), abs=5e-3) for name, rgb in RGB.items()}


def test_an_ordinary_environment_stands_as_the_others_are_expected_to(blender, tmp_path):
    exr = hdr_of(write_exr(tmp_path / "sky.exr", SKY))
    hdr = hdr_of(tmp_path / "sky.hdr", radiance(rgbe(SKY)))

    assert seen(blender, exr) == expected()
    assert seen(blender, hdr) == expected()
    assert blender.environment.notes == ()


def test_an_ordinary_environment_is_loaded_from_its_own_file(blender, tmp_path):
    hdr = hdr_of(write_exr(tmp_path / "sky.exr", SKY))

    blender.load_hdr(hdr)

    assert bpy.path.abspath(blender.environment.image.filepath) == hdr.path


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        ("+Y 32 +X 64", rgbe(SKY)[::-1]),
        ("-Y 32 -X 64", rgbe(SKY)[:, ::-1]),
        ("-X 64 +Y 32", rgbe(SKY)[::-1, ::-1].transpose(1, 0, 2)),
    ],
)
def test_a_radiance_sky_is_above_whatever_its_orientation(blender, tmp_path, order, rows):
    hdr = hdr_of(tmp_path / "sky.hdr", radiance(rows, order=order))

    assert seen(blender, hdr) == expected()


def test_exposure_is_divided_out_of_the_light(blender, tmp_path):
    data = radiance(rgbe(SKY), "EXPOSURE=4", "EXPOSURE=0.5", encode=old_runs)

    assert seen(blender, hdr_of(tmp_path / "sky.hdr", data)) == expected(lambda rgb: rgb / 2)


@pytest.mark.parametrize("header", [{"chromaticities": AP0}, {"colorInteropID": "lin_ap0_scene"}])
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_colours_of_aces_are_seen_as_they_are_meant(blender, tmp_path, header, kind):
    hdr = hdr_of(write_exr(tmp_path / "sky.exr", SKY.astype(kind), **header))
    scene_from_ap0 = np.array([
        [2.52169, -1.13413, -0.38756], [-0.27648, 1.37272, -0.09624], [-0.01538, -0.15298, 1.16835],
    ])  # fmt: skip

    assert seen(blender, hdr) == expected(lambda rgb: scene_from_ap0 @ rgb)


@pytest.mark.parametrize("kind", ["aces", "exposed", "plain"])
def test_the_light_on_a_model_is_the_corrected_one(blender, tmp_path, write_blend, kind):
    """Under an even sky a convex, matt, half grey thing is half as bright as the sky."""

    def fill(scene) -> None:
        matt = bpy.data.materials.new("matt")
        nodes = matt.node_tree.nodes
        shader = nodes.new("ShaderNodeBsdfDiffuse")
        shader.inputs["Color"].default_value = (0.5, 0.5, 0.5, 1.0)
        output = next(node for node in nodes if node.type == "OUTPUT_MATERIAL")
        matt.node_tree.links.new(shader.outputs[0], output.inputs["Surface"])
        add_box(scene, material=matt)

    even = np.full((8, 16, 3), (0.5, 0.25, 0.125), np.float32)
    path = tmp_path / f"even.{'hdr' if kind == 'exposed' else 'exr'}"
    if kind == "exposed":
        path.write_bytes(radiance(rgbe(even), "EXPOSURE=0.5"))
    else:
        write_exr(path, even, **({"chromaticities": AP0} if kind == "aces" else {}))
    light = {"aces": (0.9289, 0.1929, 0.1001), "exposed": (1.0, 0.5, 0.25),
             "plain": (0.5, 0.25, 0.125)}[kind]  # fmt: skip

    passes, _ = shoot(blender, write_blend(fill), asset_of(path, "hdr"), some_view(), samples=64)

    inside = passes.alpha == 1
    lit = passes.layers["Combined"][inside][:, :3].mean(axis=0)
    assert lit == pytest.approx(np.array(light) / 2, rel=0.02)
    assert passes.layers["Environment"][passes.alpha == 0] == pytest.approx(
        np.broadcast_to(light, passes.layers["Environment"][passes.alpha == 0].shape), abs=2e-3
    )


def test_a_part_of_a_sky_stands_in_its_place_and_the_rest_is_black(blender, tmp_path):
    path = write_exr(
        tmp_path / "sky.exr",
        SKY[:16, :32].copy(),
        dataWindow=window(0, 0, 32, 16),
        displayWindow=window(0, 0, 64, 32),
    )

    colours = seen(blender, hdr_of(path))

    assert colours["red"] == pytest.approx(RGB["red"], abs=5e-3)
    assert [colours[name] for name in ("green", "blue", "yellow")] == [[0, 0, 0]] * 3


@pytest.mark.parametrize("name", ["whole numbers", "zstd", "layers", "no numbers"])
def test_what_cycles_would_take_for_something_else_is_right(blender, tmp_path, name):
    path = tmp_path / "sky.exr"
    if name == "whole numbers":
        write_exr(path, (SKY * 4).astype(np.uint32))
    elif name == "zstd":
        write_exr(path, SKY * 4, compression=OpenEXR.ZSTD_COMPRESSION)
    elif name == "layers":
        planes = {f"ViewLayer.Combined.{each}": (SKY[..., at] * 4).copy()
                  for at, each in enumerate("RGB")}  # fmt: skip
        write_exr(path, planes | {"ViewLayer.Depth.Z": np.ones(SKY.shape[:2], np.float32)})
    else:
        holes = SKY * 4
        holes[4::8, 4::8] = np.nan
        write_exr(path, holes)

    assert seen(blender, hdr_of(path)) == expected(lambda rgb: rgb * 4)


def test_names_that_belong_to_the_other_format_do_not_matter(blender, tmp_path):
    exr = hdr_of(write_exr(tmp_path / "a.exr", SKY, chromaticities=AP0).rename(tmp_path / "A.HDR"))
    hdr = hdr_of(tmp_path / "B.EXR", radiance(rgbe(SKY)[::-1], order="+Y 32 +X 64"))

    assert seen(blender, exr)["red"] == pytest.approx([2.1413, 0.0427, 0.2385], abs=5e-3)
    assert seen(blender, hdr) == expected()


def test_the_record_says_what_was_corrected(blender, statue, tmp_path):
    holes = SKY.copy()
    holes[3, 3] = np.inf
    hdr = hdr_of(write_exr(tmp_path / "sky.exr", holes, chromaticities=AP0))

    rendered = render_labelled(
        blender, FolderStorage(tmp_path / "out"), statue, hdr, passes=("rgb", "mask")
    )

    assert rendered.record.notes[hdr.name] == (
        "1 of 2,048 pixels were not finite numbers and were replaced",
        "colours converted from its own primaries",
    )


def test_the_corrected_picture_is_made_once_per_machine(blender, tmp_path, monkeypatch):
    storage = FolderStorage(tmp_path / "farm")
    cache = AssetCache(Library(storage), tmp_path / "cache", 1 << 30)
    monkeypatch.setattr(blender.environment, "shelf", cache)
    path = write_exr(tmp_path / "sky.exr", SKY, chromaticities=AP0)
    hdr = hdr_of(path)
    cache.library.add(hdr.sha256, path)
    stored = hdr.model_copy(update={"in_library": True, "path": "sky.exr"})
    here = stored.model_copy(update={"path": str(cache.hold([stored])[0])})
    other = hdr_of(write_exr(tmp_path / "other.exr", SKY))

    first = seen(blender, here)
    made = Path(bpy.path.abspath(blender.environment.image.filepath))
    begun = made.stat()
    blender.load_hdr(other)

    assert seen(blender, here) == first
    assert first["red"] == pytest.approx([2.1413, 0.0427, 0.2385], abs=5e-3)
    assert made.stat().st_mtime_ns == begun.st_mtime_ns
    assert made.is_relative_to(cache.folder)
    assert sum(kept.size_bytes for kept in cache.kept()) >= begun.st_size
    assert json.loads((made.parent / "notes.json").read_text()) == list(blender.environment.notes)


def test_a_local_environment_is_corrected_without_a_cache(blender, tmp_path, monkeypatch):
    blocked = tmp_path / "cache"
    blocked.write_text("no folder")
    cache = AssetCache(Library(FolderStorage(tmp_path / "farm")), blocked, 1 << 30)
    monkeypatch.setattr(blender.environment, "shelf", cache)
    hdr = hdr_of(write_exr(tmp_path / "sky.exr", SKY, chromaticities=AP0))

    assert seen(blender, hdr)["red"] == pytest.approx([2.1413, 0.0427, 0.2385], abs=5e-3)
    with pytest.raises(StorageError, match="FARM_CACHE"):
        blender.load_hdr(hdr.model_copy(update={"in_library": True, "sha256": "0" * 64}))


def test_an_environment_comes_back_after_one_that_cannot_be_read(blender, tmp_path):
    hdr = hdr_of(write_exr(tmp_path / "sky.exr", SKY, chromaticities=AP0))
    nothing = hdr_of(write_exr(tmp_path / "nan.exr", np.full_like(SKY, np.nan)))
    first = seen(blender, hdr)

    with pytest.raises(AssetError, match=r"nan.exr: none of its pixels is a number"):
        blender.load_hdr(nothing)

    assert seen(blender, hdr) == first


def test_a_file_that_changed_is_corrected_anew(blender, tmp_path):
    path = write_exr(tmp_path / "sky.exr", SKY, chromaticities=AP0)
    hdr = hdr_of(path)
    seen(blender, hdr)
    blender.load_hdr(hdr_of(write_exr(tmp_path / "other.exr", SKY)))
    shutil.copy(write_exr(tmp_path / "twice.exr", SKY * 2, chromaticities=AP0), path)

    assert seen(blender, hdr)["red"] == pytest.approx([4.2826, 0.0854, 0.477], abs=0.01)


def test_without_an_environment_light_is_white_whatever_was_there_before(blender, tmp_path):
    """Tasks of recipes that take none, in the middle of others."""
    hdr = hdr_of(write_exr(tmp_path / "sky.exr", SKY))
    assert seen(blender, hdr) == expected()

    task = task_of(hdr, hdr).model_copy(update={"assets": ()})
    light_evenly_without_hdr(task, blender)
    plain = seen(blender, None)
    light_evenly_without_hdr(task_of(hdr, hdr), blender)

    assert plain == expected(lambda rgb: 0 * rgb + 1)
    assert seen(blender, hdr) == expected(), "the same one comes back"
