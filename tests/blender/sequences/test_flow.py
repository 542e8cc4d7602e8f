"""Flow leads to the neighbouring frame of the dataset, and says where it can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from farm.expand.recipe import expand
from farm.spec.scene_facts import CameraCut
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.follow import moments_of, truth
from tests.support.blender.street_scene import FACTS, MOTIONS, write_street

SIZE = 96


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("scenes") / "street.blend")


def measured(blender, film, sequence, number, other, side):
    """Return flow errors (px), and how valid pixels were told: (right, wrong, missed)."""
    record, there = film.records[sequence, number], film.records[sequence, other]
    moments = moments_of(blender.scene, (record, there))
    known = truth(*moments, record.camera, there.camera, (SIZE, SIZE))
    flow = film.read(sequence, number, f"flow_{side}")
    told = film.read(sequence, number, f"flow_{side}_valid") > 0
    seen = np.isfinite(known.flow).all(axis=-1)
    errors = np.linalg.norm(flow - known.flow, axis=-1)[seen & known.valid]
    far = seen & ~known.close
    return (
        errors,
        (told & known.valid & far).sum(),
        (told & ~known.valid & far).sum(),
        (~told & known.valid & far).sum(),
        told,
        known,
    )


@pytest.mark.parametrize(
    "recipe",
    [{}, {"keyframe_multiplier": [2.5]}, {"frame_step": 3}],
    ids=["each", "slow", "steps"],
)
def test_flow_is_to_the_neighbour_and_valid_where_it_is_seen(blender, street, tmp_path, recipe):
    job = film_job(
        street, FACTS, resolution=SIZE, frame_start=18, frame_end=24, frames=2,
        passes=("index", "flow"), **recipe,
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    first, second = film.numbers(sequence)
    for number, other, side in ((first, second, "forward"), (second, first, "backward")):
        errors, right, wrong, missed, *_ = measured(blender, film, sequence, number, other, side)
        assert np.quantile(errors, 0.999) < 0.05
        assert right / (right + wrong) >= 0.99
        assert right / (right + missed) >= 0.99
    assert not film.read(sequence, first, "flow_backward_valid").any(), "there is none before"
    assert not film.read(sequence, second, "flow_forward_valid").any(), "there is none after"


def moved_far(known):
    return np.nanmax(np.linalg.norm(known.flow, axis=-1)) > 0.3


def check_middle_of_three(blender, film):
    """Hold that flow leads from the second frame to its neighbours, and is valid where it is."""
    [sequence] = film.sequences
    first, second, third = film.numbers(sequence)
    for other, side in ((third, "forward"), (first, "backward")):
        errors, right, wrong, missed, _, known = measured(
            blender, film, sequence, second, other, side
        )
        assert moved_far(known)
        assert np.quantile(errors, 0.99) < 0.05
        assert right / (right + wrong) >= 0.99
        assert right / (right + missed) >= 0.99


@pytest.mark.parametrize("kind", MOTIONS)
def test_flow_is_right_for_each_kind_of_motion(blender, tmp_path, kind):
    scene = write_street(tmp_path / "street.blend", MOTIONS[kind])
    job = film_job(
        scene, FACTS, resolution=SIZE, frame_start=20, frame_end=25, frames=3, frame_step=2,
        passes=("index", "flow"),
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    check_middle_of_three(blender, film)


TURNED_ROUND = (
    "cube.animation_data_clear(); cube.location = (0, 0, 1); "
    "key(cube, 'rotation_euler', (20, (0, 0, 0)), (21, (0, 0, 3.14159265))); "
    "camera.animation_data_clear(); camera.location = (0, -9, 1.5); "
    "camera.rotation_euler = (1.5707963, 0, 0); "
    "camera.data.type = 'ORTHO'; camera.data.ortho_scale = 5"
)


def test_what_has_turned_round_is_not_taken_for_what_is_behind_it(blender, tmp_path):
    """Seen from the front without perspective, the back of a cube lands where its front does, and
    flows back to where that came from: only depth tells one from the other."""
    scene = write_street(tmp_path / "street.blend", TURNED_ROUND)
    job = film_job(
        scene, FACTS, resolution=SIZE, frame_start=20, frame_end=21, frames=2,
        passes=("index", "flow"),
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    for number, other, side in ((20, 21, "forward"), (21, 20, "backward")):
        errors, right, wrong, missed, told, known = measured(
            blender, film, sequence, number, other, side
        )
        cube = known.owner == "Cube"
        assert cube.sum() > 500
        assert not known.valid[cube].any()
        assert not told[cube].any()
        assert np.quantile(errors, 0.999) < 0.05
        assert right / (right + wrong) >= 0.99
        assert right / (right + missed) >= 0.99


PATHS = {
    "orbit": {"kind": "orbit", "target": "Cube", "radius": 8, "height": 3, "speed": 4},
    "pan": {"kind": "pan", "position": [-1, -9, 4], "target": [0, 0, 1], "speed": 30},
    "dolly": {"kind": "dolly", "position": [-1, -9, 4], "target": [0, 0, 1], "speed": 6},
    "random_walk": {"kind": "random_walk", "target": "Cube", "speed": 3},
}


@pytest.mark.parametrize("kind", PATHS)
def test_flow_is_right_along_paths_of_our_own(blender, street, tmp_path, kind):
    """Where the camera is in the frames beside is known, between the file's frames, too."""
    pace = {"frame_step": 2} if kind == "dolly" else {"keyframe_multiplier": [2]}
    job = film_job(
        street, FACTS, resolution=SIZE, frame_start=20, frame_end=25, frames=3,
        passes=("index", "flow"), camera=PATHS[kind], **pace,
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    check_middle_of_three(blender, film)


ARRAY = (
    "m = ball.modifiers.new('a', 'ARRAY'); m.relative_offset_displace = (0, 0, 0.1); "
    "key(m, 'count', (1, 1), (21, 1), (22, 2)); "
)
CHANGES = {
    "everywhere": ARRAY,
    "in a render alone": ARRAY + "m.show_viewport = False",
    "render levels": "m = ball.modifiers.new('m', 'MULTIRES'); "
    "bpy.context.view_layer.objects.active = ball; "
    "bpy.ops.object.multires_subdivide(modifier='m'); m.levels = 0; "
    "key(m, 'render_levels', (1, 0), (21, 0), (22, 1))",
    "a text": "name = ball.name; bpy.data.objects.remove(ball); "
    "t = bpy.data.curves.new('t', 'FONT'); t.body = 'O'; t.size = 2; t.extrude = 0.3; "
    "ball = bpy.data.objects.new(name, t); scene.collection.objects.link(ball); "
    "ball.location, ball.rotation_euler = (-1, -2, 0.5), (1.3, 0, 0); "
    "t.bevel_depth = 0.05; "
    "key(t, 'bevel_resolution', (1, 0), (21, 0), (22, 3))",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_its_topology_has_no_valid_flow(blender, tmp_path, change):
    scene = write_street(tmp_path / "street.blend", change)
    job = film_job(
        scene, FACTS, frame_start=20, frame_end=23, frames=4, passes=("index", "flow")
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    shares = {}
    for number in film.numbers(sequence):
        record = film.records[sequence, number]
        [index] = [each.index for each in record.indices if each.name == "Ball"]
        ball = film.read(sequence, number, "index") == index
        shares[number] = {
            side: (film.read(sequence, number, f"flow_{side}_valid")[ball] > 0).mean()
            for side in ("forward", "backward")
        }
    assert shares[20]["forward"] > 0.8
    assert shares[21] == {"forward": 0, "backward": pytest.approx(shares[21]["backward"])}
    assert shares[22]["backward"] == 0
    assert min(shares[21]["backward"], shares[22]["forward"]) > 0.8


def test_what_appears_and_vanishes_is_labelled_and_has_no_flow_there(blender, tmp_path):
    change = "key(ball, 'hide_render', (1, True), (21, True), (22, False), (23, True))"
    scene = write_street(tmp_path / "street.blend", change)
    job = film_job(
        scene, FACTS, frame_start=20, frame_end=23, frames=4, passes=("index", "flow")
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    for number in film.numbers(sequence):
        record = film.records[sequence, number]
        [index] = [each.index for each in record.indices if each.name == "Ball"]
        ball = film.read(sequence, number, "index") == index
        assert ball.any() == (number == 22)
        assert ("Ball" in {each.name for each in record.objects}) == (number == 22)
        for side in ("forward", "backward"):
            assert not film.read(sequence, number, f"flow_{side}_valid")[ball].any()


def test_a_cut_to_another_camera_is_marked(blender, tmp_path):
    change = (
        "two = bpy.data.objects.new('Two', bpy.data.cameras.new('Two')); "
        "scene.collection.objects.link(two); two.location = (0, -12, 3); "
        "two.rotation_euler = (1.3, 0, 0); "
        "m = scene.timeline_markers.new('a', frame=1); m.camera = camera; "
        "m = scene.timeline_markers.new('b', frame=22); m.camera = two"
    )
    scene = write_street(tmp_path / "street.blend", change)
    facts = FACTS.model_copy(
        update={
            "cameras": ("Cam", "Two"),
            "cuts": (CameraCut(frame=1, camera="Cam"), CameraCut(frame=22, camera="Two")),
        }
    )
    job = film_job(
        scene, facts, frame_start=20, frame_end=23, frames=4, passes=("index", "flow")
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    cameras = [film.records[sequence, number].view.camera.name for number in (20, 21, 22, 23)]
    assert cameras == ["Cam", "Cam", "Two", "Two"]
    assert film.read(sequence, 20, "flow_forward_valid").any()
    assert not film.read(sequence, 21, "flow_forward_valid").any()
    assert not film.read(sequence, 22, "flow_backward_valid").any()
    assert film.read(sequence, 22, "flow_forward_valid").any()


def test_a_frame_is_the_same_bytes_alone_and_in_a_run(blender, street, tmp_path):
    def job(per_task):
        return film_job(
            street, FACTS, frame_start=18, frame_end=23, keyframe_multiplier=[1.5],
            views_per_task=per_task,
        )  # fmt: skip

    whole = shoot_film(blender, job(100), tmp_path / "whole")
    pieces = shoot_film(blender, job(2), tmp_path / "pieces", list(expand(job(2)))[::-1])
    assert whole.records.keys() == pieces.records.keys()
    for (sequence, number), record in whole.records.items():
        for name in record.files:
            same = whole.data(sequence, number, name) == pieces.data(sequence, number, name)
            assert same, (number, name)
