"""Boxes and 6D poses of the things on a table, and of the table, are where their pixels are."""

from __future__ import annotations

import numpy as np
import pytest

from farm.projection import points_at, project
from farm.spec.camera import OrthographicLens, PerspectiveLens, PinholeLens
from farm.storage import FolderStorage
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.tabletop import ball, box, can, write_obj

SIZE = (160, 120)
SIDES = {"box": (0.12, 0.1, 0.08), "can": (0.07, 0.07, 0.11), "ball": (0.08, 0.08, 0.08)}
"""Of their boxes, metres, as Blender has them: z up."""
TABLE = (1.0, 0.7, 0.03)
LENSES = {
    "perspective": PerspectiveLens(focal_length_mm=35.0),
    "pinhole": PinholeLens(fx_px=150.0, fy_px=190.0, cx_px=70.0, cy_px=50.0),
    "orthographic": OrthographicLens(width=1.0),
}


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("things")
    meshes = {"box": box(0.12, 0.08, 0.1), "can": can(0.035, 0.11), "ball": ball(0.04)}
    files = {name: write_obj(folder / f"{name}.obj", mesh, (0.5, 0.2, 0.1))
             for name, mesh in meshes.items()}  # fmt: skip
    return (
        Standing(files["box"], (-0.2, -0.1, 0.04), 25.0),
        Standing(files["can"], (0.2, -0.05, 0.055), -40.0),
        Standing(files["ball"], (0.0, 0.15, 0.04)),
        Standing(files["box"], (0.05, -0.2, 0.04), 160.0),
    )


@pytest.fixture(scope="module", params=LENSES)
def view(request, blender, standing, tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    camera = camera_from((0.3, -0.9, 0.8), lens=LENSES[request.param])
    views = [a_view_of_it(0, camera, rotation_deg=123.0)]
    passes = ("rgb", "mask", "index", "depth", "amodal")
    task = a_tabletop_task(folder, standing, views, passes=passes, resolution_px=SIZE)
    return render_tabletop(blender, task, FolderStorage(folder))[0]


def corners_of(size, matrix):
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return (signs * np.array(size) / 2) @ matrix[:3, :3].T + matrix[:3, 3]


def test_poses_are_those_that_the_scene_was_set_by(view, standing):
    world_from_camera = np.array(view.record.camera.world_from_camera)
    table, *things = view.record.objects

    for label, thing in zip(things, standing, strict=True):
        expected = np.array(thing.world_from_file)  # whose origin is the middle of its box
        given = world_from_camera @ np.array(label.camera_from_object)
        np.testing.assert_allclose(given, expected, atol=1e-6)
        np.testing.assert_allclose(label.size, SIDES[thing.file.stem], atol=1e-3)
    given = world_from_camera @ np.array(table.camera_from_object)
    np.testing.assert_allclose(given[:3, :3], np.eye(3), atol=1e-6)
    np.testing.assert_allclose(given[:3, 3], (0.0, 0.0, -TABLE[2] / 2), atol=1e-6)
    np.testing.assert_allclose(table.size, TABLE, atol=1e-6)
    assert table.category == "surface"


def test_projected_boxes_hold_the_pixels_of_their_things_and_no_more(view):
    record = view.record
    for place, label in enumerate(record.objects):
        corners = corners_of(label.size, np.array(label.camera_from_object))
        px = project(corners, record.camera)
        np.testing.assert_allclose(np.array(label.corners_px), px, atol=1e-6)
        low = np.clip(px.min(axis=0), 0, SIZE)
        high = np.clip(px.max(axis=0), 0, SIZE)
        whole = np.array(label.amodal_box_px)
        assert (whole[:2] >= low - 1).all()
        assert (whole[2:] <= high + 1).all()
        if place in (0, 1, 4):  # boxes fill theirs
            np.testing.assert_allclose(whole, [*low, *high], atol=1.0)


def test_what_depth_shows_of_a_thing_lies_in_its_box(view):
    record, index = view.record, view["index"]
    points = points_at(view["depth"], record.camera)
    for label in record.objects:
        seen = points[np.isin(index, label.indices)]
        object_from_camera = np.linalg.inv(np.array(label.camera_from_object))
        own = seen @ object_from_camera[:3, :3].T + object_from_camera[:3, 3]
        assert len(own) > 50
        assert (np.abs(own) <= np.array(label.size) / 2 + 1e-4).all()
        assert np.abs(own).max(axis=0)[2] > 0.4 * label.size[2], "its top is seen"
