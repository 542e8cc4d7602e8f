"""Time is the file's: what each format says of it, and what stands where at which moment."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from farm.errors import AssetError
from farm.spec.scene_facts import Clip
from tests.support.blender.fbx_files import Fbx
from tests.support.blender.gltf_files import CORNERS, TRIANGLES, numbers, some_boxes
from tests.support.blender.scenes import asset_of

# glTF


def animated(*animations: tuple[str | None, list[tuple[int, str, str, np.ndarray, np.ndarray]]]):
    """Two boxes; an animation is a name with channels: node, path, interpolation, times, values."""
    file = some_boxes(2)
    arrays = [CORNERS, TRIANGLES]
    file["animations"] = []
    for name, channels in animations:
        made = {"samplers": [], "channels": []} | ({"name": name} if name else {})
        for node, path, interpolation, times, values in channels:
            made["samplers"].append({
                "input": len(arrays), "output": len(arrays) + 1, "interpolation": interpolation,
            })  # fmt: skip
            arrays += [np.array(times, float).reshape(-1, 1), np.array(values, float)]
            target = {"node": node, "path": path}
            made["channels"].append({"sampler": len(made["samplers"]) - 1, "target": target})
        file["animations"].append(made)
    return file | numbers(*arrays)


def write(folder: Path, file, name="boxes.gltf"):
    (folder / name).write_text(json.dumps(file))
    return asset_of(folder / name, "scene")


SLIDE = (0, "translation", "LINEAR", [0.5, 2.0], [(0, 0, 0), (3, 0, 0)])
TURN = (1, "rotation", "LINEAR", [0.0, 1.0], [(0, 0, 0, 1), (0, 0, 1, 0)])


@pytest.fixture
def opened(blender, tmp_path):
    def run(file, *, fps=None):
        return blender.open_scene(write(tmp_path, file), fps=fps)

    return run


def item(scene, name):
    return scene.scene.objects[name]


def place(scene, name, frame):
    scene.show_frame(frame)
    return np.array(item(scene, name).evaluated_get(scene._depsgraph()).matrix_world.translation)


def turn_deg(scene, name, frame):
    scene.show_frame(frame)
    matrix = item(scene, name).evaluated_get(scene._depsgraph()).matrix_world
    return math.degrees(matrix.to_quaternion().angle)


@pytest.mark.parametrize("fps", [None, 30.0, 29.97, 12.5])
def test_keys_of_a_gltf_lie_at_seconds_times_fps(blender, opened, tmp_path, fps):
    file, rate = animated(("slide", [SLIDE])), fps or 24.0
    facts = blender.survey(write(tmp_path, file), fps=fps).facts

    assert facts.fps == rate
    assert facts.frame_start == math.ceil(0.5 * rate)
    assert facts.frame_end == math.floor(2.0 * rate)
    scene = opened(file, fps=fps)
    assert np.allclose(place(scene, "box0", 1.25 * rate), (1.5, 0, 0), atol=1e-5)


def test_one_animation_alone_is_no_choice(blender, tmp_path):
    facts = blender.survey(write(tmp_path, animated(("slide", [SLIDE])))).facts

    assert facts.clips == ()


def test_animations_of_a_gltf_are_told_in_its_order_with_their_frames(blender, tmp_path):
    file = animated(("slide", [SLIDE]), (None, [TURN]), ("back", [SLIDE, TURN]))
    facts = blender.survey(write(tmp_path, file)).facts

    assert facts.clips == (
        Clip(name="slide", frame_start=12, frame_end=48),
        Clip(name="Anim_1", frame_start=0, frame_end=24),
        Clip(name="back", frame_start=0, frame_end=48),
    )
    assert (facts.frame_start, facts.frame_end) == (0, 48)


def test_one_animation_of_several_plays_at_its_own_time(opened):
    """Blender's own tracks begin at the scene's first frame."""
    scene = opened(animated(("slide", [SLIDE]), ("turn", [TURN])))

    scene.play("turn")
    assert turn_deg(scene, "box1", 12) == pytest.approx(90, abs=1e-3)
    assert np.allclose(place(scene, "box0", 40), (0, 0, 0))

    scene.play("slide")
    assert np.allclose(place(scene, "box0", 30), (1.5, 0, 0), atol=1e-5)


def test_all_animations_play_at_once_where_that_is_asked_for(opened):
    """Blender writes one for each thing that moves."""
    scene = opened(animated(("slide", [SLIDE]), ("turn", [TURN])))

    scene.play("all")

    assert turn_deg(scene, "box1", 12) == pytest.approx(90, abs=1e-3)
    assert np.allclose(place(scene, "box0", 30), (1.5, 0, 0), atol=1e-5)


def test_what_another_animation_moved_is_back_where_the_file_has_it(opened):
    still = some_boxes(2)["nodes"][1]["translation"]
    lifted = (1, "translation", "LINEAR", [0.0, 1.0], [(0, 5, 0), (0, 9, 0)])
    scene = opened(animated(("lift", [lifted]), ("slide", [SLIDE])))
    assert np.allclose(place(scene, "box1", 24), (0, 0, 9))  # the first plays by itself

    scene.play("slide")

    assert np.allclose(place(scene, "box1", 24), still)


def test_an_animation_that_is_not_there_is_told_with_those_that_are(opened):
    scene = opened(animated(("slide", [SLIDE]), ("turn", [TURN])))

    with pytest.raises(AssetError, match="no animation 'jump'; it has 'slide', 'turn'"):
        scene.play("jump")


def hermite(start, out, into, end, part):
    """As the format's specification has it, of a segment of one second."""
    cube, square = part**3, part**2
    return (
        (2 * cube - 3 * square + 1) * np.array(start)
        + (cube - 2 * square + part) * np.array(out)
        + (-2 * cube + 3 * square) * np.array(end)
        + (cube - square) * np.array(into)
    )


