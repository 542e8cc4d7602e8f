"""Pictures and labels through every lens, against rays that are cast by hand."""

from __future__ import annotations

import math

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from farm.errors import AssetError
from farm.spec.camera import (
    FileCamera,
    FisheyeLens,
    OrthographicLens,
    PoseCamera,
    orbit_matrix,
)
from tests.support.blender import rays, still_life
from tests.support.blender.lenses import take
from tests.support.blender.rays import look, settled
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import changed
from tests.support.lenses import BENT_FISHEYE, LENSES, POSE

INSIDE = orbit_matrix(yaw_deg=150.0, pitch_deg=8.0, distance=0.75)
"""Between the things: some are beside and behind the camera."""
MISSED_PX = 0.004
"""Cycles meets a pixel's centre within so much."""
SIZES = ((64, 48), (45, 71))


@pytest.fixture(scope="module")
def scene(blender, tmp_path_factory):
    """The known things, in a light that comes from everywhere."""
    path = tmp_path_factory.mktemp("lenses") / "still.blend"
    blender.free_model()
    with blend_file(path) as made:
        still_life.fill_still_life(made)
        made.world = bpy.data.worlds.new("light")
        made.world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 1, 1, 1)
    return asset_of(path, "scene")


def by_hand(camera, size):
    """What rays see, and where that is beyond doubt: not at edges nor at the ball's facets."""
    solids = still_life.solids()
    return look(camera, size, solids), settled(camera, size, solids)


def change_within(camera, size, seen, name):
    """How much a label changes within what Cycles misses a pixel's centre by (`MISSED_PX`)."""
    change = np.zeros(getattr(seen, name).shape)
    for moved in ("cx_px", "cy_px"):
        there = {moved: getattr(camera, moved) + MISSED_PX}
        other = look(camera.model_copy(update=there), size, still_life.solids())
        with np.errstate(invalid="ignore"):
            change += np.abs(getattr(other, name) - getattr(seen, name))
    return change


def assert_labels_are_those_of_rays(shown, size):
    seen, clear = by_hand(shown.camera, size)
    flat = clear & (seen.which > 1)
    assert flat.sum() > 30
    assert (shown["index"] != seen.which)[clear].sum() <= 2  # at the rim of the ball
    far = seen.distance[flat]
    for name in ("depth", "distance"):
        found = shown[name]
        same = shown["index"] == seen.which
        assert np.array_equal(np.isfinite(found)[same], np.isfinite(seen.distance)[same])
        off = np.abs(found[flat] - getattr(seen, name)[flat])
        slack = change_within(shown.camera, size, seen, name)[flat]
        assert (np.maximum(off - slack, 0.0) / far).max() < 2e-5
    off = np.abs(shown["position"] - seen.position)[flat]
    slack = change_within(shown.camera, size, seen, "position")[flat]
    assert (np.maximum(off - slack, 0.0) / far[:, None]).max() < 2e-5
    for name in ("normal", "normal_world"):
        assert np.abs(shown[name] - getattr(seen, name))[flat].max() < 1e-4


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())
def test_labels_are_those_of_rays(blender, scene, lens, size):
    shown = take(blender, scene, PoseCamera(world_from_camera=POSE, lens=lens), resolution_px=size)

    assert_labels_are_those_of_rays(shown, size)


@pytest.mark.parametrize("name", ["fisheye", "pinhole", "orthographic"])
def test_labels_are_those_of_rays_amid_things(blender, scene, name):
    """A fisheye also shows what is beside and behind it, at depths below 0."""
    shown = take(blender, scene, PoseCamera(world_from_camera=INSIDE, lens=LENSES[name]))

    assert_labels_are_those_of_rays(shown, (64, 64))
    if name == "fisheye":
        assert shown["depth"].min() < 0 < shown["distance"].min()


@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())
def test_boxes_and_corners_lie_where_things_are_seen(blender, scene, lens):
    shown = take(
        blender, scene, PoseCamera(world_from_camera=POSE, lens=lens), resolution_px=(64, 48)
    )
    border = 100
    solids = still_life.solids()
    whole = look(shown.camera, (64, 48), solids, border_px=border).which

    for number, label in enumerate(shown.objects, 1):
        rows, columns = np.nonzero(shown["index"] == number)
        if len(rows):
            assert label.box_px == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        if label.name == "crate":
            size = np.array(label.size) / 2
            signs = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
            corners = rays.transform(signs * size, still_life.crate_at(still_life.FRAME))
            expected = rays.project(shown.camera, corners)
            np.testing.assert_allclose(label.corners_px, expected, atol=1e-3)
            alone = look(shown.camera, (64, 48), [solids[1]], border_px=border).which
            share = 1 - (alone[border:-border, border:-border] > 0).sum() / (alone > 0).sum()
            assert label.truncation == pytest.approx(share, abs=0.03)
    assert whole.any()


