"""Scenes of several formats as a user meets them: looked into, and rendered at their own time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from tests.e2e.conftest import farm as run

WRITE = """\
import sys, bpy
folder = sys.argv[-1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = 30
glow = bpy.data.materials.new("glow")
shader = glow.node_tree.nodes["Principled BSDF"]
shader.inputs["Emission Color"].default_value = (0.2, 0.5, 1.0, 1.0)
shader.inputs["Emission Strength"].default_value = 1.0
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
cube.data.materials.append(glow)
for frame, x in ((1, -1.0), (10, 2.0)):
    cube.location.x = x
    cube.keyframe_insert("location", frame=frame)
for curve in cube.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
    for key in curve.keyframe_points:
        key.interpolation = "LINEAR"
camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
camera.location = (0, -9, 0.5)
camera.rotation_euler.x = 1.5
scene.collection.objects.link(camera)
scene.camera = camera
scene.frame_start, scene.frame_end = 1, 10
bpy.ops.wm.save_as_mainfile(filepath=folder + "/slide.blend")
bpy.ops.export_scene.gltf(filepath=folder + "/slide.glb", export_cameras=True)
bpy.ops.export_scene.fbx(filepath=folder + "/slide.fbx", bake_anim_use_all_actions=False,
                         bake_anim_use_nla_strips=False, bake_anim_simplify_factor=0)
bpy.ops.wm.usd_export(filepath=folder + "/slide.usdc", export_animation=True)
driver = cube.driver_add("scale", 0).driver
driver.type, driver.expression = "SCRIPTED", "noise.random()"
bpy.ops.wm.save_as_mainfile(filepath=folder + "/driven.blend")
"""
SUFFIXES = ("blend", "glb", "fbx", "usdc")
SHARED = (Path(__file__).parents[3] / "shared/assets/scenes").resolve()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same scene in four formats, and once with Python in it."""
    made = tmp_path_factory.mktemp("scenes")
    subprocess.run([sys.executable, "-c", WRITE, str(made)], check=True, capture_output=True)
    return made


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_scenes_show_what_they_have(folder):
    done = run("scenes", *(folder / f"slide.{suffix}" for suffix in SUFFIXES), "--fps", 30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("eye*") == 4

    done = run("scenes", folder, "--fps", 30, "--json")
    found = {Path(path).name: facts for path, facts in json.loads(done.stdout).items()}
    lengths = {name: facts["frame_end"] - facts["frame_start"] for name, facts in found.items()}
    assert {facts["fps"] for facts in found.values()} == {30.0}
    assert set(lengths.values()) == {9}
    assert found["driven.blend"]["python_drivers"] == ["Cube: scale[0]"]


def test_a_scene_that_cannot_be_read_is_told_with_the_others(folder, tmp_path):
    (tmp_path / "broken.blend").write_bytes(b"BLENDER-v404 and nothing else")

    done = run("scenes", tmp_path / "broken.blend", folder / "slide.blend")

    assert done.returncode == 1
    assert "Blender cannot read it" in " ".join(done.stdout.split())
    assert "eye*" in done.stdout


def test_the_same_scene_moves_the_same_in_every_format(folder, tmp_path):
    """In nine equal steps, whatever frames and axes each format has."""
    scenes = [part for suffix in SUFFIXES for part in ("--scenes", folder / f"slide.{suffix}")]
    done = run(
        "render", "--recipe", "sequence", *scenes, "--fps", 30, "--frames", 10, "--frame-step", 1,
        "--passes", "rgb,depth,index", "--resolution", 64, "--samples", 4, "--device", "cpu",
        "--output", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    paths: dict[str, list[np.ndarray]] = {}
    for view in farm.dataset.open(tmp_path / "out"):
        (thing,) = view.record.objects
        pose = np.array(view.record.camera.world_from_camera) @ np.array(thing.camera_from_object)
        paths.setdefault(view.record.view.moment.sequence, []).append(pose[:3, 3])
    assert len(paths) == 4
    for name, path in paths.items():
        steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
        assert np.allclose(steps, 1 / 3, atol=1e-3), (name, steps)


def test_python_of_a_file_is_refused_by_name_or_frozen(folder, tmp_path):
    flags = ("--recipe", "sequence", "--scenes", folder / "driven.blend", "--frames", 1,
             "--resolution", 64, "--samples", 4, "--output", tmp_path / "out")  # fmt: skip
    done = run("render", *flags)
    assert done.returncode == 2
    assert "driven.blend: Cube: scale[0] is driven by Python" in done.stderr

    done = run("render", *flags, "--drivers", "freeze", "--device", "cpu")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not SHARED.is_dir(), reason="the sample scenes are not on this machine")
def test_real_scenes_are_looked_into():
    done = run("scenes", SHARED, "--json")

    found = {Path(path).stem: facts for path, facts in json.loads(done.stdout).items()}
    assert {name: facts["camera"] for name, facts in found.items()} == dict.fromkeys(
        ("armory_orbit_camera", "blendtorch_falling_cubes", "zeyu_looper"), "Camera"
    )
    assert found["zeyu_looper"]["frame_end"] == 300
    assert found["blendtorch_falling_cubes"]["simulations"]