@pytest.mark.parametrize("part", [0.1, 0.25, 0.5, 0.8])
def test_cubic_keys_keep_their_tangents(opened, part):
    start, out, into, end = (1.0, 2.0, 3.0), (6.0, 0.0, -4.0), (0.0, 9.0, 1.0), (2.0, 2.0, 0.0)
    values = [(0, 0, 0), start, out, into, end, (0, 0, 0)]
    curve = (0, "translation", "CUBICSPLINE", [1.0, 2.0], values)
    scene = opened(animated(("curve", [curve])))

    x, y, z = hermite(start, out, into, end, part)
    assert np.allclose(place(scene, "box0", 24 * (1 + part)), (x, -z, y), atol=1e-4)


def test_cubic_rotations_keep_their_tangents(opened):
    half = math.sqrt(0.5)
    start, out, into, end = (0, 0, 0, 1), (0, 0, 1.5, 0), (0, 0, 0.5, -0.5), (0, 0, half, half)
    values = [(0, 0, 0, 0), start, out, into, end, (0, 0, 0, 0)]
    scene = opened(animated(("turn", [(1, "rotation", "CUBICSPLINE", [0.0, 1.0], values)])))

    _, _, z, w = hermite(start, out, into, end, 0.3)
    assert turn_deg(scene, "box1", 24 * 0.3) == pytest.approx(
        math.degrees(2 * math.atan2(z, w)), abs=1e-3
    )


def test_cubic_weights_of_shapes_keep_their_tangents(opened):
    """Two shapes: their tangents and values lie mixed in one row of numbers."""
    file = some_boxes(1)
    shapes = [np.tile(shift, (len(CORNERS), 1)) for shift in ((1.0, 0, 0), (0, 1.0, 0))]
    weights = [0, 0, 0.1, 0.9, 4.0, 0, 0, -2.0, 0.7, 0.2, 0, 0]  # in, value, out of each key
    arrays = [*shapes, np.array([[1.0], [2.0]]), np.array(weights).reshape(-1, 1)]
    file |= numbers(CORNERS, TRIANGLES, *arrays)
    file["meshes"][0]["primitives"][0]["targets"] = [{"POSITION": 2}, {"POSITION": 3}]
    file["animations"] = [{
        "samplers": [{"input": 4, "output": 5, "interpolation": "CUBICSPLINE"}],
        "channels": [{"sampler": 0, "target": {"node": 0, "path": "weights"}}],
    }]  # fmt: skip
    scene = opened(file)

    scene.show_frame(24 * 1.3)

    box = item(scene, "box0").evaluated_get(scene._depsgraph())
    moved = np.mean([vertex.co for vertex in box.data.vertices], axis=0)
    first = hermite([0.1], [4.0], [0.0], [0.7], 0.3)[0]
    second = hermite([0.9], [0.0], [-2.0], [0.2], 0.3)[0]
    assert np.allclose(moved, (first, 0, second), atol=1e-4)


