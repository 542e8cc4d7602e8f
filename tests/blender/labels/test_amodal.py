"""Whole silhouettes are what Cycles shows of each thing alone, by every recipe and lens."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from farm.runs import mask_of, masks_of
from farm.soundness import box_around
from farm.spec.camera import FisheyeLens, OrthographicLens, PerspectiveLens, PinholeLens
from farm.storage import FolderStorage
from tests.support.blender import scripted
from tests.support.blender.alone import alone
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.panes import add_sheet, leaf
from tests.support.blender.scenes import a_material, add_box, asset_of, blend_file
from tests.support.blender.shots import render_labelled
from tests.support.blender.street_scene import FACTS, write_street
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.tabletop import ball, box, can, write_obj

STRAY_PX = 2
"""Pixels of a silhouette whose centres lie on its edge, to 32 bits."""
SIZE = (160, 120)
PASSES = ("rgb", "mask", "index", "amodal")


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    folder = tmp_path_factory.mktemp("things")
    meshes = {"box": box(0.12, 0.08, 0.1), "can": can(0.035, 0.11), "ball": ball(0.04)}
    return {
        name: write_obj(folder / f"{name}.obj", mesh, (0.5, 0.2, 0.1))
        for name, mesh in meshes.items()
    }


@pytest.fixture(scope="module")
def plant(blender, tmp_path_factory):
    """A leaf that a picture cuts out, hair on a ball, a curve's tube, and boxes in a row."""
    blender.free_model()
    path = tmp_path_factory.mktemp("plant") / "plant.blend"
    with blend_file(path) as scene:
        alphas = np.zeros((8, 8), np.float32)
        alphas[1:5, 2:7] = 1.0
        add_sheet(scene, "leaf", leaf(alphas, soft=False), z=0.2, side=0.3)
        row = add_box(scene, size=(0.03, 0.03, 0.06), at=(-0.1, -0.1, 0.03), name="row")
        several = row.modifiers.new("several", "ARRAY")
        several.count = 4
        row.modifiers.new("round", "SUBSURF").render_levels = 2
        line = bpy.data.curves.new("stem", "CURVE")
        line.dimensions, line.bevel_depth = "3D", 0.01
        part = line.splines.new("POLY")
        part.points.add(2)
        for point, at in zip(part.points, [(0, 0, 0), (0.05, 0, 0.1), (0, 0, 0.2)], strict=True):
            point.co = (*at, 1.0)
        scene.collection.objects.link(bpy.data.objects.new("stem", line))
    return path


def check(blender, view, *, stray=STRAY_PX):
    """Hold a view's silhouettes against Cycles, and its record against them."""
    record, index = view.record, view["index"]
    masks = masks_of(view["amodal"], len(record.objects), record.resolution_px)
    for place, (label, mask) in enumerate(zip(record.objects, masks, strict=True)):
        seen = np.isin(index, label.indices)
        assert not (seen & ~mask).any()
        assert np.count_nonzero(mask ^ alone(blender, label.indices)) <= stray, label.name
        assert label.amodal_area_px == mask.sum()
        assert label.amodal_box_px == box_around(mask)
        share = seen.sum() / mask.sum() if mask.any() else 0.0
        assert label.visible_fraction == pytest.approx(share)
        hidden = {
            other: float(np.isin(index[mask], each.indices).sum())
            for other, each in enumerate(record.objects)
            if other != place
        }
        told = {each.object: each.area_px for each in label.occluders}
        assert told == {other: area for other, area in hidden.items() if area}
        assert [*told.values()] == sorted(told.values(), reverse=True)
    return masks


CLOSE = (0.05, -0.45, 0.3)
LENSES = {
    "perspective": PerspectiveLens(focal_length_mm=40.0),
    "shifted": PerspectiveLens(focal_length_mm=40.0, shift_x=0.1, shift_y=-0.15),
    "pinhole with wide pixels": PinholeLens(fx_px=150.0, fy_px=210.0, cx_px=60.0, cy_px=70.0),
    "orthographic": OrthographicLens(width=0.4),
    "fisheye": FisheyeLens(k1=-np.pi / 36, fov_deg=170.0),
}


@pytest.mark.parametrize("lens", LENSES)
def test_of_a_tabletop_each_thing_is_whole_however_much_hides_it(blender, things, tmp_path, lens):
    """Some are cut by the picture's border: what is outside of it does not count."""
    standing = [
        Standing(things["box"], (0.0, -0.08, 0.05), 20.0),
        Standing(things["can"], (-0.04, 0.05, 0.055)),
        Standing(things["ball"], (0.04, 0.04, 0.04)),
        Standing(things["box"], (0.2, -0.1, 0.05), 70.0),
        Standing(things["can"], (0.0, 2.0, -0.5)),
    ]
    camera = camera_from(CLOSE, lens=LENSES[lens])
    task = a_tabletop_task(
        tmp_path / "settled", standing, [a_view_of_it(0, camera, rotation_deg=77.0)],
        passes=PASSES, resolution_px=SIZE,
    )  # fmt: skip

    [view] = render_tabletop(blender, task, FolderStorage(tmp_path))

    masks = check(blender, view)
    table, near, tall, *_ = view.record.objects
    assert (near.visible_fraction, near.occluders) == (1.0, ())
    assert 0.1 < tall.visible_fraction < 0.9
    assert tall.occluders[0].object == 1
    assert table.occluders[0].object == 1
    assert masks[0].sum() > np.isin(view["index"], table.indices).sum() + masks[1].sum()


