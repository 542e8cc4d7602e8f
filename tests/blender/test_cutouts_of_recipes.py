"""Cut-outs of scenes: all that is before the environment, whichever recipe set it up."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from farm.dataset.images import decode_pass
from farm.spec.record import ViewRecord
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.lamps import FACTS, MOVES, write_square
from tests.support.blender.scripted import ORBIT, a_script_job, render, script_asset
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.tabletop import box, write_obj

LAYERS = (
    "rgb", "mask", "index", "linear", "foreground", "background", "foreground_linear",
    "background_linear",
)  # fmt: skip


def check(read) -> None:
    """Hold that what is read of a view's layers is its picture."""
    light = read("foreground_linear")
    again = light[..., :3] + (1 - light[..., 3:]) * read("background_linear")
    np.testing.assert_allclose(again, read("linear"), rtol=2e-3, atol=1e-4)
    assert np.array_equal(read("foreground")[..., 3], read("mask"))
    bare, solid = read("mask") == 0, read("mask") == 255
    assert solid.any()
    assert np.array_equal(read("background")[bare], read("rgb")[bare])
    off = read("foreground")[solid][:, :3].astype(int) - read("rgb")[solid]
    assert np.abs(off).max() <= 1


def test_a_frame_of_a_scene_that_moves(blender, tmp_path):
    scene = write_square(tmp_path / "square.blend", MOVES)
    job = film_job(
        scene, FACTS, passes=(*LAYERS, "flow", "blur"), frame_start=3, frame_end=4, shutter=0.5,
        subframes=3,
    )  # fmt: skip

    film = shoot_film(blender, job, tmp_path / "out")

    [sequence] = film.sequences
    for number in (3, 4):
        check(lambda name, number=number: film.read(sequence, number, name))
    assert film.records[sequence, 3].files["foreground"].path.endswith(".png")
    plain = shoot_film(
        blender,
        film_job(
            scene, FACTS, passes=("rgb", "mask", "index", "flow", "blur"), frame_start=3,
            frame_end=4, shutter=0.5, subframes=3,
        ),
        tmp_path / "plain",
    )  # fmt: skip
    for name in ("rgb", "mask", "index", "flow_forward", "blur"):
        assert film.data(sequence, 4, name) == plain.data(sequence, 4, name)


def test_a_view_of_a_script(blender, tmp_path):
    job = a_script_job(script_asset(tmp_path, ORBIT), passes=LAYERS)

    for view in render(blender, tmp_path / "out", job):
        check(view.__getitem__)


def test_a_tabletop_with_its_table(blender, tmp_path):
    """Its table hides the environment as all else does."""
    file = write_obj(tmp_path / "box.obj", box(0.12, 0.08, 0.04), (0.5, 0.2, 0.1))
    views = [a_view_of_it(0, camera_from((0.0, -0.9, 0.3)))]
    task = a_tabletop_task(
        tmp_path / "settled", [Standing(file, (0.0, 0.0, 0.02))], views, passes=LAYERS,
        resolution_px=(64, 64),
    )  # fmt: skip
    storage = FolderStorage(tmp_path / "out")

    render_tabletop(blender, task, storage)

    [line] = storage.get(records_key(task)).splitlines()
    record = ViewRecord.model_validate_json(line)

    def read(name):
        path = record.files[name].path
        return decode_pass(storage.get(f"{task.dataset}/{path}"), path, name)

    check(read)
    assert (read("mask") > 0).sum() > (read("index") > 0).sum()  # of the table
