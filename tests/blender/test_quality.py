"""Qualities by name, rendered."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from farm.spec.render import RenderSettings, resolve_render
from tests.support.blender.shots import some_view

SMALL = (64, 64)
PICTURE = ("rgb", "mask")


def asked(quality: str, **more) -> dict[str, object]:
    settings = RenderSettings(quality=quality, resolution=SMALL, **more)
    return resolve_render(settings, default_format="png").model_dump()


@pytest.fixture(scope="module")
def far_off():
    return some_view(distance=3.5, rotation=70.0)


def test_a_default_picture_is_the_same_after_any_other(labelled, statue, sky, far_off):
    def plain():
        return labelled(statue, sky, view=far_off, passes=PICTURE, samples=8, resolution_px=SMALL)

    before = plain()
    for quality in ("draft", "standard"):
        labelled(statue, sky, view=far_off, passes=PICTURE, **asked(quality))

    assert {name: plain().data(name) for name in PICTURE} == {
        name: before.data(name) for name in PICTURE
    }


def test_a_default_picture_is_rendered_as_ever(blender):
    """What its pixels hang on, beside the scene."""
    blender.configure(resolve_render(RenderSettings(quality="draft"), default_format="png"))
    blender.configure(resolve_render(RenderSettings(), default_format="png"))

    cycles, render = blender.scene.cycles, blender.scene.render
    assert (cycles.samples, cycles.use_denoising, cycles.use_adaptive_sampling) == (
        64,
        False,
        False,
    )
    assert (cycles.denoising_prefilter, cycles.denoising_quality) == ("ACCURATE", "HIGH")
    assert not render.use_border


def test_records_say_what_a_name_stood_for(labelled, statue, sky, far_off):
    record = labelled(statue, sky, view=far_off, passes=PICTURE, **asked("draft")).record

    assert (record.quality, record.samples, record.prefilter) == ("draft", 16, "fast")
    assert record.denoiser == "openimagedenoise"
    assert record.background == "looked_up"


def test_auto_takes_what_is_no_worse_than_plain(labelled, statue, sky, far_off):
    def picture(quality: str, **more):
        return labelled(statue, sky, view=far_off, passes=PICTURE, **asked(quality, **more))

    truth, plain, auto = picture("reference"), picture("plain"), picture("auto")

    def error(rendered) -> float:
        wrong = rendered["rgb"].astype(float) - truth["rgb"]
        return float(np.sqrt(np.mean(wrong[truth["mask"] > 0] ** 2)))

    assert auto.record.quality == "auto"
    assert (auto.record.samples == 64) == (auto.record.denoiser is None)
    assert error(auto) < 1.15 * error(plain)  # of one picture, by chance


def test_auto_decides_alike_whatever_view_comes_first(labelled, blender, statue, sky, far_off):
    first = labelled(statue, sky, view=far_off, passes=PICTURE, **asked("auto"))
    blender.decisions.clear()
    labelled(statue, sky, view=some_view(pitch=80.0), passes=PICTURE, **asked("auto"))

    again = labelled(statue, sky, view=far_off, passes=PICTURE, **asked("auto"))
    assert {name: again.data(name) for name in PICTURE} == {
        name: first.data(name) for name in PICTURE
    }