def test_steps_stay_steps(opened):
    jump = (0, "translation", "STEP", [0.0, 1.0], [(0, 0, 0), (5, 0, 0)])
    scene = opened(animated(("jump", [jump])))

    assert np.allclose(place(scene, "box0", 23.9), (0, 0, 0))
    assert np.allclose(place(scene, "box0", 24), (5, 0, 0))


@pytest.mark.parametrize("part", [0.1, 0.25, 0.4])
def test_turns_go_along_the_arc_at_one_speed(opened, part):
    """Blender blends numbers: a quarter of half a turn would come out as 36.9 degrees."""
    scene = opened(animated(("turn", [TURN])))

    assert turn_deg(scene, "box1", 24 * part) == pytest.approx(180 * part, abs=1e-3)


def test_a_model_without_animation_may_have_any_frames(blender, tmp_path):
    facts = blender.survey(write(tmp_path, some_boxes(1))).facts

    assert facts.is_still
    assert (facts.frame_start, facts.frame_end) == (0, 0)


# FBX: by Blender's own exporter, in a process of its own

EXPORT = """\
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = 30
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
cube.name = "cube"
for name, keys in (("walk", ((1, 0.0), (10, 1.0))), ("run", ((1, 0.0), (36, 7.0)))):
    cube.animation_data_clear()
    for frame, x in keys:
        cube.location.x = x
        cube.rotation_euler.z = x * 3.0
        cube.keyframe_insert("location", frame=frame)
        cube.keyframe_insert("rotation_euler", frame=frame)
    for curve in cube.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"
    cube.animation_data.action.name = name
    cube.animation_data.action.use_fake_user = True
    if name == "walk":
        scene.frame_start, scene.frame_end = 1, 10
        bpy.ops.export_scene.fbx(filepath=sys.argv[-1] + "/one.fbx", bake_anim_use_nla_strips=False,
                                 bake_anim_use_all_actions=False, bake_anim_simplify_factor=0)
bpy.ops.export_scene.fbx(filepath=sys.argv[-1] + "/two.fbx", bake_anim_use_nla_strips=False,
                         bake_anim_simplify_factor=0)
"""


@pytest.fixture(scope="module")
def fbx_folder():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", EXPORT, folder], check=True, capture_output=True)
        yield Path(folder)


def test_an_fbx_has_its_fps_and_the_frames_of_its_keys(blender, fbx_folder):
    facts = blender.survey(asset_of(fbx_folder / "one.fbx", "scene"), fps=12.0).facts

    assert facts.fps == 30.0
    assert facts.frame_end - facts.frame_start == 9
    assert facts.clips == ()
    scene = blender.open_scene(asset_of(fbx_folder / "one.fbx", "scene"))
    assert place(scene, "cube", facts.frame_start)[0] == pytest.approx(0.0, abs=1e-5)
    assert place(scene, "cube", facts.frame_end)[0] == pytest.approx(1.0, abs=1e-5)


def test_takes_of_an_fbx_are_chosen_by_name(blender, fbx_folder):
    asset = asset_of(fbx_folder / "two.fbx", "scene")
    clips = {clip.name.rpartition("|")[2]: clip for clip in blender.survey(asset).facts.clips}
    assert set(clips) == {"walk", "run"}
    scene = blender.open_scene(asset)

    for name, reach in (("walk", 1.0), ("run", 7.0)):
        clip = clips[name]
        scene.play(clip.name)
        assert place(scene, "cube", clip.frame_end)[0] == pytest.approx(reach, abs=1e-4)
        assert place(scene, "cube", clip.frame_start)[0] == pytest.approx(0.0, abs=1e-4)


