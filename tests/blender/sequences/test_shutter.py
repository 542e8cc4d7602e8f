"""Blur, rolling shutter and events are made of moments beside each frame; labels stay its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farm.expand.recipe import expand
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.lamps import BRIGHTENS, DIMS, FACTS, MOVES, write_square
from tests.support.blender.street_scene import FACTS as STREET_FACTS
from tests.support.blender.street_scene import write_street
from worker.device.opengl import find_opengl
from worker.images.multilayer import read_passes
from worker.images.view_transform import Developer
from worker.render.loading import prepare

PX_PER_FRAME = 8.0
"""Of the moving square: one unit, where 64 pixels show 8."""
LABELS = ("depth", "normal", "index", "flow", "tracks")
STANDARD = {"view_transform": "Standard", "bit_depth": 16}
SHUTTERED = ("blur", "rolling_shutter", "events")

NOISY = """
lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "AREA"))
lamp.location, lamp.data.energy = (1, 1, 3), 90
scene.collection.objects.link(lamp)
bpy.ops.mesh.primitive_cube_add(size=1.5, location=(2, 2, 1), rotation=(1, 1, 1))
"""


def scene_of(folder, change):
    return write_square(folder / "square.blend", change)


def light_of(pixels: np.ndarray) -> np.ndarray:
    """Return the linear light of a picture that was developed with the view transform Standard."""
    values = pixels[..., 0] / np.iinfo(pixels.dtype).max
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def shot(blender, scene, folder, *, passes, facts=FACTS, frames=1, first=4, **changes):
    """Render frames of a scene; return the film and the name of its sequence."""
    job = film_job(
        scene, facts, passes=passes, frame_start=first, frame_end=first + frames - 1, **changes
    )
    film = shoot_film(blender, job, folder)
    [sequence] = film.sequences
    return film, sequence


@pytest.mark.parametrize("subframes", [5, 4])
def test_blur_is_the_mean_of_the_light_while_the_shutter_is_open(blender, tmp_path, subframes):
    scene = scene_of(tmp_path, MOVES)
    job = film_job(
        scene, FACTS, passes=("rgb", "blur"), frame_start=4, frame_end=4, shutter=0.75,
        subframes=subframes,
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences

    [task] = expand(job)
    blender.configure(task.render, ("rgb",))
    stage = prepare(task, blender, lambda assets: [scene])
    [view] = task.views
    whole, total = np.zeros((64, 64, 3)), 0.0
    for place in range(subframes):
        stage.arrange(view)
        stage.opened.show_frame(4 - 0.375 + 0.75 * place / (subframes - 1))
        share = 0.5 if place in (0, subframes - 1) else 1.0
        path = blender.render(seed=view.seed)
        whole += share * read_passes(path).picture(gain=1.0)
        path.unlink()
        total += share
    develop = Developer(view_transform=task.render.view_transform, bit_depth=8)
    assert np.array_equal(film.read(sequence, 4, "blur"), develop((whole / total).astype("f4")))
    assert not np.array_equal(film.read(sequence, 4, "blur"), film.read(sequence, 4, "rgb"))


def test_blur_spreads_light_over_the_way_and_loses_none(blender, tmp_path):
    film, sequence = shot(
        blender, scene_of(tmp_path, MOVES), tmp_path / "out", passes=("rgb", "blur"), shutter=1.0,
        subframes=33, samples=16, render=STANDARD,
    )  # fmt: skip
    sharp, blurred = (light_of(film.read(sequence, 4, name))[32] for name in ("rgb", "blur"))
    assert blurred.sum() == pytest.approx(sharp.sum(), rel=0.01)
    middle = (np.arange(64) + 0.5 - 32) / PX_PER_FRAME  # the square is in the middle in frame 4
    ramp = np.clip(1.5 - abs(middle), 0.0, 1.0)
    assert np.abs(blurred - ramp).max() < 0.06


def test_rows_are_read_one_after_the_other(blender, tmp_path):
    film, sequence = shot(
        blender, scene_of(tmp_path, f"{MOVES}; square.scale.y = 9"), tmp_path / "out",
        passes=("rgb", "rolling_shutter"), shutter=1.0, subframes=5, samples=16,
        render=STANDARD,
    )  # fmt: skip
    light = light_of(film.read(sequence, 4, "rolling_shutter"))
    middles = light @ (np.arange(64) + 0.5) / light.sum(axis=1)
    rows = np.linspace(-0.5, 0.5, 64)
    assert np.abs(middles - (32 + rows * PX_PER_FRAME)).max() < 0.1
    sharp = light_of(film.read(sequence, 4, "rgb"))
    assert np.ptp(sharp @ (np.arange(64) + 0.5) / sharp.sum(axis=1)) < 0.2


def test_a_moving_camera_blurs_what_stands_still(blender, tmp_path):
    change = 'key(camera, "location", (1, 3.0), (7, -3.0), index=0)'
    wanted = {
        "passes": ("blur",), "shutter": 0.45, "subframes": 4, "samples": 256, "render": STANDARD,
    }  # fmt: skip
    own, sequence = shot(blender, scene_of(tmp_path, MOVES), tmp_path / "square", **wanted)
    film, _ = shot(blender, scene_of(tmp_path, change), tmp_path / "camera", **wanted)
    lights = [light_of(each.read(sequence, 4, "blur")) for each in (own, film)]
    assert np.abs(lights[0] - lights[1]).max() < 0.02, "few samples hit an edge by a hair"
    assert 0.1 < lights[0][32, 24] < 0.9, "of which 3.6 pixels are smeared"


def test_a_camera_of_ours_moves_on_beside_each_frame(blender, tmp_path):
    """Before the first frame and after the last, too: all smears have the frame in the middle."""
    upright = "square.rotation_euler.x = 1.5707963"
    film, sequence = shot(
        blender, scene_of(tmp_path, upright), tmp_path / "out", frames=3, passes=("rgb", "blur"),
        shutter=1.0, subframes=5, samples=64, render=STANDARD,
        camera={"kind": "pan", "speed": 60.0, "position": (0, -6, 0), "target": (0, 0, 0)},
    )  # fmt: skip
    columns, middles = np.arange(64) + 0.5, []
    for number in film.numbers(sequence):
        sharp, blurred = (light_of(film.read(sequence, number, n)) for n in ("rgb", "blur"))
        lights = [each.sum(axis=0) / each.sum() for each in (sharp, blurred)]
        middles += [lights[0] @ columns]
        assert lights[1] @ columns == pytest.approx(middles[-1], abs=0.2)
        spreads = [each @ (columns - middles[-1]) ** 2 for each in lights]
        assert spreads[1] - spreads[0] > 2.0, "an even smear of 6 pixels adds 3"
    assert (abs(np.diff(middles)) > 5).all()


@pytest.mark.parametrize("subframes", [5, 8])
def test_what_stands_still_is_sharp_and_makes_no_events(blender, tmp_path, subframes):
    """Sub-frames have the frame's own seed, so that their noise is the same."""
    film, sequence = shot(
        blender, scene_of(tmp_path, NOISY), tmp_path / "out", frames=2,
        passes=("rgb", *SHUTTERED), shutter=0.5, subframes=subframes, event_threshold=0.01,
    )  # fmt: skip
    for number in (4, 5):
        sharp = film.data(sequence, number, "rgb")
        assert film.data(sequence, number, "blur") == sharp
        assert film.data(sequence, number, "rolling_shutter") == sharp
        assert len(film.read(sequence, number, "events")) == 0
    noise = [film.data(sequence, number, "rgb") for number in (4, 5)]
    assert noise[0] != noise[1], "frames have seeds of their own"


