"""What is known of a scene's file before anything of it is rendered."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import bpy
import pytest

from farm.library import survey as surveys
from farm.spec.scene_facts import Baked, CameraCut
from tests.support.blender import simulated
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.simulated import write_baked
from worker.sandbox import landlock


def add_camera(scene, name="eye", **values):
    lens = bpy.data.cameras.new(name)
    for key, value in values.items():
        setattr(lens, key, value)
    camera = bpy.data.objects.new(name, lens)
    scene.collection.objects.link(camera)
    return camera


@pytest.fixture
def facts_of(blender, tmp_path):
    """Look into a scene that a function fills."""

    def run(fill):
        with blend_file(tmp_path / "scene.blend") as scene:
            add_box(scene)
            fill(scene)
        return blender.survey(asset_of(tmp_path / "scene.blend", "scene")).facts

    return run


def test_time_is_that_of_the_file(facts_of):
    def fill(scene):
        scene.render.fps, scene.render.fps_base = 30, 1.001
        scene.frame_start, scene.frame_end = 5, 40

    facts = facts_of(fill)

    assert facts.fps == pytest.approx(30 / 1.001)
    assert (facts.frame_start, facts.frame_end) == (5, 40)


def test_cameras_that_labels_cannot_follow_say_why(facts_of):
    def fill(scene):
        scene.camera = add_camera(scene, "main")
        add_camera(scene, "flat", type="ORTHO")
        add_camera(scene, "dome", type="PANO", panorama_type="FISHEYE_LENS_POLYNOMIAL")
        add_camera(scene, "ball", type="PANO", panorama_type="MIRRORBALL")
        skewed = add_camera(scene, "skewed")
        skewed.parent = bpy.data.objects.new("rig", None)
        scene.collection.objects.link(skewed.parent)
        skewed.parent.scale.x = 3.0
        skewed.rotation_euler.z = 0.5

    facts = facts_of(fill)

    assert facts.cameras == ("dome", "flat", "main")
    assert facts.camera == "main"
    assert "mirrorball" in facts.unfit_cameras["ball"]
    assert "apply the scale" in facts.unfit_cameras["skewed"]


def test_a_camera_is_judged_as_the_first_frame_has_it(facts_of):
    def fill(scene):
        scene.frame_start = 10
        camera = add_camera(scene, "eye")
        for frame, scale in ((1, 0.0), (9, 0.0), (10, 1.0)):
            camera.scale = (scale,) * 3
            camera.keyframe_insert("scale", frame=frame)

    assert facts_of(fill).cameras == ("eye",)


def test_a_main_camera_that_is_unfit_is_not_the_one_to_use(facts_of):
    def fill(scene):
        scene.camera = add_camera(scene, "ball", type="PANO", panorama_type="MIRRORBALL")

    assert facts_of(fill).camera is None


def test_cuts_are_told_by_frame(facts_of):
    def fill(scene):
        for name, frame in (("late", 20), ("early", 1)):
            mark = scene.timeline_markers.new(name, frame=frame)
            mark.camera = add_camera(scene, name)
        scene.timeline_markers.new("a note", frame=5)

    early, late = CameraCut(frame=1, camera="early"), CameraCut(frame=20, camera="late")
    assert facts_of(fill).cuts == (early, late)


def lamp(scene):
    scene.collection.objects.link(bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "SUN")))


def world(scene):
    scene.world = bpy.data.worlds.new("sky")


def glow(scene):
    scene.objects["box"].data.materials.append(a_material(glow=1.0))


def instanced_lamp(scene):
    """Shown by an empty alone."""
    lamps = bpy.data.collections.new("lamps")
    lamps.objects.link(bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "SUN")))
    empty = bpy.data.objects.new("empty", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", lamps
    scene.collection.objects.link(empty)


@pytest.mark.parametrize("light", [lamp, world, glow, instanced_lamp])
def test_what_gives_light_in_a_scene_is_seen(facts_of, light):
    assert not facts_of(light).is_dark


def test_a_scene_in_which_nothing_gives_light_is_dark(facts_of):
    def fill(scene):
        scene.objects["box"].data.materials.append(a_material(glow=0.0))

    assert facts_of(fill).is_dark


def drive(owner, path, expression, index=-1):
    curve = owner.driver_add(path, index) if index >= 0 else owner.driver_add(path)
    curve.driver.type, curve.driver.expression = "SCRIPTED", expression
    return curve


def test_what_python_drives_is_named_where_it_is_used(facts_of):
    def fill(scene):
        box = scene.objects["box"]
        drive(box, "location", "noise.random()", 0)
        drive(box, "location", "frame / 10", 1)  # simple: needs no Python
        drive(box, "scale", "noise.random()", 2).mute = True
        lamp = bpy.data.lights.new("lamp", "POINT")
        scene.collection.objects.link(bpy.data.objects.new("lamp", lamp))
        drive(lamp, "energy", "noise.random()")
        drive(scene.world or new_world(scene), "color", "noise.random()", 1)

    def new_world(scene):
        scene.world = bpy.data.worlds.new("sky")
        return scene.world

    assert facts_of(fill).python_drivers == ("box: location[0]", "lamp: energy", "sky: color[1]")


def test_what_python_drives_elsewhere_is_not_told(blender, tmp_path):
    """The other scene of a file, such as that of its maker's rig, is not rendered."""
    with blend_file(tmp_path / "scene.blend") as scene:
        add_box(scene)
        box = add_box(bpy.data.scenes.new("attic"), name="unused")
        drive(box, "location", "noise.random()", 0)
        other = box.users_scene[0]
        for each in (scene, other):
            each.view_layers[0].update()  # else Blender crashes as it writes them
        bpy.data.libraries.write(str(tmp_path / "both.blend"), {scene, other}, fake_user=True)

    assert not blender.survey(asset_of(tmp_path / "both.blend", "scene")).facts.python_drivers


