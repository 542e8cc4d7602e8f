"""Cameras of ours move smoothly, keep clear of what stands there, and see what they film."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

from farm.errors import AssetError
from farm.expand.recipe import expand
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.rooms import SOLIDS, STILL, distance_to, write_room
from tests.support.blender.scenes import add_box, blend_file
from tests.support.blender.simulated import falling_box, write_simulated
from worker.recipes.paths.lay import lay_paths
from worker.recipes.paths.walk import MOST_JERK, PACES_S

FRAMES = 97
STATUE = np.array(SOLIDS["Statue"][1])
CLIP = 0.1
REACH = CLIP * np.hypot(1, 0.36 * np.sqrt(2))
"""From a camera of 50 mm to the corners of its near plane, in a square picture."""


@pytest.fixture(scope="module")
def room(blender, tmp_path_factory):
    blender.free_model()
    return write_room(tmp_path_factory.mktemp("rooms") / "room.blend")


def laid(blender, scene, *, facts=STILL, seed=0, frames=FRAMES, recipe=None, **camera):
    """Return the poses (frames, 4, 4) of a camera in a scene."""
    job = film_job(scene, facts, frames=frames, camera=camera, **(recipe or {}))
    job = job.model_copy(update={"spec": job.spec.model_copy(update={"seed": seed})})
    task = next(iter(expand(job)))
    opened = blender.open_scene(task.assets[0])
    with blender.surroundings(opened) as there:
        [poses] = lay_paths(task, there).values()
    return poses


def jerks(poses, fps=24.0):
    """Return how large the third derivative of the camera's place is, per frame."""
    return np.linalg.norm(np.diff(poses[:, :3, 3], n=3, axis=0), axis=-1) * fps**3


def speeds(poses, fps=24.0):
    return np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=-1) * fps


def clearance(poses, names=tuple(SOLIDS)):
    return min(distance_to(name, poses[:, :3, 3]).min() for name in names)


def off_axis(poses, at):
    """Return the angles between where cameras look and a point, degrees."""
    way = at - poses[:, :3, 3]
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    return np.degrees(np.arccos(np.clip((-poses[:, :3, 2] * way).sum(axis=-1), -1, 1)))


@pytest.mark.parametrize("seed", range(5))
def test_a_random_walk_in_a_room_runs_into_nothing_and_sees_its_target(blender, room, seed):
    poses = laid(blender, room, seed=seed, kind="random_walk", speed=0.8, target="Statue")

    assert clearance(poses) > REACH
    inside = np.abs(poses[:, :2, 3]).max() < 4 and 0 < poses[:, 2, 3].min() < 3
    assert inside, "the statue is in the room, so is who sees it"
    assert off_axis(poses, STATUE).max() < 0.01
    assert np.allclose(speeds(poses), 0.8, rtol=0.02)
    bound = MOST_JERK * 0.8 / PACES_S[0] ** 2  # there is room enough for long strides

    assert jerks(poses).max() < bound


def test_walks_of_other_seeds_are_others(blender, room):
    one, other = (
        laid(blender, room, seed=seed, kind="random_walk", target="Statue") for seed in (0, 1)
    )
    assert np.abs(one - other).max() > 0.1


def test_an_orbit_is_a_circle_at_its_speed(blender, room):
    poses = laid(
        blender, room, kind="orbit", target="Statue", radius=1.4, height=0.8, speed=1.2, frames=49
    )
    off = poses[:, :3, 3] - STATUE
    assert np.allclose(np.hypot(off[:, 0], off[:, 1]), 1.4)
    assert np.allclose(off[:, 2], 0.8)
    assert np.allclose(speeds(poses), 1.2, rtol=1e-3)
    assert jerks(poses).max() < 1.01 * 1.2**3 / 1.4**2


def test_an_orbit_shrinks_to_what_is_free(blender, room):
    """All around, the pillar and the walls leave less than what fills the picture."""
    poses = laid(blender, room, kind="orbit", target="Statue", speed=2.0, frames=80)
    assert clearance(poses) > REACH


