"""Pictures as bright under one environment as under another, whose light differs 10,000 fold."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("bpy")

import bmesh
import bpy

from farm import expand
from farm.dataset.images import decode_pass
from farm.dataset.records.read import read_file
from farm.spec.job import JobSpec, make_job
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.support.blender.scenes import a_material, write_sky
from tests.support.blender.shots import OurLease, some_view
from worker.blender import environment
from worker.panorama.metering import stops_for
from worker.render.task import render_task

PASSES = ("rgb", "mask", "linear")


def grey_ball(scene):
    """An 18 % grey, wholly matt ball."""
    paint = a_material(colour=(0.18, 0.18, 0.18, 1.0))
    shader = paint.node_tree.nodes["Principled BSDF"]
    shader.inputs["Specular IOR Level"].default_value = 0.0
    shader.inputs["Roughness"].default_value = 1.0
    mesh = bpy.data.meshes.new("ball")
    shape = bmesh.new()
    bmesh.ops.create_uvsphere(shape, u_segments=48, v_segments=24, radius=0.5)
    shape.to_mesh(mesh)
    shape.free()
    mesh.materials.append(paint)
    scene.collection.objects.link(bpy.data.objects.new("ball", mesh))


def even(level: float) -> np.ndarray:
    return np.full((8, 16, 3), level, np.float32)


def sunny(level: float) -> np.ndarray:
    pixels = np.full((32, 64, 3), 0.1 * level, np.float32)
    pixels[8:10, 30:34] = 90.0 * level
    return pixels


@pytest.fixture
def sky_of(tmp_path):
    """Write an environment."""
    return lambda pixels, name="light": write_sky(tmp_path / f"{name}.exr", pixels)


def mean_of(seen) -> float:
    """Return how bright the model is."""
    return float(seen["linear"][seen["mask"] == 255].mean())


@pytest.mark.parametrize("level", [0.004, 1.0, 60.0])
def test_a_grey_ball_is_as_bright_under_every_even_sky(labelled, write_blend, sky_of, level):
    seen = labelled(
        write_blend(grey_ball), sky_of(even(level)), some_view(), passes=PASSES, exposure="auto",
        samples=16,
    )  # fmt: skip

    assert mean_of(seen) == pytest.approx(0.18, rel=0.03)
    assert seen.record.exposure_ev == pytest.approx(-math.log2(level), abs=1e-3)
    assert seen.record.ill_lit is None


def test_all_around_a_grey_ball_has_the_same_mean_under_all(labelled, write_blend, sky_of):
    """A sun lights one side more than the other; over all views it is as an even sky."""
    ball, hdr = write_blend(grey_ball), sky_of(sunny(300.0))
    means = [
        mean_of(
            labelled(
                ball, hdr, some_view(yaw=yaw, pitch=pitch), passes=PASSES, exposure="auto",
                samples=16,
            )
        )
        for pitch in (5.0, 30.0, 60.0)
        for yaw in (0.0, 90.0, 180.0, 270.0)
    ]  # fmt: skip
    weights = np.repeat(np.cos(np.radians([5.0, 30.0, 60.0])), 4)  # of a dome

    assert max(means) > 2 * min(means)
    assert np.average(means, weights=weights) == pytest.approx(0.18, rel=0.08)


def test_the_strength_of_a_view_comes_on_top(labelled, write_blend, sky_of):
    ball, hdr = write_blend(grey_ball), sky_of(even(60.0))

    dim, bright = (
        labelled(ball, hdr, some_view(strength=each), passes=PASSES, exposure="auto", samples=16)
        for each in (0.7, 1.4)
    )

    assert mean_of(dim) == pytest.approx(0.7 * 0.18, rel=0.03)
    assert mean_of(bright) == pytest.approx(1.4 * 0.18, rel=0.03)
    assert dim.record.exposure_ev == bright.record.exposure_ev


def test_a_picture_under_a_dazzling_sky_is_that_under_a_usual_one(labelled, statue, sky_of):
    """Its noise and its light that bounces are measured against what the picture shows, too."""
    usual, dazzling = (
        labelled(statue, sky_of(sunny(level)), passes=PASSES, exposure="auto", samples=16)
        for level in (1.0, 1024.0)
    )

    assert np.abs(usual["rgb"].astype(int) - dazzling["rgb"]).max() <= 1
    assert usual.record.exposure_ev - dazzling.record.exposure_ev == pytest.approx(10, abs=1e-3)


def test_lights_that_take_turns_are_metered_each(blender, write_blend, sky_of, tmp_path):
    """A task that shows the same views under several lights exposes each picture to its own."""
    levels = {"night": 0.01, "noon": 40.0}
    hdrs = [sky_of(even(level), name) for name, level in levels.items()]
    spec = JobSpec.model_validate(
        {
            "models": ["a.blend"],
            "hdrs": ["a.exr"],
            "passes": PASSES,
            "render": {"resolution": 64, "samples": 4, "exposure": "auto"},
            "recipe": {"relight": True, "yaw": 2, "pitch": 1},
        }
    )
    task = expand.render_task(make_job(spec, (write_blend(grey_ball), *hdrs)), 0)
    storage = FolderStorage(tmp_path)

    render_task(task, session=blender, storage=storage, attempt=1, worker="h", lease=OurLease())

    records = [entry.record for entry in read_file(storage, records_key(task), print)]
    assert len(records) == 4
    for record in records:
        [hdr] = (asset for asset in record.assets if asset.kind == "hdr")
        level = levels[hdr.name.removesuffix(".exr")]
        assert record.exposure_ev == pytest.approx(-math.log2(level), abs=1e-3)
        data = storage.get(f"{task.dataset}/{record.files['linear'].path}")
        linear = decode_pass(data, record.files["linear"].path, "linear")
        assert np.median(linear[28:36, 28:36]) == pytest.approx(0.18, rel=0.1)


def test_given_stops_are_those_of_a_brighter_picture(labelled, statue, sky):
    plain = labelled(statue, sky, passes=PASSES)
    brighter = labelled(statue, sky, passes=PASSES, exposure=1.0)

    np.testing.assert_allclose(
        brighter["linear"].mean(), 2 * plain["linear"].mean(), rtol=0.02
    )  # other lots are drawn in dim light
    assert plain.record.exposure_ev is None
    assert brighter.record.exposure_ev == 1.0
    assert np.array_equal(brighter["mask"], plain["mask"])


def test_a_picture_after_one_with_an_exposure_is_the_same(labelled, statue, sky):
    before = labelled(statue, sky, passes=PASSES)
    labelled(statue, sky, passes=PASSES, exposure=5.0)

    assert labelled(statue, sky, passes=PASSES).data("rgb") == before.data("rgb")


def test_an_environment_is_metered_once(labelled, statue, sky_of, monkeypatch):
    metered = []
    monkeypatch.setattr(
        environment, "stops_for", lambda texels: metered.append(1) or stops_for(texels)
    )
    hdrs = [sky_of(sunny(level), name) for level, name in ((1.1, "one"), (2.2, "other"))]

    for hdr in (*hdrs, *hdrs):
        labelled(statue, hdr, passes=PASSES, exposure="auto", samples=1)

    assert len(metered) == 2


@pytest.mark.parametrize(("level", "how"), [(0.0005, "black"), (400.0, "clipped"), (1.0, None)])
def test_a_view_that_shows_nothing_is_told(labelled, statue, sky_of, level, how):
    pixels = even(level)
    pixels[5:] = 0.0  # no picture is flat
    seen = labelled(statue, sky_of(pixels), passes=("rgb", "mask"), view_transform="Standard")

    assert seen.record.ill_lit == how
