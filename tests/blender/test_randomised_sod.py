"""One model whose light, camera and materials are drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from farm.projection import project
from farm.spec.camera import OrbitCamera
from farm.spec.randomise import Drawn, Lamp, Paint
from farm.spec.recipes.sod import SodView
from farm.spec.view import Light
from farm.storage import FolderStorage
from tests.builders import a_task
from tests.support.blender.scenes import asset_of
from tests.support.blender.shots import OurLease, Rendered, some_render
from tests.support.blender.tabletops import rendered_of
from worker.render.task import render_task

PASSES = ("rgb", "mask", "index", "albedo")
LAMP = Lamp(kind="area", at_m=(0.0, 2.0, 1.0), power_w=80.0, kelvin=3000.0, size_m=0.4)


@pytest.fixture
def show(blender, statue, lantern, sky, tmp_path):
    numbers = iter(range(100))

    def render(
        *drawn, glows=False, turn=0.0, strength=1.0, passes=PASSES, **camera
    ) -> list[Rendered]:
        orbit = OrbitCamera(**({"yaw_deg": 20.0, "pitch_deg": 25.0, "distance": 2.4} | camera))
        light = Light(rotation_deg=turn, strength=strength)
        views = tuple(
            SodView(index=place, name=f"view_{place}", camera=orbit, light=light, seed=7, drawn=one)
            for place, one in enumerate(drawn)
        )
        task = a_task(
            views=views, model=lantern if glows else statue, hdr=sky, passes=passes,
            render=some_render(samples=8),
        )  # fmt: skip
        storage = FolderStorage(tmp_path / f"out{next(numbers)}")
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
        return rendered_of(task, storage)

    return render


def test_lamps_and_exposure_leave_labels_as_they_are(show):
    plain, lit, bright = show(None, Drawn(lamps=(LAMP,)), Drawn(exposure_ev=1.0))
    for other in (lit, bright):
        assert other["rgb"].mean() > plain["rgb"].mean() + 3
        for name in PASSES[1:]:
            assert np.array_equal(plain[name], other[name]), name


@pytest.mark.parametrize("glows", [False, True])
def test_a_lamp_is_as_bright_beside_any_environment(show, glows):
    """A model that glows has the environment's strength in the scene, others in the picture."""
    [dim] = show(Drawn(lamps=(LAMP,)), strength=0.001, glows=glows)
    [dark] = show(Drawn(lamps=(LAMP,)), strength=0.0, glows=glows)
    assert dim.record.true_strength is glows
    seen = dim["mask"] == 255
    assert dim["rgb"][seen].mean() == pytest.approx(dark["rgb"][seen].mean(), abs=4)


def test_a_lamp_stays_while_the_environment_turns(show):
    [one] = show(Drawn(lamps=(LAMP,)), strength=0.001)
    [two] = show(Drawn(lamps=(LAMP,)), strength=0.001, turn=140.0)
    seen = one["mask"] == 255
    assert np.abs(one["rgb"][seen].astype(int) - two["rgb"][seen]).mean() < 6


def test_a_camera_that_rolls_and_looks_beside_is_the_record_s(show):
    """Where the record's camera projects the box is where the picture has the model."""
    for turn in (0.0, 130.0):
        [view] = show(None, roll_deg=25.0, look_at=(0.12, -0.08), focal_length_mm=60.0, turn=turn)
        camera, [label] = view.record.camera, view.record.objects
        from_world = np.linalg.inv(np.array(camera.world_from_camera))
        middle = project((from_world @ [0.0, 0.0, 0.0, 1.0])[None, :3], camera)[0]
        right, up = 0.12, -0.08
        roll = np.radians(25.0)
        u = -right * np.cos(roll) - up * np.sin(roll)
        v = -right * np.sin(roll) + up * np.cos(roll)
        scale = camera.fx_px / 2.4
        assert middle - (camera.cx_px, camera.cy_px) == pytest.approx((u * scale, v * scale))
        rows, columns = np.nonzero(view["mask"])
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert label.box_px == pytest.approx(box, abs=1.5)
        corners = np.array(label.corners_px)
        assert corners[:, 0].min() <= box[0] + 1.5
        assert corners[:, 0].max() >= box[2] - 1.5


def test_materials_are_put_back(show):
    [before] = show(None)
    [painted] = show(Drawn(paints=(Paint(prop=0, hue_deg=120.0, metallic=0.0),)))
    [after] = show(None)
    assert not np.array_equal(painted["albedo"], before["albedo"])
    assert np.array_equal(painted["mask"], before["mask"])
    for name in PASSES:
        assert np.array_equal(after[name], before[name]), name


@pytest.mark.parametrize(
    "name", ["chengsun_cubev2.blend", "kenney_motorcycle/vehicle-motorcycle.glb"]
)
def test_models_of_others_are_painted_and_put_back(blender, sample_assets, sky, tmp_path, name):
    model = asset_of(sample_assets / "models" / name)
    paint = Drawn(paints=(Paint(prop=0, hue_deg=140.0, roughness=0.3, metallic=0.0),))
    found = []
    for number, drawn in enumerate((None, paint, None)):
        view = SodView(
            index=0, name="view", camera=OrbitCamera(yaw_deg=20, pitch_deg=25, distance=2.4),
            light=Light(), seed=7, drawn=drawn,
        )  # fmt: skip
        task = a_task(
            views=(view,), model=model, hdr=sky, passes=PASSES, render=some_render(),
            allow_empty_masks=True,
        )  # fmt: skip
        storage = FolderStorage(tmp_path / str(number))
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
        found += rendered_of(task, storage)
    before, painted, after = found
    assert abs(painted["albedo"] - before["albedo"]).mean() > 0.005
    assert np.array_equal(painted["index"], before["index"])
    for each in PASSES:
        assert np.array_equal(after[each], before[each]), each


def test_what_materials_are_is_told_of_the_paint_that_is_drawn(show):
    """Also once it is put back, and of a view that draws another one."""
    passes = (*PASSES, "base_color", "roughness", "metallic", "surface_valid")
    one = Drawn(paints=(Paint(prop=0, roughness=0.3, metallic=0.8),))
    other = Drawn(paints=(Paint(prop=0, colour=(0.2, 0.6, 0.1), roughness=0.9),))
    plain, first, second, after = show(None, one, other, None, passes=passes)

    there = first["index"] > 0
    assert np.abs(first["roughness"][there] - 0.3).max() < 1 / 255
    assert np.abs(first["metallic"][there] - 0.8).max() < 1 / 255
    assert np.array_equal(first["base_color"], plain["base_color"])
    assert np.abs(second["base_color"][there] - (0.2, 0.6, 0.1)).max() < 1 / 255
    assert np.abs(second["roughness"][there] - 0.9).max() < 1 / 255
    for name in passes:
        assert plain.data(name) == after.data(name), name
