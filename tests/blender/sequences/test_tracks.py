"""Tracked points stay on their surfaces, and are visible where nothing hides them."""

from __future__ import annotations

import numpy as np
import pytest
from mathutils import Vector

from farm.expand.recipe import expand
from farm.projection import project
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.follow import barycentric, is_close, moments_of, sees
from tests.support.blender.simulated import CLOTH_FACTS, LAST, cloth, write_simulated
from tests.support.blender.street_scene import COPIES, FACTS, MOTIONS, write_street

SIZE = 96


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("scenes") / "street.blend")


def first_hit(moment, record, point):
    """Return the triangle that a camera's ray to a point meets first, and its weights there."""
    pose = np.array(record.camera.world_from_camera)
    start = pose[:3, 3]
    if record.camera.lens is not None:  # orthographic
        start = point + pose[:3, 2] * float((start - point) @ pose[:3, 2])
    place, _, face, _ = moment.tree.ray_cast(Vector(start), Vector(point - start))
    return face, barycentric(np.array(place), moment.points[moment.triangles[face]])


def px_of(record, world):
    pose = np.array(record.camera.world_from_camera)
    return project((world - pose[:3, 3]) @ pose[:3, :3], record.camera)


def follow(blender, film, sequence):
    """Return errors of places (px), and of visibility (right, wrong, missed), by ray casts."""
    numbers = film.numbers(sequence)
    records = [film.records[sequence, number] for number in numbers]
    frames = [film.read(sequence, number, "tracks") for number in numbers]
    moments = moments_of(blender.scene, records)
    errors, right, wrong, missed = [], 0, 0, 0
    for point in range(len(frames[0])):
        shown = next((at for at, rows in enumerate(frames) if rows["visible"][point]), None)
        if shown is None:
            continue
        place = frames[shown]["world"][point].astype(float)
        face, weights = first_hit(moments[shown], records[shown], place)
        for record, rows, moment in zip(records, frames, moments, strict=True):
            world = weights @ moment.points[moment.triangles[face]]
            px = px_of(record, world[None])[0]
            errors.append(np.abs(px - rows["px"][point]).max())
            inside = bool((px >= 0).all() and (px < SIZE).all())
            truth = inside and sees(moment, record.camera, world)
            if inside and is_close(moment, record.camera, world, valid=truth):
                continue  # too close to an edge for either answer to be wrong
            told = bool(rows["visible"][point])
            right += told and truth
            wrong += told and not truth
            missed += truth and not told
    return np.array(errors), right, wrong, missed


FOLLOWED = ("rigid", "shape keys", "armature", "orthographic", "modifier")