def test_an_orbit_that_has_no_room_is_refused_with_a_remedy(blender, room):
    with pytest.raises(AssetError) as refused:
        laid(blender, room, kind="orbit", target="Statue", radius=4.5, height=1.0, speed=10.0)
    text = str(refused.value)
    assert text.startswith(str(room))
    assert "there is no free path for its camera (orbit): at frame" in text
    assert "give it another radius, height or target" in text


def test_a_pan_turns_to_the_right_and_passes_its_target(blender, room):
    poses = laid(
        blender, room, kind="pan", target="Statue", position=[-2.5, -2.5, 1.2], speed=20, frames=25
    )
    ahead = -poses[:, :3, 2]
    yaw = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    assert np.allclose(np.diff(np.degrees(yaw)) * 24, -20)
    assert off_axis(poses, STATUE)[12] < 0.01
    assert np.ptp(poses[:, :3, 3], axis=0).max() == 0


def test_a_dolly_goes_straight_to_its_target_and_stops_short_of_it(blender, room):
    poses = laid(blender, room, kind="dolly", target="Statue", speed=0.5, frames=49)
    distances = np.linalg.norm(poses[:, :3, 3] - STATUE, axis=-1)
    assert np.allclose(np.diff(distances) * 24, -0.5)
    assert clearance(poses) > REACH


def test_a_dolly_that_would_pass_its_target_is_refused(blender, room):
    where = {"kind": "dolly", "target": "Statue"}
    for more in ({"position": [-2, -2, 1], "speed": 5}, {"speed": 50}):
        with pytest.raises(AssetError, match=r"\(dolly\): its way is longer than .* or fewer"):
            laid(blender, room, **where, **more)


def test_nothing_of_a_path_starts_inside_of_a_body(blender, room):
    with pytest.raises(AssetError, match="the camera is inside of 'Pillar'"):
        laid(blender, room, kind="pan", position=[1.4, 0.4, 1.0], target="Pillar", frames=5)


def test_what_moves_is_kept_clear_of_in_each_frame(blender, tmp_path):
    """A gate closes in front of the statue; whoever looks at the first frame alone is cut."""
    blender.free_model()
    path = tmp_path / "gate.blend"
    with blend_file(path) as scene:
        add_box(scene, name="Statue", size=(0.5, 0.5, 1.0))
        gate = add_box(scene, name="Gate", size=(0.1, 6.0, 6.0))
        for frame, x in ((1, 9.0), (25, 1.5)):
            gate.location.x = x
            gate.keyframe_insert("location", frame=frame)
    facts = STILL.model_copy(update={"frame_end": 25})
    for seed in range(3):
        poses = laid(
            blender, path, facts=facts, seed=seed, kind="random_walk", target="Statue", frames=25
        )
        xs = poses[:, 0, 3]
        gates = 9.0 + (1.5 - 9.0) * smooth(np.arange(25) / 24)
        outside = np.abs(poses[:, 1:3, 3]).max(axis=-1) > 3.0
        assert ((np.abs(xs - gates) > 0.05 + CLIP) | outside).all(), seed


def smooth(share):
    """Blender eases its keys: near enough for a gate, its curve is 3 s^2 - 2 s^3."""
    return 3 * share**2 - 2 * share**3


def test_an_object_that_is_not_there_is_named_with_those_that_are(blender, room):
    with pytest.raises(AssetError, match="no object 'Stature' to look at; it has 'Ceiling'"):
        laid(blender, room, kind="orbit", target="Stature")


AGAIN = """\
import sys, numpy as np
from pathlib import Path
from tests.blender.sequences.test_paths import laid
from worker.blender.session import BlenderSession
blender = BlenderSession("cpu", Path(sys.argv[2]), threads=1)
poses = laid(blender, Path(sys.argv[1]), seed=3, kind="random_walk", target="Statue")
np.save(sys.argv[3], poses)
"""