def test_what_a_fisheye_does_not_see_is_black_clear_and_without_labels(blender, scene):
    """Cycles itself leaves a transparent film opaque there."""
    camera = PoseCamera(
        world_from_camera=orbit_matrix(yaw_deg=30.0, pitch_deg=25.0, distance=3.4),
        lens=FisheyeLens(k1=-math.pi / 36, fov_deg=100.0),
    )
    shown = take(
        blender, scene, camera, resolution_px=(72, 72), samples=16, bit_depth=16,
        passes=("rgb", "mask", "depth", "index", "albedo", "diffuse", "cryptomatte", "normal"),
    )  # fmt: skip
    u, v = np.meshgrid(np.arange(72) + 0.5 - 36, np.arange(72) + 0.5 - 36)
    rim = 50.0 / (math.degrees(math.pi / 36) * 0.5)
    outside, inside = np.hypot(u, v) > rim + 1, np.hypot(u, v) < rim - 1

    for name in ("rgb", "mask", "index", "albedo", "diffuse", "cryptomatte", "normal"):
        assert not shown[name][outside].any(), name
    assert np.isinf(shown["depth"][outside]).all()
    assert shown["rgb"][inside].min() > 0, "the light comes from everywhere"
    assert not shown["mask"][~inside & ~outside].any(), "nothing stands at the rim"
    assert shown["mask"][inside].max() == 65535


def test_a_rim_across_a_thing_is_as_soft_as_a_pixel(blender, scene):
    lens = FisheyeLens(k1=-math.pi / 36, fov_deg=30.0)
    camera = PoseCamera(
        world_from_camera=orbit_matrix(yaw_deg=30.0, pitch_deg=89.0, distance=1.2), lens=lens
    )
    shown = take(blender, scene, camera, passes=("mask", "index"), samples=16)
    u, v = np.meshgrid(np.arange(64) + 0.5 - 32, np.arange(64) + 0.5 - 32)
    rim = math.radians(15.0) / (math.pi / 36) / (36 / 64)

    expected = np.clip(rim + 0.5 - np.hypot(u, v), 0, 1) * 255
    assert np.abs(shown["mask"] - expected).max() <= 1
    assert np.array_equal(shown["index"] > 0, np.hypot(u, v) <= rim)


@pytest.mark.parametrize("first", ["fisheye", "pinhole with wide pixels", "orthographic"])
def test_nothing_is_left_over_of_another_lens(blender, scene, first):
    """In any order, with flow, which makes Cycles keep more, and in small tiles."""
    passes = ("rgb", "mask", "depth", "normal", "index", "flow_forward")
    shots = [first, "perspective", first, "pinhole off centre", "fisheye", "perspective", first]
    taken = {}
    for name in shots:
        camera = PoseCamera(world_from_camera=POSE, lens=LENSES[name])
        shown = take(blender, scene, camera, resolution_px=(64, 48), passes=passes, samples=2)
        before = taken.setdefault(name, shown)
        for each in passes:
            assert np.array_equal(shown[each], before[each]), (name, each)


def test_tiles_change_nothing(blender, scene):
    for lens in (BENT_FISHEYE, LENSES["pinhole with wide pixels"], OrthographicLens(width=2.0)):
        camera = PoseCamera(world_from_camera=POSE, lens=lens)
        whole = take(blender, scene, camera, resolution_px=(64, 48))
        cycles = blender.scene.cycles
        with changed(cycles, tile_size=16), pytest.MonkeyPatch.context() as patch:
            patch.setattr("worker.blender.settings.LARGE_TILE_PX", 16)
            tiled = take(blender, scene, camera, resolution_px=(64, 48))
        for name, array in whole.arrays.items():
            assert np.array_equal(tiled[name], array), name


# Cameras of files


def add_camera(scene, name, place=POSE, **numbers):
    lens = bpy.data.cameras.new(name)
    for field, value in numbers.items():
        setattr(lens, field, value)
    camera = bpy.data.objects.new(name, lens)
    camera.matrix_world = Matrix(place)
    scene.collection.objects.link(camera)
    return camera


def polynomial(**numbers):
    fields = {"type": "PANO", "panorama_type": "FISHEYE_LENS_POLYNOMIAL",
              "fisheye_fov": math.radians(150.0)}  # fmt: skip
    for power, k in enumerate((-1e-5, -0.06, -1e-4, 2e-5, -2e-7)):
        fields[f"fisheye_polynomial_k{power}"] = k
    return fields | numbers


