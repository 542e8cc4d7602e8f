"""Scene flow leads to where points of surfaces are in the neighbouring frame; occlusion says why
they are not seen there."""

from __future__ import annotations

import numpy as np
import pytest

from farm.expand.recipe import expand
from farm.projection import project, rays
from farm.spec.scene_facts import CameraCut
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.follow import moments_of, truth
from tests.support.blender.simulated import CLOTH_FACTS, LAST, cloth, write_simulated
from tests.support.blender.street_scene import COPIES, FACTS, MOTIONS, write_street

SIZE = 96
CARRIED = ("scene_flow", "scene_flow_forward_world", "scene_flow_backward_world", "occlusion")


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("scenes") / "street.blend")


def known(blender, film, sequence, number, other):
    """Return what ray casts say of a frame's points in another one."""
    record, there = film.records[sequence, number], film.records[sequence, other]
    moments = moments_of(blender.scene, (record, there))
    return truth(*moments, record.camera, there.camera, (SIZE, SIZE))


def in_camera(points, camera):
    pose = np.array(camera.world_from_camera)
    return (points - pose[:3, 3]) @ pose[:3, :3]


def shares(told, right):
    """Return precision and recall."""
    return (told & right).sum() / told.sum(), (told & right).sum() / right.sum()


def check_step(film, sequence, number, other, side, seen):
    """Hold scene flow, occlusion and what is out of the frame against ray casts."""
    record, there = film.records[sequence, number], film.records[sequence, other]
    read = lambda name: film.read(sequence, number, name)  # noqa: E731
    there_is = np.isfinite(seen.start).all(axis=-1)
    moved, in_world = read(f"scene_flow_{side}"), read(f"scene_flow_{side}_world")
    np.testing.assert_array_equal(np.isnan(moved), np.isnan(in_world))
    told = np.isfinite(moved).all(axis=-1)
    assert shares(told, there_is)[0] == 1.0
    assert shares(told, there_is)[1] > 0.999
    both = told & there_is
    away = np.abs(in_world - (seen.end - seen.start))[both]
    assert np.quantile(away, 0.999) < 1e-3
    expected = in_camera(seen.end, there.camera) - in_camera(seen.start, record.camera)
    assert np.quantile(np.abs(moved - expected)[both], 0.999) < 1e-3
    assert np.abs(expected[both]).max() > 0.05, "something moves"
    hidden, outside = read(f"occlusion_{side}") > 0, read(f"out_of_frame_{side}") > 0
    far = there_is & ~seen.close
    assert min(shares(hidden & far, ~seen.valid & seen.inside & far)) >= 0.98
    assert min(shares(outside & there_is, ~seen.inside & there_is)) >= 0.98
    assert not (hidden & outside).any()