@pytest.mark.parametrize("kind", FOLLOWED)
def test_points_stay_on_their_surfaces_and_are_visible_where_rays_reach_them(
    blender, tmp_path, kind
):
    scene = write_street(tmp_path / "street.blend", MOTIONS.get(kind, ""))
    job = film_job(
        scene, FACTS, resolution=SIZE, frame_start=16, frame_end=25, frames=4, frame_step=2,
        passes=("index",), tracks=200,
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    errors, right, wrong, missed = follow(blender, film, sequence)
    rows = film.read(sequence, film.numbers(sequence)[0], "tracks")
    assert len(rows) == 200
    assert not rows["lost"].any()
    assert errors.max() < 0.05
    assert right / (right + wrong) >= 0.99
    assert right / (right + missed) >= 0.99
    assert 0.5 < right / (4 * 200) < 0.99


def film_of(blender, tmp_path, change, *, size=64, passes=("index",), tracks=60, **recipe):
    """Render four neighbouring frames of the street, changed."""
    scene = write_street(tmp_path / "street.blend", change)
    job = film_job(
        scene, FACTS, resolution=size, passes=passes, tracks=tracks,
        **{"frame_start": 20, "frame_end": 23, "frames": 4} | recipe,
    )  # fmt: skip
    return shoot_film(blender, job, tmp_path / "out")


def tracks_of(film):
    [sequence] = film.sequences
    return {number: film.read(sequence, number, "tracks") for number in film.numbers(sequence)}


def points_on(film, number, name):
    """Return which of the points that were chosen in a frame are on an object, by its index."""
    [sequence] = film.sequences
    record, rows = film.records[sequence, number], film.read(sequence, number, "tracks")
    [index] = [each.index for each in record.indices if each.name == name]
    x, y = np.floor(np.nan_to_num(rows["px"])).astype(int).T
    height, width = film.read(sequence, number, "index").shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    shown = np.zeros(len(rows), bool)
    shown[inside] = film.read(sequence, number, "index")[y[inside], x[inside]] == index
    at_centre = (np.abs(rows["px"] - np.floor(rows["px"]) - 0.5) < 1e-3).all(axis=1)
    return shown & rows["visible"] & at_centre


def test_a_frame_s_tracks_are_the_same_bytes_alone_and_in_a_run(blender, street, tmp_path):
    def job(per_task):
        return film_job(
            street, FACTS, frame_start=18, frame_end=23, keyframe_multiplier=[1.5], tracks=50,
            passes=("rgb", "flow"), views_per_task=per_task,
        )  # fmt: skip

    whole = shoot_film(blender, job(100), tmp_path / "whole")
    pieces = shoot_film(blender, job(2), tmp_path / "pieces", list(expand(job(2)))[::-1])
    assert whole.records.keys() == pieces.records.keys()
    for (sequence, number), record in whole.records.items():
        assert "tracks" in record.files
        for name in record.files:
            same = whole.data(sequence, number, name) == pieces.data(sequence, number, name)
            assert same, (number, name)


def test_following_points_changes_no_picture(blender, street, tmp_path):
    options = {"frame_start": 20, "frame_end": 21, "passes": ("rgb", "depth", "flow")}
    plain = shoot_film(blender, film_job(street, FACTS, **options), tmp_path / "plain")
    tracked = shoot_film(blender, film_job(street, FACTS, tracks=9, **options), tmp_path / "more")
    for (sequence, number), record in plain.records.items():
        for name in record.files:
            assert plain.data(sequence, number, name) == tracked.data(sequence, number, name)


def test_what_changes_its_topology_ends_its_tracks(blender, tmp_path):
    change = (
        "m = ball.modifiers.new('a', 'ARRAY'); m.relative_offset_displace = (0, 0, 0.1); "
        "key(m, 'count', (1, 1), (21, 1), (22, 2))"
    )
    film = film_of(blender, tmp_path, change, tracks=3000)
    frames = tracks_of(film)
    before, after = points_on(film, 20, "Ball"), points_on(film, 23, "Ball")
    assert before.sum() >= 3
    assert after.sum() >= 3
    for number, rows in frames.items():
        assert rows["lost"][before].all() == (number > 21)
        assert rows["lost"][before].any() == (number > 21)
        assert rows["lost"][after].all() == (number < 22)
        assert not rows["visible"][rows["lost"]].any()
        assert np.isnan(rows["world"][rows["lost"]]).all()
        others = ~before & ~after & points_on(film, 20, "Floor")
        assert others.any()
        assert not rows["lost"][others].any()


def test_what_vanishes_is_lost_while_it_is_gone(blender, tmp_path):
    change = "key(ball, 'hide_render', (1, False), (21, False), (22, True), (23, False))"
    film = film_of(blender, tmp_path, change, tracks=3000)
    ball = points_on(film, 20, "Ball")
    assert ball.sum() >= 3
    for number, rows in tracks_of(film).items():
        assert rows["lost"][ball].all() == (number == 22)
        assert rows["lost"][ball].any() == (number == 22)


@pytest.mark.parametrize("kind", COPIES)
def test_points_of_copies_stay_where_depth_and_flow_have_them(blender, tmp_path, kind):
    film = film_of(
        blender, tmp_path, COPIES[kind], size=128, tracks=3000,
        passes=("depth", "index", "flow"),
    )  # fmt: skip
    [sequence] = film.sequences
    followed = 0
    frames = tracks_of(film)
    name = "Holder" if kind == "geometry nodes" else "Ball"
    for number in (20, 21, 22):
        rows, after = frames[number], frames[number + 1]
        flow = film.read(sequence, number, "flow_forward")
        depth = film.read(sequence, number, "depth")
        assert not rows["lost"].any()
        for point in np.flatnonzero(points_on(film, number, name)):
            x, y = np.floor(rows["px"][point]).astype(int)
            moved = after["px"][point] - rows["px"][point]
            np.testing.assert_allclose(moved, flow[y, x], atol=0.05)
            np.testing.assert_allclose(rows["depth"][point], depth[y, x], rtol=2e-3)
            followed += 1
    assert followed >= 6


HIDING = {
    "leaf": "m = bpy.data.materials.new('m'); m.use_nodes = True; "
    "m.node_tree.nodes['Principled BSDF'].inputs['Alpha'].default_value = {alpha}; "
    "bpy.ops.mesh.primitive_plane_add(size=30, location=(0, -4, 3), rotation=(1.5708, 0, 0)); "
    "bpy.context.object.data.materials.append(m)",
    "unseen": "bpy.ops.mesh.primitive_plane_add(size=30, location=(0, -4, 3), "
    "rotation=(1.5708, 0, 0)); bpy.context.object.visible_camera = {seen}",
    "near": "bpy.ops.mesh.primitive_plane_add(size=30, location=(0, -8.0, 3), "
    "rotation=(1.5708, 0, 0)); camera.data.clip_start = {clip}",
}


def test_hair_hides_what_it_grows_on(blender, tmp_path):
    change = (
        "wall = bpy.data.objects['Wall']; "
        "p = wall.modifiers.new('p', 'PARTICLE_SYSTEM').particle_system.settings; "
        "p.type = 'HAIR'; p.count = 2000; p.hair_length = 2; "
        "p.radius_scale = 1; p.root_radius = 0.4"
    )
    film = film_of(blender, tmp_path, change, passes=("depth",), tracks=400)
    [sequence] = film.sequences
    covered = 0
    for number, rows in tracks_of(film).items():
        depth = film.read(sequence, number, "depth")
        inside = ((rows["px"] > 2) & (rows["px"] < 62)).all(axis=1)
        for row in rows[inside & (np.abs(rows["world"][:, 1] - 6) < 1e-3)]:  # on the wall
            x, y = np.floor(row["px"]).astype(int)
            around = depth[y - 1 : y + 2, x - 1 : x + 2] / row["depth"]
            if around.max() < 0.99:
                assert not row["visible"]
                covered += 1
        assert rows["visible"].any(), "what stands before the hair, or between"
    assert covered >= 10


@pytest.mark.parametrize("kind", HIDING)
@pytest.mark.parametrize("hides", [True, False])
def test_visible_means_that_the_picture_shows_it(blender, tmp_path, kind, hides):
    change = HIDING[kind].format(
        alpha=0.9 if hides else 0.1, seen=hides, clip=0.1 if hides else 3.0
    )
    film = film_of(blender, tmp_path, change, passes=("depth", "index"))
    [sequence] = film.sequences
    for number, rows in tracks_of(film).items():
        depth = film.read(sequence, number, "depth")
        seen = rows[rows["visible"]]
        x, y = np.floor(seen["px"]).astype(int).T
        near = np.abs(depth[y, x] - seen["depth"]) < 0.1 * seen["depth"]
        assert near.mean() > 0.9 if len(seen) else hides
        behind = rows["world"][:, 1] > -3.5
        assert rows["visible"][behind].any() == (not hides)


def test_a_fisheye_s_points_are_where_it_sees_them(blender, tmp_path):
    change = (
        "camera.data.type = 'PANO'; camera.data.panorama_type = 'FISHEYE_LENS_POLYNOMIAL'; "
        "camera.data.fisheye_fov = 3.4; camera.data.sensor_width = 36.0; "
        "camera.data.fisheye_polynomial_k0 = 0.0; camera.data.fisheye_polynomial_k1 = -0.09; "
        "camera.data.fisheye_polynomial_k2 = 0; camera.data.fisheye_polynomial_k3 = 0; "
        "camera.data.fisheye_polynomial_k4 = 0; "
        "key(camera, 'location', (1, (-1, -3, 2)), (40, (1, -3, 2)))"
    )
    film = film_of(blender, tmp_path, change, size=128, passes=("distance", "index"), tracks=300)
    [sequence] = film.sequences
    rows = tracks_of(film)[20]
    first = rows[:75]
    x, y = np.floor(first["px"]).astype(int).T
    assert first["visible"].mean() > 0.97
    np.testing.assert_allclose(first["px"] - np.floor(first["px"]), 0.5, atol=1e-3)
    pose = np.array(film.records[sequence, 20].camera.world_from_camera)
    far = np.linalg.norm(first["world"] - pose[:3, 3], axis=1)
    seen = film.read(sequence, 20, "distance")[y, x]
    assert (np.abs(far - seen) < 1e-3 * far)[first["visible"]].mean() > 0.97


def test_chosen_points_are_seen_and_spread_over_the_sequence(blender, street, tmp_path):
    job = film_job(street, FACTS, frame_start=1, frame_end=40, frames=40, tracks=100)
    some = [
        task.model_copy(update={"views": tuple(v for v in task.views if v.moment.place in (0, 39))})
        for task in expand(job)
    ]
    film = shoot_film(blender, job, tmp_path / "out", some)
    frames = tracks_of(film)
    assert frames[1]["visible"][:25].mean() > 0.95
    assert frames[40]["visible"][75:].mean() > 0.95
    assert (frames[1]["id"] == np.arange(100)).all()


def test_a_scene_that_shows_nothing_has_no_points(blender, tmp_path):
    change = "camera.rotation_euler = (3.0, 0, 0); camera.animation_data_clear()"
    film = film_of(blender, tmp_path, change)
    assert all(len(rows) == 0 for rows in tracks_of(film).values())


def test_an_open_shutter_changes_no_track(blender, street, tmp_path):
    options = {"frame_start": 20, "frame_end": 21, "passes": ("rgb",), "tracks": 40}
    sharp = shoot_film(blender, film_job(street, FACTS, **options), tmp_path / "sharp")
    blur = options | {"passes": ("rgb", "blur")}
    job = film_job(street, FACTS, shutter=0.5, subframes=2, **blur)
    blurred = shoot_film(blender, job, tmp_path / "blurred")
    for sequence, number in sharp.records:
        same = sharp.data(sequence, number, "tracks") == blurred.data(sequence, number, "tracks")
        assert same, number


def test_points_are_followed_from_a_camera_of_ours(blender, street, tmp_path):
    job = film_job(
        street, FACTS, resolution=SIZE, frame_start=20, frame_end=22, frames=3,
        passes=("depth", "index"), tracks=80, camera="orbit",
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    errors, right, wrong, missed = follow(blender, film, sequence)
    assert errors.max() < 0.05
    assert right / (right + wrong) >= 0.99
    assert right / (right + missed) >= 0.99
    px = [film.read(sequence, number, "tracks")["px"] for number in film.numbers(sequence)]
    assert np.abs(px[2] - px[0]).max() > 0.5, "the camera moves"


def test_points_go_along_with_baked_cloth(blender, tmp_path):
    blender.free_model()  # whose names the scene would otherwise not get
    scene = tmp_path / "cloth.blend"
    write_simulated(scene, cloth)
    job = film_job(
        scene, CLOTH_FACTS, resolution=SIZE, passes=("depth", "index", "flow"), tracks=2000,
        frame_start=LAST - 3, frame_end=LAST, frames=4,
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    first, second, *_ = film.numbers(sequence)
    rows, after = (film.read(sequence, number, "tracks") for number in (first, second))
    flow = film.read(sequence, first, "flow_forward")
    on_cloth = np.flatnonzero(points_on(film, first, "Mover"))
    assert len(on_cloth) >= 20
    assert not after["lost"].any()
    x, y = np.floor(rows["px"][on_cloth]).astype(int).T
    errors = np.abs(after["px"][on_cloth] - rows["px"][on_cloth] - flow[y, x]).max(axis=1)
    assert np.quantile(errors, 0.95) < 0.05
    assert np.abs(flow[y, x]).max() > 0.3, "it moves"