FILE_CAMERAS = {
    f"{kind} {fit} {shift}": {"sensor_fit": fit, "sensor_width": 30.0, "sensor_height": 22.0,
                             "shift_x": shift, "shift_y": -0.7 * shift} | numbers
    for kind, numbers in {
        "perspective": {"lens": 28.0},
        "orthographic": {"type": "ORTHO", "ortho_scale": 2.3},
        "fisheye": polynomial(),
    }.items()
    for fit in ("AUTO", "HORIZONTAL", "VERTICAL")
    for shift in (0.0, 0.12)
}  # fmt: skip


@pytest.fixture(scope="module")
def filmed(blender, tmp_path_factory):
    """The known things in a file with cameras of every kind."""
    path = tmp_path_factory.mktemp("lenses") / "filmed.blend"
    blender.free_model()
    with blend_file(path) as made:
        still_life.fill_still_life(made)
        made.name = "Shop"
        for name, numbers in FILE_CAMERAS.items():
            add_camera(made, name, **numbers)
        for kind in ("EQUIRECTANGULAR", "MIRRORBALL", "FISHEYE_EQUIDISTANT", "FISHEYE_EQUISOLID",
                     "CENTRAL_CYLINDRICAL", "EQUIANGULAR_CUBEMAP_FACE"):  # fmt: skip
            add_camera(made, kind.lower(), type="PANO", panorama_type=kind)
        add_camera(made, "custom", type="CUSTOM")
        add_camera(made, "flat", type="ORTHO", ortho_scale=0.0)
        add_camera(made, "pinched", **polynomial(fisheye_polynomial_k1=0.0))
        add_camera(made, "large", lens=28.0).scale = (3.0, 3.0, 3.0)
        add_camera(made, "mirrored").scale = (-1.0, 1.0, 1.0)
        add_camera(made, "thin").scale = (1.0, 1.0, 0.0)
        zoom = add_camera(made, "zoom")
        for frame, focal in ((1, 20.0), (11, 40.0)):
            zoom.data.lens = focal
            zoom.data.keyframe_insert("lens", frame=frame)
        blurred = add_camera(made, "blurred", lens=40.0)
        blurred.data.dof.use_dof = True
        blurred.data.dof.focus_distance, blurred.data.dof.aperture_fstop = 1.0, 0.05
        focus = add_camera(made, "blurred by and by", lens=40.0).data.dof
        focus.focus_distance, focus.aperture_fstop = 1.0, 0.05
        focus.use_dof = True
        focus.id_data.keyframe_insert("dof.use_dof", frame=1)
        for kind, numbers in {"riding": {"lens": 30.0}, "riding fisheye": polynomial()}.items():
            rider = add_camera(made, kind, **numbers)
            for frame, step in ((still_life.FRAME, 0.0), (still_life.FRAME + 1, 0.04)):
                rider.location = Matrix(POSE).translation + Vector((step, -step, step))
                rider.keyframe_insert("location", frame=frame)
        fish = add_camera(made, "blurred fisheye", **polynomial()).data.dof
        fish.use_dof, fish.focus_distance, fish.aperture_fstop = True, 1.0, 0.05
    return asset_of(path, "scene")


@pytest.mark.parametrize("name", FILE_CAMERAS)
def test_labels_through_a_files_camera_are_those_of_rays(blender, filmed, name):
    for size in SIZES:
        shown = take(blender, filmed, FileCamera(name=name), resolution_px=size)

        assert_labels_are_those_of_rays(shown, size)


def test_a_lens_that_is_animated_is_that_of_the_frame(blender, filmed):
    for frame, focal in ((1.0, 20.0), (11.0, 40.0)):
        camera = take(
            blender, filmed, FileCamera(name="zoom"), frame=frame, passes=("mask",)
        ).camera
        assert camera.fx_px == pytest.approx(focal / 36 * 64, rel=1e-5)
    shown = take(blender, filmed, FileCamera(name="zoom"))
    assert_labels_are_those_of_rays(shown, (64, 64))


def test_a_camera_that_is_scaled_sees_as_if_it_were_not(blender, filmed):
    shown = take(blender, filmed, FileCamera(name="large"))
    assert_labels_are_those_of_rays(shown, (64, 64))


@pytest.mark.parametrize("lens", ["pinhole with wide pixels", "orthographic", "bent fisheye"])
def test_flow_is_that_of_every_lens(blender, scene, lens):
    camera = PoseCamera(world_from_camera=POSE, lens=LENSES[lens])
    shown = take(blender, scene, camera, passes=("flow_forward", "index"))
    seen, clear = by_hand(shown.camera, (64, 64))
    then = still_life.solids(still_life.FRAME + 1)

    expected = rays.flow(shown.camera, seen, still_life.solids(), then)

    crate = clear & (seen.which == 2)
    assert np.linalg.norm(expected[crate], axis=-1).max() > 1
    assert np.abs(shown["flow_forward"] - expected)[crate].max() < 0.02