@pytest.mark.parametrize(("change", "sign"), [(BRIGHTENS, 1), (DIMS, -1)], ids=["up", "down"])
def test_events_tell_of_steps_of_log_intensity(blender, tmp_path, change, sign):
    """In frame 6 the light is 11 of the one, 31 of the other: 1 more or less while it is open."""
    film, sequence = shot(
        blender, scene_of(tmp_path, change), tmp_path / "out", passes=("events",), first=5,
        frames=2, shutter=0.5, subframes=3, event_threshold=0.02,
    )  # fmt: skip
    middle = 11 if sign > 0 else 31
    lights = [middle - 0.5 * sign, middle, middle + 0.5 * sign]
    logs = [math.log(light + 1e-3) for light in lights]
    steps = math.floor(abs(logs[-1] - logs[0]) / 0.02)
    wanted = np.interp(
        [logs[0] + sign * 0.02 * nth for nth in range(1, steps + 1)][::sign],
        logs[::sign], [0.1 - 0.025, 0.1, 0.1 + 0.025][::sign],
    )[::sign]  # fmt: skip

    events = film.read(sequence, 6, "events")
    assert (events["p"] == sign).all()
    assert (np.diff(events["t"]) >= 0).all()
    here = events[(events["x"] == 30) & (events["y"] == 33)]
    assert here["t"] == pytest.approx(wanted, abs=1e-5)
    assert steps == (4 if sign > 0 else 1)
    lit = (events["x"] >= 23) & (events["x"] <= 40) & (events["y"] >= 23) & (events["y"] <= 40)
    assert lit.all(), "the dark around it stays dark"