def test_another_process_lays_the_same_path(blender, room, tmp_path):
    here = laid(blender, room, seed=3, kind="random_walk", target="Statue")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    out = tmp_path / "poses.npy"
    command = [sys.executable, "-c", AGAIN, str(room), str(scratch), str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(out), here)


def test_frames_are_rendered_from_the_path_that_their_maker_laid(blender, room, tmp_path):
    job = film_job(
        room, STILL, frames=3, passes=("index",), camera={"kind": "orbit", "target": "Statue"}
    )
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    assert film.numbers(sequence) == [1, 2, 3]
    for number in (1, 2, 3):
        record = film.records[sequence, number]
        statue = next(label.index for label in record.indices if label.name == "Statue")
        index = film.read(sequence, number, "index")
        assert index[28:36, 28:36].max() == index[28:36, 28:36].min() == statue
    places = [
        np.array(film.records[sequence, n].camera.world_from_camera)[:3, 3] for n in (1, 2, 3)
    ]
    assert np.allclose(np.linalg.norm(np.diff(places, axis=0), axis=-1) * 24, 1.0, rtol=1e-3)


def upright(x, y, z, yaw_deg):
    """Return x, y, z and quaternion of OpenGL's camera that looks level towards a yaw."""
    # Half-way between standing on its lens and level is a quarter of a turn around X.
    half = np.radians(yaw_deg - 90) / 2
    tilt, turn = np.sqrt(0.5), (np.cos(half), np.sin(half))
    return (x, y, z, tilt * turn[0], tilt * turn[1], tilt * turn[1], tilt * turn[0])


def test_a_trajectory_is_followed_at_its_times_and_smooth_between(blender, room):
    way = [(0.0, *upright(-3, -3, 1.5, 45)), (1.0, *upright(-2, -3, 1.5, 90)),
           (3.0, *upright(0, -2, 1.2, 100))]  # fmt: skip
    poses = laid(blender, room, kind="trajectory", poses=way, frames=73)
    assert np.allclose(poses[[0, 24, 72], :3, 3], [pose[1:4] for pose in way])
    ahead = -poses[[0, 24, 72], :3, 2]
    assert np.allclose(np.degrees(np.arctan2(ahead[:, 1], ahead[:, 0])), [45, 90, 100])
    assert np.allclose(ahead[:, 2], 0, atol=1e-9)
    bends = np.diff(poses[:, :3, 3], n=2, axis=0) * 24**2
    assert np.linalg.norm(np.diff(bends, axis=0), axis=-1).max() < 0.25, "no jump of acceleration"


def test_a_trajectory_through_a_wall_is_refused_with_the_frame_and_the_wall(blender, room):
    way = [(0.0, *upright(-3, 0, 1.5, 180)), (2.0, *upright(-6, 0, 1.5, 180))]
    with pytest.raises(AssetError, match=r"trajectory\): at frame \d+ the camera .* 'West'"):
        laid(blender, room, kind="trajectory", poses=way, frames=25)


def test_slow_motion_follows_a_trajectory_in_the_scenes_time(blender, room):
    way = [(0.0, *upright(-3, -3, 1.5, 45)), (2.0, *upright(0, -3, 1.5, 45))]
    poses = laid(
        blender, room, kind="trajectory", poses=way, frames=49, recipe={"keyframe_multiplier": [2]}
    )
    assert np.allclose(poses[:, 0, 3], -3 + 1.5 * np.arange(49) / 48)