def test_angles_of_an_fbx_run_on_between_frames(blender, fbx_folder):
    """Over three turns none of the half-frames spins back."""
    asset = asset_of(fbx_folder / "two.fbx", "scene")
    (run,) = (clip for clip in blender.survey(asset).facts.clips if clip.name.endswith("run"))
    scene = blender.open_scene(asset)
    scene.play(run.name)
    step = np.degrees(7.0 * 3.0 / 35) / 2

    seen = []
    for frame in np.arange(run.frame_start, run.frame_end, 0.5):
        scene.show_frame(frame)
        matrix = item(scene, "cube").evaluated_get(scene._depsgraph()).matrix_world
        seen.append(matrix.to_quaternion())
    turns = [
        math.degrees(one.rotation_difference(two).angle) for one, two in itertools.pairwise(seen)
    ]

    back = 360 - np.array(turns)  # the same turn, told the other way round
    assert np.minimum(np.abs(turns - step), np.abs(back - step)).max() < 0.01


def test_an_fbx_leaves_the_session_its_own_time(blender, fbx_folder, opened):
    """The next file's keys hang on it."""
    blender.survey(asset_of(fbx_folder / "one.fbx", "scene"))

    assert np.allclose(place(opened(animated(("slide", [SLIDE]))), "box0", 30), (1.5, 0, 0))


def test_an_fbx_without_animation_may_have_any_frames(blender, tmp_path):
    boxes = Fbx()
    boxes.add_box("box")
    facts = blender.survey(boxes.write(tmp_path)).facts

    assert facts.is_still


# USD

USDA = """\
#usda 1.0
(
    upAxis = "Z"
    metersPerUnit = 1
{head})
def Mesh "box"
{{
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    double3 xformOp:translate{value}
    uniform token[] xformOpOrder = ["xformOp:translate"]
}}
"""
MOVES = ".timeSamples = {10: (0, 0, 0), 40: (3, 0, 0)}"


def write_usd(folder, *, head="", value=MOVES):
    (folder / "box.usda").write_text(USDA.format(head=head, value=value))
    return asset_of(folder / "box.usda", "scene")


def test_a_time_code_of_a_usd_is_a_frame(blender, tmp_path):
    head = "timeCodesPerSecond = 29.97\nstartTimeCode = 5\nendTimeCode = 50\n"
    asset = write_usd(tmp_path, head=head)
    facts = blender.survey(asset, fps=12.0).facts

    assert facts.fps == pytest.approx(29.97)
    assert (facts.frame_start, facts.frame_end) == (5, 50)
    scene = blender.open_scene(asset, fps=29.97)
    assert np.allclose(place(scene, "box", 25), (1.5, 0, 0), atol=1e-5)
    assert np.allclose(place(scene, "box", 32.5), (2.25, 0, 0), atol=1e-5)


def test_a_usd_that_states_no_frames_has_those_of_its_samples(blender, tmp_path):
    facts = blender.survey(write_usd(tmp_path)).facts

    assert (facts.fps, facts.frame_start, facts.frame_end) == (24.0, 10, 40)


def test_a_usd_without_animation_may_have_any_frames(blender, tmp_path):
    facts = blender.survey(write_usd(tmp_path, value=" = (1, 2, 3)")).facts

    assert facts.is_still


FLICKER = """\
#usda 1.0
(
    upAxis = "Z"
    startTimeCode = 1
    endTimeCode = 20
)
def Xform "group"
{
    token visibility.timeSamples = {1: "invisible", 5: "inherited", 12: "invisible"}
    def Mesh "box"
    {
        point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
        token visibility.timeSamples = {4: "inherited", 7: "invisible", 9: "inherited"}
    }
}
def Mesh "floor"
{
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    token visibility.timeSamples = {3: "inherited", 10: "invisible"}
}
def Camera "eye"
{
    float focalLength.timeSamples = {1: 20, 20: 40}
}
def Camera "ear"
{
    float focalLength.timeSamples = {1: 40, 20: 20}
}
"""


