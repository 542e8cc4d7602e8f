"""Scripts change scenes, view by view; what they return is in the records."""

import numpy as np
import pytest

from tests.support.blender.scripted import ORBIT, a_script_job, render, script_asset


def test_a_script_turns_the_cube_and_tells_where_its_corners_are(blender, tmp_path):
    job = a_script_job(script_asset(tmp_path, ORBIT))

    views = render(blender, tmp_path / "out", job)

    assert [view.record.fields["index"] for view in views] == [0, 1, 2]
    assert not np.array_equal(views[0]["index"], views[1]["index"])
    for view in views:
        inside = np.argwhere(view["index"] > 0)
        corners = np.array(view.record.fields["xy"])
        [thing] = view.record.objects
        assert thing.name == "Cube"
        assert corners.min(axis=0) == pytest.approx(inside.min(axis=0)[::-1], abs=1.5)
        assert corners.max(axis=0) == pytest.approx(inside.max(axis=0)[::-1] + 1, abs=1.5)


FALL = """
import bpy

def setup(scene, params):
    cube = scene.objects["Cube"]
    cube["label"] = "die"
    with bpy.context.temp_override(object=cube, active_object=cube, selected_objects=[cube]):
        bpy.ops.rigidbody.object_add()

def frame(scene, view, rng):
    cube = scene.objects["Cube"]
    if view.step == 0:
        cube.location = (0, 0, rng.uniform(3, 4))
        cube.rotation_euler = rng.uniform(0, 3, 3)
    now = cube.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {"z": now.matrix_world.translation.z, "frame": scene.frame_current}
"""


def test_physics_runs_from_the_beginning_of_each_episode(blender, tmp_path):
    job = a_script_job(script_asset(tmp_path, FALL), views=8, episode=4, first_frame=10)

    fields = [view.record.fields for view in render(blender, tmp_path / "out", job)]

    heights = np.array([each["z"] for each in fields]).reshape(2, 4)
    falls = heights[:, :1] - heights
    assert [each["frame"] for each in fields] == [10, 11, 12, 13] * 2
    assert heights[0, 0] != heights[1, 0]
    assert falls[0] == pytest.approx(falls[1], abs=1e-3)
    assert (np.diff(falls[0]) > 0).all()
    assert falls[0, 3] == pytest.approx(9.81 / 2 * (3 / 24) ** 2, rel=0.4)


def test_a_part_of_an_episode_is_as_in_the_whole(blender, tmp_path):
    """Tasks of two views render the middle of an episode of six; its physics begin at 0 anyway."""
    script = script_asset(tmp_path, FALL)
    whole = render(blender, tmp_path / "a", a_script_job(script, views=6, episode=6))
    parts = render(
        blender, tmp_path / "b", a_script_job(script, views=6, episode=6, views_per_task=2)
    )

    for one, other in zip(whole, parts, strict=True):
        assert one.record.fields == other.record.fields
        assert one.data("index") == other.data("index")
        assert one.data("rgb") == other.data("rgb")


def test_every_nth_frame_is_a_view_and_physics_run_through_all(blender, tmp_path):
    script = script_asset(tmp_path, FALL)
    fine = render(blender, tmp_path / "a", a_script_job(script, views=7, episode=7))
    coarse = render(blender, tmp_path / "b", a_script_job(script, views=3, episode=3, frame_step=3))

    assert [view.record.fields["frame"] for view in coarse] == [1, 4, 7]
    for one, other in zip(coarse, fine[::3], strict=True):
        assert one.record.fields["z"] == pytest.approx(other.record.fields["z"], abs=1e-6)


def test_objects_are_named_by_custom_properties(blender, tmp_path):
    text = """
import bpy
def setup(scene, params):
    scene.objects["Cube"]["label"] = "die"
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 3, 0))
    bpy.context.object["category_id"] = 7
def frame(scene, view, rng):
    pass
"""
    [view] = render(blender, tmp_path / "o", a_script_job(script_asset(tmp_path, text), views=1))

    assert {each.name: each.category for each in view.record.objects} == {
        "Cube": "die", "Sphere": "7",
    }  # fmt: skip
    assert {each.name: each.category for each in view.record.indices} == {
        "Cube": "die", "Sphere": "7",
    }  # fmt: skip


def test_a_scene_may_hold_other_things_in_each_view(blender, tmp_path):
    text = """
import bpy
def frame(scene, view, rng):
    for item in [each for each in scene.objects if each.name.startswith("ball")]:
        bpy.data.objects.remove(item)
    for place in range(view.index):
        bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 2 + place, 0), radius=0.5)
        bpy.context.object.name = f"ball{place}"
    scene.objects["Cube"].hide_render = view.index == 2
"""
    views = render(blender, tmp_path / "o", a_script_job(script_asset(tmp_path, text), views=3))

    names = [[each.name for each in view.record.objects] for view in views]
    assert names == [["Cube"], ["Cube", "ball0"], ["ball0", "ball1"]]
    for view in views:
        seen = {each.index for each in view.record.indices}
        assert set(np.unique(view["index"])) - {0} <= seen
        for thing in view.record.objects:
            [index] = thing.indices
            assert (view["index"] == index).any()
    assert [{each.name for each in view.record.indices} for view in views] == [
        {"Cube"}, {"Cube", "ball0"}, {"Cube", "ball0", "ball1"},
    ]  # fmt: skip