@pytest.fixture
def linking_scene(blender, tmp_path):
    """A scene that shows a box of another file."""
    with blend_file(tmp_path / "parts.blend") as scene:
        add_box(scene, name="part")
    with blend_file(tmp_path / "scene.blend") as scene:
        add_box(scene)
        with bpy.data.libraries.load(str(tmp_path / "parts.blend"), link=True) as (_, target):
            target.objects = ["part"]
        scene.collection.objects.link(target.objects[0])
    return tmp_path / "scene.blend"


def test_a_linked_file_that_is_missing_is_named(blender, linking_scene):
    assert blender.survey(asset_of(linking_scene, "scene")).facts.refused == ()

    linking_scene.with_name("parts.blend").unlink()

    (reason,) = blender.survey(asset_of(linking_scene, "scene")).facts.refused
    assert reason.startswith("the linked file parts.blend is missing: put it where")


def test_a_cache_file_that_is_missing_is_named(blender, tmp_path):
    """It moves things: without it they would stand still."""
    with blend_file(tmp_path / "plain.blend") as scene:
        box = add_box(scene)
        for frame in (1, 3):
            box.location.x = frame
            box.keyframe_insert("location", frame=frame)
        cache = str(tmp_path / "waves.abc")
        home, bpy.context.window.scene = bpy.context.window.scene, scene
        box.select_set(state=True)
        bpy.ops.wm.alembic_export(filepath=cache, start=1, end=3)
        bpy.ops.cachefile.open(filepath=cache)
        bpy.context.window.scene = home
        modifier = box.modifiers.new("waves", "MESH_SEQUENCE_CACHE")
        modifier.cache_file = bpy.data.cache_files[0]
        scene.view_layers[0].update()
        bpy.data.libraries.write(str(tmp_path / "scene.blend"), {scene}, fake_user=True)
    scene = asset_of(tmp_path / "scene.blend", "scene")
    facts = blender.survey(scene).facts
    assert facts.refused == ()
    assert [cache.name for cache in facts.caches] == ["waves.abc"]
    [cache] = facts.caches
    assert (cache.frame_start, cache.frame_end) == pytest.approx((1, 3)), "as it was exported"

    (tmp_path / "waves.abc").unlink()

    (reason,) = blender.survey(scene).facts.refused
    assert reason.startswith("the cache file waves.abc, which moves things in it, is missing")


def test_nothing_of_a_scene_that_was_looked_into_stays(blender, facts_of):
    before = {block.session_uid for block in bpy.data.user_map()}

    facts_of(lambda scene: add_camera(scene, "ball", type="PANO"))

    assert {block.session_uid for block in bpy.data.user_map()} == before


# Asked of a process of its own


@pytest.fixture
def box_scene(blender, tmp_path):
    with blend_file(tmp_path / "box.blend") as scene:
        add_box(scene)
        scene.camera = add_camera(scene)
        scene.frame_end = 7
    return asset_of(tmp_path / "box.blend", "scene")


def broken(path):
    path.write_bytes(b"BLENDER-v404 and nothing else")
    return asset_of(path, "scene")


def test_scenes_are_looked_into_by_another_process(box_scene, tmp_path):
    """One that cannot be read costs only itself."""
    seen = []
    scenes = (broken(tmp_path / "broken.blend"), box_scene)

    bad, good = surveys.survey(
        scenes, cache=tmp_path / "cache", watch=lambda *now: seen.append(now)
    )

    assert good.scene.frame_end == 7
    assert good.scene.camera == "eye"
    assert len(bad.scene.refused) == 1
    assert "Blender cannot read it" in bad.scene.refused[0]
    assert seen == [(0, 2, "broken.blend"), (1, 2, "box.blend")]


