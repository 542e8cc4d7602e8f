"""EEVEE makes the picture; labels and mask are those of Cycles, to the byte."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from farm.errors import RenderError
from farm.storage import FolderStorage
from tests.support.blender.scenes import a_material, write_sky
from tests.support.blender.shots import changed, some_view
from tests.support.blender.tabletops import (
    Standing,
    a_tabletop_task,
    a_view_of_it,
    camera_from,
    render_tabletop,
)
from tests.support.tabletop import box, write_obj
from worker.blender import eevee
from worker.device.device import parse_device
from worker.device.opengl import OpenGL, find_opengl

LABELS = ("depth", "normal", "index", "flow_forward", "material", "position")
PASSES = ("rgb", "mask", *LABELS)

pytestmark = pytest.mark.skipif(not find_opengl().renderer, reason="no OpenGL without a screen")


def add_ball(scene):
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=4, radius=0.5)
    ball = bpy.context.object
    bpy.ops.object.shade_smooth()
    ball.data.materials.append(a_material(colour=(0.6, 0.3, 0.1, 1.0)))
    if ball.name not in scene.objects:
        scene.collection.objects.link(ball)


@pytest.fixture(scope="module")
def by(labelled, statue, sky):
    """The same view by both engines."""
    view = some_view(rotation=70.0, strength=1.3)
    return {
        engine: labelled(statue, sky, view, passes=PASSES, samples=16, engine=engine)
        for engine in ("cycles", "eevee")
    }


def test_labels_and_mask_are_the_same_bytes(by):
    same = {name: by["eevee"].data(name) == by["cycles"].data(name) for name in ("mask", *LABELS)}

    assert same == dict.fromkeys(("mask", *LABELS), True)


def test_the_picture_shows_the_same_thing_in_the_same_light(by):
    cycles, drawn = by["cycles"]["rgb"].astype(float), by["eevee"]["rgb"].astype(float)
    behind = by["cycles"]["mask"] == 0
    model = by["cycles"]["mask"] == 255

    assert not np.array_equal(cycles, drawn)
    np.testing.assert_allclose(drawn[behind].mean(0), cycles[behind].mean(0), rtol=0.01)
    np.testing.assert_allclose(drawn[model].mean(0), cycles[model].mean(0), rtol=0.12)


def test_a_matt_ball_in_even_light_is_as_bright(labelled, write_blend, tmp_path):
    ball = write_blend(lambda scene: add_ball(scene))
    sky = write_sky(tmp_path / "even.exr", np.full((8, 16, 3), 0.4, dtype=np.float32))

    means = []
    for engine in ("cycles", "eevee"):
        seen = labelled(ball, sky, passes=("rgb", "mask"), samples=16, engine=engine,
                        view_transform="Standard")  # fmt: skip
        means.append(seen["rgb"][seen["mask"] == 255].mean(0))

    np.testing.assert_allclose(means[1], means[0], rtol=0.03)


def test_a_camera_that_stands_anywhere_sees_the_environment(blender, sky, tmp_path):
    """Whichever is behind the table: a camera of a pose sees from next to nothing to far off."""
    thing = write_obj(tmp_path / "box.obj", box(0.1, 0.1, 0.1), (0.5, 0.5, 0.5))
    hdr = sky.model_copy(update={"role": "hdrs"})
    view = a_view_of_it(0, camera_from((0.0, -1.2, 0.35))).model_copy(update={"hdr": 1})
    task = a_tabletop_task(tmp_path / "settled", [Standing(thing, (0.0, 0.0, 0.05))], [view])
    pictures = {}
    for engine in ("cycles", "eevee"):
        settings = task.render.model_copy(update={"engine": engine})
        own = task.model_copy(update={"assets": (*task.assets, hdr), "render": settings})
        [shown] = render_tabletop(blender, own, FolderStorage(tmp_path / engine))
        pictures[engine] = shown["rgb"][shown["mask"] == 0].astype(float)

    assert pictures["cycles"].std(0).max() > 10
    apart = abs(pictures["eevee"] - pictures["cycles"])
    assert (apart < 12).mean() > 0.98, "but for steps of the environment"


@pytest.mark.parametrize(
    ("clips", "drawn"),
    [
        ((0.1, 1000.0), (0.1, 1000.0)),
        ((1e-5, 1e9), (1e-3, 1e4)),
        ((1e-5, 1000.0), (1e-4, 1000.0)),
        ((1.0, 1e9), (1e-3, 1e4)),
    ],
)
def test_near_and_far_are_not_too_far_apart(clips, drawn):
    assert eevee.drawable(*clips) == pytest.approx(drawn)


def test_the_record_says_what_made_the_picture(by):
    drawn, cycles = by["eevee"].record, by["cycles"].record

    assert (drawn.engine, cycles.engine) == ("eevee", "cycles")
    assert drawn.versions["opengl"] == eevee.opengl()
    assert "engine" not in cycles.model_dump()
    assert "opengl" not in cycles.versions


def test_cycles_makes_the_same_picture_after_eevee(by, labelled, statue, sky):
    view = some_view(rotation=70.0, strength=1.3)

    again = labelled(statue, sky, view, passes=PASSES, samples=16)

    assert {name: again.data(name) for name in PASSES} == {
        name: by["cycles"].data(name) for name in PASSES
    }


def test_a_gpu_is_not_replaced_by_the_cpu():
    found = OpenGL("llvmpipe (LLVM 15.0.6, 256 bits)", "4.5")

    assert "which is the CPU" in eevee.objection(found, parse_device("optix:0"))
    assert not eevee.objection(found, parse_device("cpu"))
    assert not eevee.objection(OpenGL("NVIDIA L40S", "4.6"), parse_device("optix:0"))


def test_a_fisheye_is_refused(labelled, statue, sky, blender):
    labelled(statue, sky, passes=("mask",), engine="eevee")

    with (
        changed(blender.scene.camera.data, type="PANO"),
        pytest.raises(RenderError, match="a fisheye or a panorama: take another lens"),
    ):
        eevee.check_lens(blender.scene)
