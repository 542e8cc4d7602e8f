"""A camera's path through a scene that stands still, from a file to what trainers open."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import farm.dataset
from farm.dataset.export.registry import SCENE_FORMATS
from tests.e2e.conftest import farm as run
from tests.e2e.conftest import here
from tests.e2e.test_scene_exports import (
    corners_are_where_masks_end,
    poses_of_colmap,
    poses_of_transforms,
)
from tests.support.blender.scene_writer import write_by
from tests.unit.dataset.export.scenes.shared import reader_of

FRAMES = 6
WRITE = f"""
import bpy, math, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
paint = bpy.data.materials.new("Paint")
cube.data.materials.append(paint)
sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
rig = bpy.data.objects.new("Rig", None)
camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
for item in (sun, rig, camera):
    scene.collection.objects.link(item)
scene.camera = camera
scene.frame_end = {FRAMES}


def key(owner, path, *keys):
    for frame, value in keys:
        setattr(owner, path, value)
        owner.keyframe_insert(path, frame=frame)


camera.parent, camera.location = rig, (0, -8, 1)
camera.rotation_euler = (math.atan2(8, 1), 0, 0)
key(rig, "rotation_euler", (1, (0, 0, 0.2)), ({FRAMES}, (0.4, 0, 2.0)))
for name in ("location", "scale"):
    key(cube, name, (1, getattr(cube, name)), ({FRAMES}, getattr(cube, name)))
exec(sys.argv[2])
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""
SMALL = ("--resolution", "64x64", "--samples", 4)
PASSES = ("--passes", "rgb,mask,depth,normal,foreground,background,surface")


def write(folder, change=""):
    """Write such a file, with something that is not as it was."""
    path = folder / "cube.blend"
    write_by(WRITE, path, change)
    return path


@pytest.fixture(scope="module")
def renders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("still")
    done = run(
        "render", "--recipe", "sequence", "--scenes", write(folder), "--sequences-per-scene", 2,
        *SMALL, *PASSES, "--output", folder / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "renders"


def poses_of_nerf(scene):
    """Name, camera from world (OpenCV's) and lens of each view, as NeRF's first code has them."""
    for path in scene.glob("transforms_*.json"):
        told = json.loads(path.read_text())
        focal = 32 / math.tan(told["camera_angle_x"] / 2)
        for frame in told["frames"]:
            pose = np.linalg.inv(np.array(frame["transform_matrix"]) @ np.diag([1, -1, -1, 1]))
            yield scene / frame["file_path"], pose, (focal, focal), (32.0, 32.0)


READ = {"nerf": poses_of_nerf, "ngp": poses_of_transforms, "colmap": poses_of_colmap}


@pytest.mark.parametrize("to", READ)
def test_corners_of_what_stands_still_are_where_its_mask_ends(renders, tmp_path, to):
    """Both sequences of the file are one scene."""
    done = here("dataset", "export", renders, "--to", to, "--out", tmp_path / to)
    assert done.returncode == 0, done.stderr

    views = {view.name: view for view in farm.dataset.open(renders)}
    found = list(READ[to](tmp_path / to / "cube"))
    assert {path.stem for path, *_ in found} == set(views)
    assert len(views) == FRAMES
    corners_are_where_masks_end(found, views)


def test_points_of_a_sequence_lie_on_what_it_shows(renders, tmp_path):
    pycolmap = reader_of("pycolmap")
    done = here(
        "dataset", "export", renders, "--to", "colmap", "--points", 600, "--out", tmp_path / "o"
    )
    assert done.returncode == 0, done.stderr

    model = pycolmap.Reconstruction(str(tmp_path / "o/cube/sparse/0"))

    points = np.array([point.xyz for point in model.points3D.values()])
    assert len(points) == 600
    np.testing.assert_allclose(np.abs(points).max(axis=1), 1.0, atol=1e-3)


def test_nerfstudio_begins_with_points_of_each_sequence_that_stands_still(renders, tmp_path):
    out = tmp_path / "o"
    done = here("dataset", "export", renders, "--to", "nerfstudio", "--points", 300, "--out", out)
    assert done.returncode == 0, done.stderr

    folders = sorted(path.parent for path in out.rglob("transforms.json"))
    assert len(folders) == 2
    for folder in folders:
        told = json.loads((folder / "transforms.json").read_text())
        body = (folder / told["ply_file_path"]).read_bytes().partition(b"end_header\n")[2]
        rows = np.frombuffer(body, [("numbers", "<f4", 6), ("rgb", "u1", 3)])
        assert len(rows) == 300
        np.testing.assert_allclose(np.abs(rows["numbers"][:, :3]).max(axis=1), 1.0, atol=1e-3)


@pytest.mark.parametrize("to", SCENE_FORMATS)
def test_a_sequence_that_stands_still_is_exported_whole(renders, tmp_path, to):
    done = here("dataset", "export", renders, "--to", to, "--out", tmp_path / to)

    assert done.returncode == 0, done.stderr
    assert f"{FRAMES} views as {to}" in done.stdout + done.stderr


def test_sequences_under_lights_of_their_own_on_a_path_of_ours_are_a_scene_each(tmp_path):
    (tmp_path / "lights.yaml").write_text(
        "recipe: {kind: sequence, randomise: {exposure: {ev: {low: -1, high: 1}}}}\n"
    )
    done = run(
        "render", tmp_path / "lights.yaml", "--scenes", write(tmp_path),
        "--camera", "orbit", "--sequences-per-scene", 2, *SMALL, "--passes", "rgb,mask,foreground",
        "--output", tmp_path / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    done = here("dataset", "export", tmp_path / "renders", "--to", "nerf", "--out", tmp_path / "o")

    assert done.returncode == 0, done.stderr
    scenes = sorted(path.parent.name for path in (tmp_path / "o").glob("*/transforms_train.json"))
    assert len(scenes) == 2
    assert all(scene.startswith("cube-001-") for scene in scenes)


def test_a_material_that_changes_is_told_with_two_frames_and_a_remedy(tmp_path):
    change = (
        "shader = paint.node_tree.nodes['Principled BSDF'].inputs['Roughness']; "
        "key(shader, 'default_value', (1, 0.1), (6, 0.9))"
    )
    done = run(
        "render", "--recipe", "sequence", "--scenes", write(tmp_path, change), *SMALL,
        "--passes", "rgb,mask,depth", "--output", tmp_path / "renders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    done = here(
        "dataset", "export", tmp_path / "renders", "--to", "colmap", "--out", tmp_path / "o"
    )

    assert done.returncode == 2
    assert (
        "cube-001-00001-00006-000001 and cube-001-00001-00006-000002: the material Paint changes, "
        "and in COLMAP nothing but the camera moves: render frames in which all else stands still"
    ) in " ".join(done.stderr.split())
    assert not (tmp_path / "o").exists()