def test_what_is_not_rendered_is_in_nobodys_way(blender, tmp_path):
    """A mist, a helper that only windows show, and one that no camera sees, fill the scene."""
    blender.free_model()
    path = tmp_path / "mist.blend"
    with blend_file(path) as scene:
        add_box(scene, name="Statue")
        mist = bpy.data.materials.new("mist")
        nodes = mist.node_tree
        nodes.nodes.remove(nodes.nodes["Principled BSDF"])
        volume = nodes.nodes.new("ShaderNodeVolumePrincipled")
        nodes.links.new(volume.outputs["Volume"], nodes.nodes["Material Output"].inputs["Volume"])
        add_box(scene, name="Mist", size=(20, 20, 20), material=mist)
        add_box(scene, name="Helper", size=(15, 15, 15)).hide_render = True
        add_box(scene, name="Blocker", size=(12, 12, 12)).visible_camera = False
    poses = laid(blender, path, kind="orbit", target="Statue", radius=4.0, height=1.0, frames=24)
    assert len(poses) == 24


def test_what_windows_hide_is_in_the_way_if_it_is_rendered(blender, tmp_path):
    blender.free_model()
    path = tmp_path / "hidden.blend"
    with blend_file(path) as scene:
        add_box(scene, name="Statue")
        wall = add_box(scene, name="Wall", size=(8, 0.2, 8), at=(0, 3, 0))
        wall.hide_viewport, wall.display_type = True, "BOUNDS"
    with pytest.raises(AssetError, match="'Wall'"):
        laid(blender, path, kind="orbit", target="Statue", radius=4, height=1, speed=30, frames=24)
    [wall] = [item for item in blender.scene.objects if item.name == "Wall"]
    assert wall.display_type == "BOUNDS", "the scene is as it was"


def test_a_target_that_moves_is_followed(blender, tmp_path):
    blender.free_model()
    path = tmp_path / "runner.blend"
    with blend_file(path) as scene:
        add_box(scene, name="Floor", size=(40, 40, 0.1), at=(0, 0, -1))
        runner = bpy.data.objects.new("Runner", None)
        scene.collection.objects.link(runner)
        add_box(scene, name="Body").parent = runner
        for frame, x in ((1, 0.0), (48, 6.0)):
            runner.location.x = x
            runner.keyframe_insert("location", frame=frame)
    facts = STILL.model_copy(update={"frame_end": 48})
    poses = laid(
        blender, path, facts=facts, kind="random_walk", target="Runner", frames=48, speed=2
    )
    ends = off_axis(poses, np.array([0.0, 0, 0]))[0], off_axis(poses, np.array([6.0, 0, 0]))[-1]
    assert max(ends) < 0.01


def test_a_path_hangs_on_nothing_that_was_rendered_before(blender, room, tmp_path):
    """The scene is warm, its time was stretched, and it looks through another camera."""
    camera = {"kind": "random_walk", "target": "Statue"}
    cold = laid(blender, room, frames=20, recipe={"keyframe_multiplier": [2.5]}, **camera)
    job = film_job(
        room, STILL, frames=2, passes=("depth",), keyframe_multiplier=[2.5], camera=camera
    )
    shoot_film(blender, job, tmp_path / "out")
    warm = laid(blender, room, frames=20, recipe={"keyframe_multiplier": [2.5]}, **camera)
    assert np.array_equal(cold, warm)


def test_a_path_avoids_what_falls_as_it_was_baked(blender, tmp_path):
    """The same maker bakes first; the frames are of the baked scene and of that path."""
    asset = write_simulated(tmp_path / "falls.blend", falling_box)
    facts = STILL.model_copy(update={"frame_end": 12, "simulations": ("rigid bodies",)})
    job = film_job(
        Path(asset.path), facts, frames=12, passes=("index",),
        camera={"kind": "orbit", "target": "Mover", "radius": 6.0, "height": 2.0},
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    eyes = [np.array(film.records[sequence, number].camera.world_from_camera)
            for number in film.numbers(sequence)]  # fmt: skip
    assert len(eyes) == 12
    assert np.ptp([eye[2, 3] for eye in eyes]) < 1e-6
    downs = [-eye[2, 2] for eye in eyes]
    assert downs[-1] < downs[0] - 0.05, "it looks after what falls"