def test_materials_that_become_clear_are_looked_through_by_labels(blender, tmp_path):
    text = """
def frame(scene, view, rng):
    shader = scene.objects["Cube"].active_material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Alpha"].default_value = (1.0, 0.3, 1.0)[view.index]
"""
    views = render(blender, tmp_path / "o", a_script_job(script_asset(tmp_path, text), views=3))

    assert [view.record.see_through for view in views] == [False, True, False]
    assert [bool((view["index"] > 0).any()) for view in views] == [True, False, True]
    assert (views[0]["index"] == views[2]["index"]).all()


def test_parameters_reach_the_script_and_its_setup(blender, tmp_path):
    text = """
def setup(scene, params):
    scene["told"] = params["size"]
def frame(scene, view, rng):
    return {"setup": scene["told"], "size": view.params["size"], "age": view.params["age"]}
"""
    randomise = {"age": {"kind": "whole", "low": 1, "high": 9}}
    job = a_script_job(script_asset(tmp_path, text), params={"size": 2}, randomise=randomise)

    for view in render(blender, tmp_path / "out", job):
        assert view.record.fields["setup"] == view.record.fields["size"] == 2
        assert view.record.fields["age"] == view.record.view.params["age"]


def test_chance_is_seeded_for_each_view(blender, tmp_path):
    text = """
import random
import numpy as np
def frame(scene, view, rng):
    return {"a": random.random(), "b": np.random.random(), "c": rng.random()}
"""
    script = script_asset(tmp_path, text)
    one = render(blender, tmp_path / "a", a_script_job(script, views=4))
    other = render(blender, tmp_path / "b", a_script_job(script, views=4, views_per_task=1))
    third = render(blender, tmp_path / "c", a_script_job(script, views=4, seed=1))

    drawn = [view.record.fields for view in one]
    assert drawn == [view.record.fields for view in other]
    assert len({each["a"] for each in drawn} | {view.record.fields["a"] for view in third}) == 8


def test_functions_before_and_after_a_frame_are_called_in_order(blender, tmp_path):
    text = """
CALLS = []
def pre_frame(scene, view):
    CALLS.clear()
    CALLS.append(f"pre {scene.frame_current}")
def frame(scene, view, rng):
    CALLS.append(f"frame {scene.frame_current}")
def post_frame():
    CALLS.append("post")
    return {"calls": CALLS}
"""
    job = a_script_job(script_asset(tmp_path, text), views=2, episode=2, first_frame=5)

    calls = [view.record.fields["calls"] for view in render(blender, tmp_path / "out", job)]

    assert calls == [["pre 5", "frame 5", "post"], ["pre 5", "frame 6", "post"]]


def test_render_settings_stay_those_of_the_spec(blender, tmp_path, caplog):
    text = """
def frame(scene, view, rng):
    scene.render.resolution_x = 17
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.cycles.samples = 4096
    scene.view_layers[0].use_pass_object_index = False
    scene.render.film_transparent = False
"""
    views = render(blender, tmp_path / "out", a_script_job(script_asset(tmp_path, text), views=2))

    for view in views:
        assert view["index"].shape == (64, 64)
        assert 0 < (view["index"] > 0).mean() < 1
        assert 0 < view.record.coverage < 1
    assert "the script set scene.render.resolution_x, which is the farm's" in caplog.text
    assert caplog.text.count("scene.cycles.samples") == 2  # each time that the scene is opened


def test_a_script_has_the_scene_of_its_file_with_all_its_names(blender, tmp_path):
    import bpy

    from tests.support.blender.scenes import add_box, asset_of, blend_file
    from tests.support.blender.scripted import scene_asset

    path = tmp_path / "room.blend"
    with blend_file(path) as scene:
        add_box(scene, name="table")
        camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
        camera.location.z = 5
        scene.collection.objects.link(camera)
        scene.camera = camera
        scene.world = bpy.data.worlds.new("Dusk")
        scene["told"] = 1
    text = """
import bpy
def frame(scene, view, rng):
    assert bpy.context.scene == scene
    return {"names": sorted(o.name for o in scene.objects), "told": scene["told"],
            "world": scene.world.name, "path": bpy.data.objects["table"].name}
"""
    job = a_script_job(script_asset(tmp_path, text), scene_asset(asset_of(path)), views=1)

    [view] = render(blender, tmp_path / "out", job)

    assert view.record.fields == {
        "names": ["eye", "table"], "told": 1, "world": "Dusk", "path": "table",
    }  # fmt: skip
    assert [asset.role for asset in view.record.assets] == ["scene", "script"]