def test_leaves_curves_and_modifiers_are_as_exact(blender, things, plant, tmp_path):
    standing = [
        Standing(plant, (0.0, 0.0, 0.0), 30.0),
        Standing(things["ball"], (0.0, -0.15, 0.04)),
        Standing(plant, (0.1, 0.25, 0.0), 80.0),
    ]
    views = [a_view_of_it(0, camera_from((0.0, -0.5, 0.5)))]
    settled = tmp_path / "settled"
    task = a_tabletop_task(settled, standing, views, passes=PASSES, resolution_px=SIZE)

    [view] = render_tabletop(blender, task, FolderStorage(tmp_path))

    check(blender, view)
    far = view.record.objects[3]
    assert 1 in {each.object for each in far.occluders}
    assert view.record.see_through


def test_what_hides_is_known_though_nobody_asks_for_silhouettes(blender, things, plant, tmp_path):
    standing = [Standing(plant, (0.0, 0.0, 0.0)), Standing(things["ball"], (0.0, -0.15, 0.04))]
    views = [a_view_of_it(0, camera_from((0.0, -0.5, 0.3)))]
    told = []
    for passes in (("rgb", "mask"), PASSES):
        task = a_tabletop_task(
            tmp_path / "settled", standing, views, passes=passes, resolution_px=SIZE
        )
        [view] = render_tabletop(blender, task, FolderStorage(tmp_path / passes[-1]))
        told.append((view.data("rgb"), view.record.objects))

    assert told[0] == told[1]
    assert all(label.visible_fraction is not None for label in told[0][1])


def test_a_model_that_is_alone_is_its_own_silhouette(blender, still, sky, tmp_path):
    view = render_labelled(
        blender, FolderStorage(tmp_path), still, sky, passes=("rgb", "mask", "index", "amodal")
    )

    rows = view["amodal"]
    assert set(rows["object"]) == {0}
    mask = mask_of(rows, 0, view.record.resolution_px)
    assert (mask == (view["index"] > 0)).all()
    [label] = view.record.objects
    assert (label.visible_fraction, label.amodal_area_px) == (1.0, mask.sum())


def test_frames_of_a_scene_have_the_silhouettes_of_its_objects_at_that_moment(blender, tmp_path):
    street = write_street(tmp_path / "street.blend")
    for frame in (5, 20):
        job = film_job(
            street, FACTS, resolution=96, frame_start=frame, frame_end=frame, frames=1,
            passes=("index", "amodal", "flow"),
        )  # fmt: skip
        film = shoot_film(blender, job, tmp_path / f"out{frame}")
        [(sequence, number)] = film.records
        record = film.records[sequence, number]
        read = {name: film.read(sequence, number, name) for name in ("index", "amodal")}

        check(blender, Frame(record, read))

        hidden = {label.name: label.visible_fraction for label in record.objects}
        assert hidden["Floor"] < 0.95


class Frame(dict):
    """A frame of a film, as a view."""

    def __init__(self, record, read):
        super().__init__(read)
        self.record = record


def test_hair_and_instances_of_a_scene_are_whole(blender, tmp_path):
    change = (
        "h = ball.modifiers.new('hair', 'PARTICLE_SYSTEM').particle_system.settings; "
        "h.type = 'HAIR'; h.count = 60; h.hair_length = 0.8; "
        "held = bpy.data.collections.new('Held'); held.objects.link(cube); "
        "scene.collection.objects.unlink(cube); "
        "[(setattr(e, 'instance_type', 'COLLECTION'), setattr(e, 'instance_collection', held), "
        "setattr(e, 'location', (x, 2, 0)), scene.collection.objects.link(e)) "
        "for x in (-2, 2) for e in [bpy.data.objects.new('copy', None)]]"
    )
    street = write_street(tmp_path / "street.blend", change)
    job = film_job(
        street, FACTS, resolution=96, frame_start=20, frame_end=20, frames=1,
        passes=("index", "amodal"),
    )  # fmt: skip

    film = shoot_film(blender, job, tmp_path / "out")

    [(sequence, number)] = film.records
    read = {name: film.read(sequence, number, name) for name in ("index", "amodal")}
    check(blender, Frame(film.records[sequence, number], read))


def test_a_script_s_view_has_them_too(blender, tmp_path):
    script = scripted.script_asset(tmp_path, scripted.ORBIT)
    scene = tmp_path / "two.blend"
    blender.free_model()
    with blend_file(scene) as held:
        add_box(held, size=(2, 2, 2), name="Cube", material=a_material())
        add_box(held, size=(1, 1, 1), at=(2.0, -2.0, 1.0), name="Near", material=a_material())
        camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        camera.location, camera.rotation_euler = (7.36, -6.93, 4.96), (1.11, 0.0, 0.815)
        held.collection.objects.link(camera)
        held.camera = camera
    job = scripted.a_script_job(
        script, scripted.scene_asset(asset_of(scene)), passes=("rgb", "index", "amodal"), views=1
    )

    [view] = scripted.render(blender, tmp_path / "out", job)

    check(blender, view)
    hidden = {label.name: label.visible_fraction for label in view.record.objects}
    assert hidden["Cube"] < 1.0 == hidden["Near"]
