"""Qualities by name: what each stands for, and what is said beside it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from farm.spec.render import RenderSettings, ResolvedRender, resolve_render
from tests.builders import a_job, a_record


def resolved(**settings) -> ResolvedRender:
    return resolve_render(RenderSettings(**settings), default_format="png")


def test_without_a_name_all_is_as_ever():
    assert resolved().model_dump() == {
        "resolution_px": (640, 640),
        "samples": 64,
        "denoise": False,
        "format": "png",
        "bit_depth": 8,
        "view_transform": "AgX",
        "previews": True,
    }
    assert resolved(quality="plain") == resolved()
    assert resolved(resolution=2048).samples == 128
    assert resolved(resolution=2048).denoise
    assert a_job(render=RenderSettings(quality="plain")).job_id == a_job().job_id


@pytest.mark.parametrize(
    ("quality", "samples", "denoise", "prefilter"),
    [
        ("draft", 16, True, "fast"),
        ("standard", 48, True, "fast"),
        ("reference", 1024, False, "accurate"),
    ],
)
def test_a_name_stands_for_numbers(quality, samples, denoise, prefilter):
    found = resolved(quality=quality)

    assert (found.samples, found.denoise, found.prefilter) == (samples, denoise, prefilter)
    assert found.background == "looked_up"
    assert found.quality == quality
    assert a_job(render=RenderSettings(quality=quality)).job_id != a_job().job_id


def test_large_pictures_of_standard_quality_are_rendered_as_plain_ones_but_for_the_background():
    plain, standard = resolved(resolution=2048), resolved(resolution=2048, quality="standard")

    same = {"background": "traced", "quality": "plain"}
    assert standard.model_copy(update=same) == plain
    assert standard.background == "looked_up"


def test_what_is_said_beside_a_name_goes_before_it():
    found = resolved(quality="draft", samples=5, denoise=False, background="traced")

    assert (found.samples, found.denoise, found.background) == (5, False, "traced")


@pytest.mark.parametrize("wish", [{"samples": 8}, {"denoise": False}])
def test_what_auto_finds_out_is_not_said_too(wish):
    with pytest.raises(ValidationError, match=f"{next(iter(wish))} is what quality: auto finds"):
        RenderSettings(quality="auto", **wish)


def test_eevee_has_no_such_qualities():
    with pytest.raises(ValidationError, match="quality is for engine: cycles"):
        RenderSettings(engine="eevee", quality="standard")


def test_records_of_plain_pictures_are_as_before():
    assert not {"quality", "prefilter", "background"} & a_record().model_dump().keys()