@pytest.mark.parametrize("name", ["riding", "riding fisheye"])
def test_flow_is_also_that_of_a_files_camera(blender, filmed, name):
    """The sheet stands still; what moves is the camera."""
    camera = FileCamera(name=name)
    after = take(blender, filmed, camera, frame=still_life.FRAME + 1, passes=("index",)).camera
    shown = take(blender, filmed, camera, passes=("flow_forward", "index"))
    seen, clear = by_hand(shown.camera, (64, 64))
    sheet = clear & (seen.which == 3)
    points = seen.position[sheet]

    expected = rays.project(after, points) - rays.project(shown.camera, points)

    assert np.linalg.norm(expected, axis=-1).max() > 0.5
    assert np.abs(shown["flow_forward"][sheet] - expected).max() < 0.02


@pytest.mark.parametrize("name", ["blurred", "blurred by and by", "blurred fisheye"])
def test_depth_of_field_blurs_the_picture_and_no_label(blender, filmed, name):
    passes = ("mask", "depth", "distance", "normal", "normal_world", "position", "index")
    shown = take(blender, filmed, FileCamera(name=name), passes=passes, samples=32)

    assert_labels_are_those_of_rays(shown, (64, 64))
    grey = (shown["mask"] > 0) & (shown["mask"] < 255)
    assert grey.mean() > 0.15, "the outlines are soft"
    again = take(blender, filmed, FileCamera(name=name))
    assert np.array_equal(again["depth"], shown["depth"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("equirectangular", "its kind is 'equirectangular', which labels do not support"),
        ("mirrorball", "'mirrorball'"),
        ("fisheye_equidistant", "'fisheye equidistant'"),
        ("fisheye_equisolid", "'fisheye equisolid'"),
        ("central_cylindrical", "'central cylindrical'"),
        ("equiangular_cubemap_face", "'equiangular cubemap face'"),
        ("custom", "'custom', .*: make it a perspective, orthographic or polynomial fisheye"),
        ("flat", "its orthographic scale is 0: make it as wide as"),
        ("pinched", "k1 0 is not below 0, so the picture would be a single point"),
        ("mirrored", "it mirrors: apply the scale"),
        ("thin", "it has no size"),
    ],
)
def test_a_camera_that_labels_cannot_follow_is_refused_by_name(blender, filmed, name, reason):
    with pytest.raises(AssetError, match=rf"camera '{name}' of scene 'Shop': .*{reason}"):
        take(blender, filmed, FileCamera(name=name))
    take(blender, filmed, FileCamera(name="large"), passes=("mask",))  # the next one is well


def test_a_camera_that_is_not_there_is_told_with_those_that_are(blender, scene):
    with pytest.raises(AssetError, match="it has no camera 'top'; its cameras: none"):
        take(blender, scene, FileCamera(name="top"))


def test_what_a_task_shows_of_a_box_is_what_its_orthographic_camera_says(blender, write_blend):
    """By arithmetic alone: a box 1 wide, seen straight on by 64 pixels for 2 units, is 32 wide."""
    box = write_blend(lambda made: add_box(made, material=a_material()))
    camera = PoseCamera(
        world_from_camera=orbit_matrix(yaw_deg=0.0, pitch_deg=0.0, distance=5.0),
        lens=OrthographicLens(width=2.0),
    )

    shown = take(blender, box.model_copy(update={"kind": "scene"}), camera, resolution_px=(64, 32))

    columns = np.flatnonzero(shown["index"][16])
    assert (columns[0], columns[-1]) == (16, 47)
    assert (shown["depth"][16, 17:47] == 4.5).all()
    assert (shown["distance"][16, 17:47] == 4.5).all()
    assert shown.objects[0].truncation == 0.0


def test_pictures_that_a_scenes_light_wants_and_that_are_not_there_are_named(blender, tmp_path):
    """Its sky would be magenta without a word."""
    blender.free_model()
    with blend_file(tmp_path / "sky.blend") as made:
        add_box(made, material=a_material())
        made.world = bpy.data.worlds.new("sky")
        want_picture(made.world.node_tree, "Background", "//skies/noon.exr")
        lamp = bpy.data.lights.new("projector", "SPOT")
        want_picture(lamp.node_tree, "Emission", "//slides/leaves.png")
        made.collection.objects.link(bpy.data.objects.new("projector", lamp))

    opened = blender.open_scene(asset_of(tmp_path / "sky.blend", "scene"))

    assert opened.missing_textures == ("leaves.png", "noon.exr")
    blender.free_model()


def want_picture(tree, into, path):
    """Let a node take its colour from a picture that is not there."""
    image = bpy.data.images.new(path, 1, 1)
    image.source, image.filepath = "FILE", path
    node = tree.nodes.new("ShaderNodeTexEnvironment")
    node.image = image
    tree.links.new(node.outputs["Color"], tree.nodes[into].inputs["Color"])
