"""Views of a tabletop that show too little: the next camera is tried, or they are left out."""

from __future__ import annotations

import numpy as np
import pytest

from farm.errors import OutOfFrameError
from farm.spec.words import AssetWords
from farm.storage import FolderStorage
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
    rendered_of,
)
from tests.support.tabletop import ball, box, can, write_obj

LEVEL = camera_from((0.0, -1.0, 0.06), at=(0.0, 0.0, 0.06))
"""Sees the large box alone, and the can and the ball not at all."""
HIGH = camera_from((0.0, -0.5, 0.8))
AWAY = camera_from((0.0, -1.0, 0.5), at=(0.0, -3.0, 0.5))


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    folder = tmp_path_factory.mktemp("things")
    return {
        name: write_obj(folder / f"{name}.obj", mesh, (0.5, 0.2, 0.1))
        for name, mesh in {
            "wall": box(0.3, 0.2, 0.02),
            "can": can(0.035, 0.11),
            "ball": ball(0.04),
        }.items()
    }


@pytest.fixture
def scene(things, tmp_path):
    """A can and a ball behind a wall."""
    standing = [
        Standing(things["wall"], (0.0, -0.1, 0.1)),
        Standing(things["can"], (-0.06, 0.1, 0.055)),
        Standing(things["ball"], (0.06, 0.1, 0.04)),
    ]

    def make(*views, **settings):
        return a_tabletop_task(tmp_path / "settled", standing, views, **settings)

    return make


def test_a_view_takes_the_first_of_its_cameras_that_sees_enough(blender, scene, tmp_path):
    task = scene(a_view_of_it(0, LEVEL, AWAY, HIGH), min_visible=3, visible_px=20)

    [view] = render_tabletop(blender, task, FolderStorage(tmp_path))

    assert view.record.values["camera_tries"] == 3
    assert np.allclose(view.record.camera.world_from_camera, HIGH.world_from_camera)
    assert all(label.area_px > 20 for label in view.record.objects)


def test_a_view_that_never_sees_enough_is_left_out_and_the_others_are_rendered(
    blender, scene, tmp_path
):
    storage = FolderStorage(tmp_path)
    task = scene(a_view_of_it(0, LEVEL, AWAY), a_view_of_it(1, HIGH), min_visible=3, visible_px=20)

    with pytest.raises(OutOfFrameError, match="none of 2 cameras sees 3 objects by 40% and 20 pix"):
        render_tabletop(blender, task, storage)

    [view] = rendered_of(task, storage)
    assert view.record.view.number == 1
    assert view.record.values["camera_tries"] == 1


@pytest.mark.parametrize(
    ("limits", "tries"),
    [
        pytest.param({"min_visible": 1}, 1, id="one is enough"),
        pytest.param({"min_visible": 2}, 2, id="two are seen from above"),
        pytest.param({"min_visible": 2, "visible_fraction": 0.0, "visible_px": 1}, 2, id="any"),
        pytest.param({"min_visible": 9}, 2, id="all that there are"),
        pytest.param({"min_visible": 0}, 1, id="nothing is asked for"),
    ],
)
def test_how_much_is_enough_is_what_the_setup_says(blender, scene, tmp_path, limits, tries):
    task = scene(a_view_of_it(0, LEVEL, HIGH), **({"visible_px": 20} | limits))

    [view] = render_tabletop(blender, task, FolderStorage(tmp_path))

    assert view.record.values["camera_tries"] == tries


def test_the_table_and_what_distracts_do_not_count(blender, things, tmp_path):
    standing = [
        Standing(things["can"], (-0.1, 0.0, 0.055)),
        Standing(things["ball"], (0.1, 0.0, 0.04), words=None),
        Standing(things["ball"], (0.0, 3.0, 0.04), words=AssetWords(noun="ball")),
    ]
    task = a_tabletop_task(
        tmp_path / "settled", standing, [a_view_of_it(0, HIGH)], min_visible=2, visible_px=5
    )

    with pytest.raises(OutOfFrameError):
        render_tabletop(blender, task, FolderStorage(tmp_path))


def test_the_trial_leaves_no_trace_in_the_picture(blender, scene, tmp_path):
    """It is a render of its own, with other settings, before the picture's."""
    pictures = []
    for name, least in (("plain", 0), ("tried", 3)):
        task = scene(a_view_of_it(0, HIGH, rotation_deg=40.0), min_visible=least, visible_px=20)
        [view] = render_tabletop(blender, task, FolderStorage(tmp_path / name))
        pictures.append({each: view.data(each) for each in view.record.files})

    assert pictures[0] == pictures[1]