def test_an_attempt_that_resumes_makes_the_same_of_what_is_left(blender, tmp_path):
    """Also where the script hangs on the views before, which it should not."""
    text = """
def frame(scene, view, rng):
    scene.objects["Cube"].location.x += 0.1
    return {"x": scene.objects["Cube"].location.x}
"""
    from farm import expand
    from farm.spec.task import records_key
    from farm.storage import FolderStorage

    job = a_script_job(script_asset(tmp_path, text), views=5)
    whole = render(blender, tmp_path / "whole", job)
    render(blender, tmp_path / "part", job)
    [task] = expand.expand(job)
    storage = FolderStorage(tmp_path / "part")
    kept = storage.get(records_key(task)).splitlines(keepends=True)[:2]
    storage.put(records_key(task), b"".join(kept))

    resumed = render(blender, tmp_path / "part", job)

    for one, other in zip(whole, resumed, strict=True):
        assert one.record.fields == other.record.fields
        assert one.data("rgb") == other.data("rgb")


LEAK = """
STATE = []
def frame(scene, view, rng):
    STATE.append(view.index)
    scene.objects["Cube"].location.x = 0.2 * len(STATE)
"""
TIDY = """
def frame(scene, view, rng):
    scene.objects["Cube"].location.x = 0.2 * view.index
"""


@pytest.mark.parametrize(("text", "verdict"), [(LEAK, False), (TIDY, True), (FALL, True)])
def test_the_farm_finds_out_whether_views_hang_on_those_before(
    blender, tmp_path, caplog, text, verdict
):
    job = a_script_job(script_asset(tmp_path, text), views=4, episode=2 if text is FALL else None)

    views = render(blender, tmp_path / "out", job)

    assert [view.record.deterministic for view in views] == [None, None, None, verdict]
    assert ("view_000003 is another view alone" in caplog.text) is not verdict


def test_a_task_begins_with_the_opened_file(blender, tmp_path):
    """Neither the scene, nor the script, nor what it hung up outlives a task."""
    text = """
import bpy
COUNT = []
def setup(scene, params):
    COUNT.append(1)
    bpy.app.handlers.frame_change_post.append(lambda *_: COUNT.append(2))
    bpy.ops.mesh.primitive_cone_add()
def frame(scene, view, rng):
    return {"things": len(scene.objects), "count": len(COUNT),
            "handlers": len(bpy.app.handlers.frame_change_post)}
"""
    job = a_script_job(script_asset(tmp_path, text), views=4, views_per_task=1)

    fields = [view.record.fields for view in render(blender, tmp_path / "out", job)]

    assert fields == [fields[0]] * 4
    assert fields[0]["things"] == 4


def test_changes_in_the_middle_of_an_episode_stop_nothing_that_falls(blender, tmp_path):
    """Blender forgets how bodies move as soon as their colours change; pictures must not show."""
    text = (
        FALL
        + """
    _ = 0

plain = frame
def frame(scene, view, rng):
    import bpy
    cube = scene.objects["Cube"]
    if view.step in (1, 2) and view.params["paint"]:
        cube.color = rng.random(4)
        cube.active_material.diffuse_color = rng.random(4)
        cube.pass_index = 30 + view.step
    return plain(scene, view, rng)
"""
    )
    script = script_asset(tmp_path, text)
    falls = {}
    for paint in (False, True):
        job = a_script_job(
            script, views=4, episode=4, params={"paint": paint}, views_per_task=3, seed=3
        )
        views = render(blender, tmp_path / str(paint), job)
        falls[paint] = [view.record.fields["z"] for view in views]
        for view in views:
            [thing] = view.record.objects
            inside = np.argwhere(view["index"] == 1)
            corners = np.array(thing.corners_px)
            top, left = np.clip(corners.min(axis=0)[::-1], 0, 64)
            assert inside.min(axis=0) == pytest.approx([top, left], abs=1.5)

    assert falls[True] == pytest.approx(falls[False], abs=1e-5)


def test_materials_that_become_clear_by_their_own_animation_are_noticed(blender, tmp_path):
    text = """
def setup(scene, params):
    shader = scene.objects["Cube"].active_material.node_tree.nodes["Principled BSDF"]
    for frame, alpha in ((1, 1.0), (2, 0.2), (3, 1.0)):
        shader.inputs["Alpha"].default_value = alpha
        shader.inputs["Alpha"].keyframe_insert("default_value", frame=frame)
def frame(scene, view, rng):
    pass
"""
    job = a_script_job(script_asset(tmp_path, text), views=3, episode=3)

    views = render(blender, tmp_path / "out", job)

    assert [bool((view["index"] > 0).any()) for view in views] == [True, False, True]