@pytest.fixture
def flicker(blender, tmp_path):
    (tmp_path / "flicker.usda").write_text(FLICKER)
    return blender.open_scene(asset_of(tmp_path / "flicker.usda", "scene"))


@pytest.mark.parametrize(
    ("frame", "seen"),
    [
        (1, {"floor"}), (4.9, {"floor"}), (5, {"box", "floor"}), (7, {"floor"}),
        (9, {"box", "floor"}), (10, {"box"}), (12, set()), (20, set()),
    ],
)  # fmt: skip
def test_things_of_a_usd_come_and_go_as_it_says(flicker, frame, seen):
    assert set(flicker.objects) == {"box", "floor"}

    flicker.show_frame(frame)

    graph = flicker._depsgraph()
    shown = {each.name for each in flicker.items if not each.evaluated_get(graph).hide_render}
    assert shown == seen


def test_all_that_moves_in_a_usd_moves_together(flicker):
    """Blender makes an action for each camera; they are no animations to choose from."""
    flicker.show_frame(20)
    graph = flicker._depsgraph()

    lenses = {
        name: item(flicker, name).evaluated_get(graph).data.lens / 20 for name in ("eye", "ear")
    }
    assert lenses["eye"] == pytest.approx(2 * lenses["ear"])
    assert flicker.clips.facts == ()


# .blend, with Alembic beside it


CACHED = """\
import sys, bpy
cache = sys.argv[-1].replace(".blend", ".abc")
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps = 30
bpy.ops.mesh.primitive_cube_add()
for frame, x in ((1, 0.0), (31, 3.0)):
    bpy.context.object.location.x = x
    bpy.context.object.keyframe_insert("location", frame=frame)
bpy.ops.wm.alembic_export(filepath=cache, start=1, end=31)
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps = 30
bpy.context.scene.frame_end = 31
bpy.ops.wm.alembic_import(filepath=cache)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def test_a_blend_keeps_its_time_whatever_is_said(blender, tmp_path):
    """An Alembic file beside it is read by seconds: another rate would shift what it shows."""
    path = tmp_path / "cached.blend"
    subprocess.run([sys.executable, "-c", CACHED, str(path)], check=True, capture_output=True)
    asset = asset_of(path, "scene")

    facts = blender.survey(asset, fps=12.0).facts

    assert (facts.fps, facts.frame_start, facts.frame_end) == (30.0, 1, 31)
    assert not facts.is_still
    scene = blender.open_scene(asset, fps=12.0)
    assert place(scene, "Cube", 31)[0] == pytest.approx(3.0, abs=1e-3)
    assert place(scene, "Cube", 16)[0] == pytest.approx(1.5, abs=1e-3)


# Drivers


DRIVEN = """\
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.preferences.filepaths.use_scripts_auto_execute = True
bpy.ops.mesh.primitive_cube_add()
for index, expression in enumerate(("noise.noise((0, 0, 0)) + 4.5", "frame / 10")):
    driver = bpy.context.object.driver_add("location", index).driver
    driver.type, driver.expression = "SCRIPTED", expression
bpy.context.view_layer.update()
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


def test_what_python_drives_keeps_the_value_that_was_saved(blender, tmp_path):
    """Its maker let Python run; here it never does."""
    path = tmp_path / "driven.blend"
    subprocess.run([sys.executable, "-c", DRIVEN, str(path)], check=True, capture_output=True)
    asset = asset_of(path, "scene")

    assert blender.survey(asset).facts.python_drivers == ("Cube: location[0]",)
    scene = blender.open_scene(asset)
    assert scene.unread == ("Python driver Cube: location[0]",)
    assert np.allclose(place(scene, "Cube", 20), (4.5, 2.0, 0.0))
    assert np.allclose(place(scene, "Cube", 30), (4.5, 3.0, 0.0))