@pytest.mark.parametrize("kind", [None, *MOTIONS])
def test_points_move_as_ray_casts_say_and_are_hidden_where_these_do_not_reach(
    blender, street, tmp_path, kind
):
    scene = write_street(tmp_path / "street.blend", MOTIONS[kind]) if kind else street
    job = film_job(
        scene, FACTS, resolution=SIZE, frame_start=16, frame_end=25, frames=3, frame_step=4,
        passes=("depth", "index", "flow", *CARRIED),
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    first, second, third = film.numbers(sequence)
    for other, side in ((third, "forward"), (first, "backward")):
        seen = known(blender, film, sequence, second, other)
        check_step(film, sequence, second, other, side, seen)


def street_film(blender, tmp_path, change, *, facts=FACTS, passes=CARRIED, size=SIZE, **recipe):
    """Render neighbouring frames of the street, changed."""
    scene = write_street(tmp_path / "street.blend", change)
    job = film_job(
        scene, facts, resolution=size, passes=("depth", "index", "flow", *passes),
        **{"frame_start": 20, "frame_end": 23, "frames": 4} | recipe,
    )  # fmt: skip
    return shoot_film(blender, job, tmp_path / "out")


def landing_errors(film, number, other, side):
    """Return how far points that move by the scene flow fall from where flow leads (H, W)."""
    [sequence] = film.sequences
    record, there = film.records[sequence, number], film.records[sequence, other]
    depth = film.read(sequence, number, "depth").astype(float)
    height, width = depth.shape
    looked = rays(record.camera, (width, height))
    points = looked.origins + looked.directions * (depth / -looked.directions[..., 2])[..., None]
    ends = points + film.read(sequence, number, f"scene_flow_{side}")
    px = project(ends, there.camera)
    centres = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    flow = film.read(sequence, number, f"flow_{side}")
    return np.linalg.norm(px - centres - flow, axis=-1)


def check_landing(film, *, known=0.99, names=()):
    """Hold that points land where flow leads, and that nearly all are known; of some things, or
    of all."""
    [sequence] = film.sequences
    numbers = film.numbers(sequence)
    for at, number in enumerate(numbers):
        index = film.read(sequence, number, "index")
        wanted = [
            each.index for each in film.records[sequence, number].indices if each.name in names
        ]
        of = np.isin(index, wanted) if names else index > 0
        assert of.sum() > 20
        for side, other in (("forward", at + 1), ("backward", at - 1)):
            if not 0 <= other < len(numbers):
                continue
            errors = landing_errors(film, number, numbers[other], side)[of]
            there = np.isfinite(film.read(sequence, number, f"scene_flow_{side}")[of]).all(axis=-1)
            assert there.mean() > known
            assert np.nanquantile(errors, 0.99) < 0.05


FISHEYE = (
    "camera.data.type = 'PANO'; camera.data.panorama_type = 'FISHEYE_LENS_POLYNOMIAL'; "
    "camera.data.fisheye_fov = 2.6; camera.data.sensor_width = 36.0; "
    "camera.data.fisheye_polynomial_k0 = 0.0; camera.data.fisheye_polynomial_k1 = -0.07; "
    "camera.data.fisheye_polynomial_k2 = 0; camera.data.fisheye_polynomial_k3 = 0; "
    "camera.data.fisheye_polynomial_k4 = 0; "
)
LEAF = (
    "m = bpy.data.materials.new('m'); m.use_nodes = True; n = m.node_tree.nodes; "
    "c = n.new('ShaderNodeTexChecker'); c.inputs['Scale'].default_value = 4; "
    "p = n.new('ShaderNodeTexCoord'); m.node_tree.links.new(p.outputs['Object'], c.inputs[0]); "
    "m.node_tree.links.new(c.outputs['Fac'], n['Principled BSDF'].inputs['Alpha']); "
    "bpy.ops.mesh.primitive_plane_add(size=3, location=(0, -4, 2), rotation=(1.5708, 0, 0)); "
    "leaf = bpy.context.object; leaf.name = 'Leaf'; leaf.data.materials.append(m); "
    "key(leaf, 'location', (1, (-2, -4, 2)), (40, (2, -4, 2))); "
)
BLURRED = (
    "camera.data.dof.use_dof = True; camera.data.dof.focus_distance = 3; "
    "camera.data.dof.aperture_fstop = 0.5; "
)


@pytest.mark.parametrize("kind", COPIES)
def test_copies_move_by_themselves(blender, tmp_path, kind):
    film = street_film(blender, tmp_path, COPIES[kind])
    check_landing(film, names=("Holder",) if kind == "geometry nodes" else ("Ball",))


@pytest.mark.parametrize("change", [FISHEYE, LEAF, BLURRED], ids=["fisheye", "leaf", "blurred"])
def test_points_land_where_flow_leads(blender, tmp_path, change):
    """Also what is seen through holes, and beside a picture of several samples."""
    film = street_film(blender, tmp_path, change, passes=("rgb", *CARRIED))
    check_landing(film)
    if change == LEAF:
        check_landing(film, names=("Leaf",))


def test_points_land_where_flow_leads_from_a_camera_of_ours_in_slow_motion(
    blender, street, tmp_path
):
    job = film_job(
        street, FACTS, resolution=SIZE, frame_start=20, frame_end=22, frames=4,
        keyframe_multiplier=[2], passes=("depth", "index", "flow", *CARRIED),
        camera={"kind": "orbit", "target": "Cube", "radius": 8, "height": 3, "speed": 4},
    )  # fmt: skip
    check_landing(shoot_film(blender, job, tmp_path / "out"))


def test_baked_cloth_carries_its_points(blender, tmp_path):
    blender.free_model()  # whose names the scene would otherwise not get
    scene = tmp_path / "cloth.blend"
    write_simulated(scene, cloth)
    job = film_job(
        scene, CLOTH_FACTS, resolution=SIZE, passes=("depth", "index", "flow", *CARRIED),
        frame_start=LAST - 2, frame_end=LAST, frames=3,
    )  # fmt: skip
    check_landing(shoot_film(blender, job, tmp_path / "out"), names=("Mover",))


def known_of(film, number, name):
    """Return the shares of a thing's pixels that each pass of a frame tells of."""
    [sequence] = film.sequences
    record = film.records[sequence, number]
    [index] = [each.index for each in record.indices if each.name == name]
    of = film.read(sequence, number, "index") == index
    assert of.any()
    told = {}
    for pass_name in film.records[sequence, number].files:
        pixels = film.read(sequence, number, pass_name)[of]
        if pass_name.startswith("scene_flow"):
            told[pass_name] = np.isfinite(pixels).all(axis=-1).mean()
        elif pass_name.startswith(("occlusion", "out_of_frame")):
            told[pass_name] = (pixels > 0).mean()
    return told


def test_what_changes_its_topology_is_not_known(blender, tmp_path):
    change = (
        "m = ball.modifiers.new('a', 'ARRAY'); m.relative_offset_displace = (0, 0, 0.1); "
        "key(m, 'count', (1, 1), (21, 1), (22, 2))"
    )
    film = street_film(blender, tmp_path, change)
    before, after = known_of(film, 21, "Ball"), known_of(film, 22, "Ball")
    for name, share in before.items():
        assert share == 0 if "forward" in name else share > 0.99 or not name.startswith("scene")
    for name, share in after.items():
        assert share == 0 if "backward" in name else share > 0.99 or not name.startswith("scene")
    assert known_of(film, 21, "Floor")["scene_flow_forward"] > 0.99


def test_what_vanishes_is_neither_hidden_nor_out_of_the_frame(blender, tmp_path):
    change = "key(ball, 'hide_render', (1, True), (21, True), (22, False), (23, True))"
    film = street_film(blender, tmp_path, change)
    assert set(known_of(film, 22, "Ball").values()) == {0}


def test_hair_is_on_no_mesh(blender, tmp_path):
    change = (
        "wall = bpy.data.objects['Wall']; "
        "p = wall.modifiers.new('p', 'PARTICLE_SYSTEM').particle_system.settings; "
        "p.type = 'HAIR'; p.count = 2000; p.hair_length = 2; "
        "p.radius_scale = 1; p.root_radius = 0.4"
    )
    film = street_film(blender, tmp_path, change)
    [sequence] = film.sequences
    index, depth = (film.read(sequence, 21, name) for name in ("index", "depth"))
    [wall] = [each.index for each in film.records[sequence, 21].indices if each.name == "Wall"]
    camera = film.records[sequence, 21].camera
    looked = rays(camera, (SIZE, SIZE))
    there = np.where(index == wall, depth / -looked.directions[..., 2], 0.0)
    pose = np.array(camera.world_from_camera)
    y = (looked.directions * there[..., None] @ pose[:3, :3].T + pose[:3, 3])[..., 1]
    hair = (index == wall) & (y < 5.9)
    moved = film.read(sequence, 21, "scene_flow_forward")
    assert hair.sum() > 100
    assert np.isnan(moved[hair]).all()
    assert np.isfinite(moved[(index == wall) & (np.abs(y - 6) < 1e-3)]).all()


def test_nothing_is_known_of_frames_that_are_not_there(blender, tmp_path):
    change = (
        "two = bpy.data.objects.new('Two', bpy.data.cameras.new('Two')); "
        "scene.collection.objects.link(two); two.location = (0, -12, 3); "
        "two.rotation_euler = (1.3, 0, 0); "
        "m = scene.timeline_markers.new('a', frame=1); m.camera = camera; "
        "m = scene.timeline_markers.new('b', frame=22); m.camera = two"
    )
    facts = FACTS.model_copy(
        update={
            "cameras": ("Cam", "Two"),
            "cuts": (CameraCut(frame=1, camera="Cam"), CameraCut(frame=22, camera="Two")),
        }
    )
    film = street_film(blender, tmp_path, change, facts=facts)
    for number, side in ((20, "backward"), (21, "forward"), (22, "backward"), (23, "forward")):
        told = known_of(film, number, "Floor")
        assert {share for name, share in told.items() if side in name} == {0}
    assert known_of(film, 20, "Floor")["scene_flow_forward"] > 0.99
    assert known_of(film, 23, "Floor")["scene_flow_backward"] > 0.99


def test_a_frame_is_the_same_alone_in_a_run_and_whatever_else_is_asked_for(
    blender, street, tmp_path
):
    def job(per_task, passes, **recipe):
        return film_job(
            street, FACTS, frame_start=18, frame_end=23, keyframe_multiplier=[1.5],
            views_per_task=per_task, passes=passes, **recipe,
        )  # fmt: skip

    both = ("rgb", "flow", *CARRIED)
    whole = shoot_film(blender, job(100, both, tracks=20), tmp_path / "whole")
    pieces = shoot_film(
        blender, job(2, both, tracks=20), tmp_path / "pieces", list(expand(job(2, both)))[::-1]
    )
    alone = shoot_film(blender, job(100, ("scene_flow", "occlusion")), tmp_path / "alone")
    plain = shoot_film(blender, job(100, ("rgb", "flow"), tracks=20), tmp_path / "plain")
    blurred = shoot_film(
        blender, job(100, ("blur", *CARRIED), shutter=0.5, subframes=2), tmp_path / "blurred"
    )
    for sequence, number in whole.records:
        for other in (pieces, alone, plain, blurred):
            for name in other.records[sequence, number].files.keys() - {"blur"}:
                same = whole.data(sequence, number, name) == other.data(sequence, number, name)
                assert same, (number, name)