def test_what_was_found_is_remembered_by_content_and_fps(box_scene, tmp_path, monkeypatch):
    (found,) = surveys.survey([box_scene], fps=24.0, cache=tmp_path / "cache")
    monkeypatch.setattr(surveys, "DOOR", "worker.no_such_door")

    assert surveys.survey([box_scene], fps=24.0, cache=tmp_path / "cache") == (found,)
    with pytest.raises(surveys.SetupError):
        surveys.survey([box_scene], fps=25.0, cache=tmp_path / "cache")


def test_what_hangs_on_other_files_is_looked_at_again(linking_scene, tmp_path):
    scene = asset_of(linking_scene, "scene")
    (before,) = surveys.survey([scene], cache=tmp_path / "cache")
    linking_scene.with_name("parts.blend").unlink()
    (after,) = surveys.survey([scene], cache=tmp_path / "cache")

    assert not before.scene.refused
    assert after.scene.refused


def test_a_scene_that_ends_blender_or_keeps_it_waiting_costs_only_itself(
    box_scene, tmp_path, monkeypatch
):
    """The process is started anew for the next one."""
    (tmp_path / "doors").mkdir()
    (tmp_path / "doors/fragile_door.py").write_text(
        "import os, sys, time\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin:\n"
        "    if 'crash.blend' in line: os._exit(11)\n"
        "    if 'sleepy.blend' in line: time.sleep(600)\n"
        '    print(\'{"fault": "it was read"}\', flush=True)\n'
    )
    monkeypatch.setattr(surveys, "DOOR", "fragile_door")
    ask = surveys._Process.ask

    def patient(process, question, *, wait_s):  # with those that do say something
        is_sleepy = question.asset.name == "sleepy.blend"
        return ask(process, question, wait_s=wait_s if is_sleepy else 120.0)

    monkeypatch.setattr(surveys._Process, "ask", patient)
    path = os.pathsep.join([str(tmp_path / "doors"), *os.environ.get("PYTHONPATH", "").split()])
    monkeypatch.setenv("PYTHONPATH", path)
    named = [
        box_scene.model_copy(update={"name": f"{name}.blend"})
        for name in ("crash", "sleepy", "plain")
    ]

    found = surveys.survey(named, cache=tmp_path / "cache", scene_s=2.0)

    crash, sleepy, plain = (each.scene.refused[0] for each in found)
    assert crash == "Blender ended with code 11 while it read it"
    assert sleepy == "Blender did not open it within 2 s"
    assert plain == "it was read"


TRY = """\
import socket, sys
from pathlib import Path
from farm.settings import load_settings
from worker.attempt.survey import close_off
inside, outside, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
close_off(load_settings(), inside)
(inside / "own").write_text("may be written")
for attempt in (
    lambda: (outside / "other").write_text("may not"),
    lambda: socket.create_connection(("127.0.0.1", port)),
):
    try:
        attempt()
    except PermissionError:
        print("refused")
"""


@pytest.mark.skipif(landlock.version() < landlock.CONNECTS, reason="needs Linux 6.7")
def test_who_looks_into_scenes_writes_nowhere_else_and_reaches_nothing(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", TRY, str(inside), str(outside), str(port)],
            capture_output=True,
            text=True,
            check=True,
        )

    assert done.stdout.split() == ["refused", "refused"]
    assert (inside / "own").exists()


def test_a_machine_without_the_worker_says_what_it_needs(box_scene, tmp_path, monkeypatch):
    monkeypatch.setattr(surveys, "NEEDS", ("no_such_package",))

    with pytest.raises(surveys.SetupError, match=r"pip install 'viewfarm\[worker\]'"):
        surveys.survey([box_scene], cache=tmp_path / "cache")


def test_what_is_baked_is_told_with_its_last_frame(blender, tmp_path):
    asset = write_baked(blender, tmp_path, simulated.cloth)
    facts = blender.survey(asset).facts
    assert facts.simulations == ()
    assert facts.baked == (Baked(name="cloth of Mover", frame_end=250),)


def test_what_moves_by_whole_frames_alone_is_named(facts_of):
    def fill(scene):
        simulated.hair(scene)
        simulated.particles(scene)

    facts = facts_of(fill)
    assert facts.whole_frames == ("particles Hair of Mover",)


def test_a_fluid_is_refused_with_the_way_around_it(facts_of):
    """The Blender of Python packages neither simulates fluids nor reads their caches."""

    def fill(scene):
        for name, kind in (("Sea", "LIQUID"), ("Smoke", "GAS")):
            domain = add_box(scene, name=name).modifiers.new("Fluid", "FLUID")
            domain.fluid_type = "DOMAIN"
            domain.domain_settings.domain_type = kind

    sea, smoke = facts_of(fill).refused
    assert "the fluid of Sea can be neither simulated nor read from its cache" in sea
    assert "export it as Alembic" in sea
    assert "the fluid of Smoke can be neither" in smoke
    assert ".vdb" in smoke