def test_labels_are_those_of_the_frame(blender, tmp_path):
    street = write_street(tmp_path / "street.blend")
    plain, sequence = shot(
        blender, street, tmp_path / "plain", facts=STREET_FACTS, first=18, frames=3,
        passes=("rgb", "mask", *LABELS),
    )  # fmt: skip
    for subframes in (3, 4):
        film, _ = shot(
            blender, street, tmp_path / str(subframes), facts=STREET_FACTS, first=18, frames=3,
            passes=("rgb", "mask", *LABELS, *SHUTTERED), shutter=0.5, subframes=subframes,
        )  # fmt: skip
        for number in film.numbers(sequence):
            record = film.records[sequence, number]
            known = plain.records[sequence, number]
            assert record.camera == known.camera
            assert record.objects == known.objects
            for name in known.files:
                same = film.data(sequence, number, name) == plain.data(sequence, number, name)
                assert same, (number, name)
            assert record.values["shutter"]["subframes"] == subframes
            poses = record.values["subframes"]
            times = [each["time_s"] - record.view.moment.time_s for each in poses]
            assert times == pytest.approx(np.linspace(-0.25, 0.25, subframes) / 30)
            mean = np.mean([each["world_from_camera"] for each in poses], axis=0)
            assert np.allclose(mean, record.camera.world_from_camera, atol=1e-4)
            assert poses[0] != poses[-1]
            assert len(film.read(sequence, number, "events")) > 100


def test_a_frame_is_the_same_alone_and_in_a_run(blender, tmp_path):
    street = write_street(tmp_path / "street.blend")
    wanted = {
        "passes": ("depth", "flow", *SHUTTERED), "shutter": 0.5, "subframes": 4,
        "frame_start": 18, "frame_end": 20,
    }  # fmt: skip
    run = shoot_film(blender, film_job(street, STREET_FACTS, **wanted), tmp_path / "run")
    job = film_job(street, STREET_FACTS, views_per_task=1, **wanted)
    alone = shoot_film(blender, job, tmp_path / "alone", list(expand(job))[::-1])
    [sequence] = run.sequences
    for number in (18, 19, 20):
        for name in run.records[sequence, number].files:
            same = run.data(sequence, number, name) == alone.data(sequence, number, name)
            assert same, (number, name)


@pytest.mark.skipif(not find_opengl().renderer, reason="no OpenGL without a screen")
def test_eevee_draws_the_moments_as_well(blender, tmp_path):
    film, sequence = shot(
        blender, scene_of(tmp_path, MOVES), tmp_path / "out", passes=("rgb", "blur"), shutter=1.0,
        subframes=3, samples=2, render={"engine": "eevee"},
    )  # fmt: skip

    sharp, blurred = film.read(sequence, 4, "rgb"), film.read(sequence, 4, "blur")

    assert film.records[sequence, 4].engine == "eevee"
    assert sharp.shape == blurred.shape
    assert (sharp != blurred).any()
