"""Layers of a picture and its exposure in a spec: what can be asked for, and what is left out."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from farm.spec.job import JobSpec
from farm.spec.passes import CUTOUTS, LAYERS, pass_path
from farm.spec.recipes.sod import SodGrid
from farm.spec.render import RenderSettings, resolve_render
from tests.builders import a_job, a_record

SOD = {"models": ["a.glb"], "hdrs": ["b.exr"]}


def spec(**changes) -> JobSpec:
    return JobSpec.model_validate({**SOD, **changes})


def test_a_cutout_is_a_png_beside_any_format():
    found = {name: pass_path(name, "view", picture_format="jxl") for name in LAYERS}

    assert found == {
        "linear": "linear/view.exr",
        "foreground": "foreground/view.png",
        "background": "background/view.jxl",
        "foreground_linear": "foreground_linear/view.exr",
        "background_linear": "background_linear/view.exr",
        "shadow": "shadow/view.exr",
    }


@pytest.mark.parametrize("name", CUTOUTS)
def test_eevee_gives_no_cutouts(name):
    with pytest.raises(ValidationError, match=f"{name}: EEVEE paints what is behind"):
        spec(render={"engine": "eevee"}, passes=["rgb", name])


def test_eevee_gives_a_linear_picture():
    assert "linear" in spec(render={"engine": "eevee"}, passes=["rgb", "linear"]).passes


def test_a_shadow_needs_a_ground():
    with pytest.raises(ValidationError, match=r"shadow: falls on a ground: say recipe\.ground"):
        spec(passes=["rgb", "shadow"])
    with pytest.raises(ValidationError, match="the recipe tabletop has none; leave it out"):
        JobSpec.model_validate(
            {"recipe": {"kind": "tabletop"}, "objects": ["a.glb"], "passes": ["shadow"]}
        )


@pytest.mark.parametrize("ground", ["layer", "picture"])
def test_a_ground_brings_its_shadow(ground):
    assert spec(recipe={"ground": ground}).passes == ("rgb", "mask", "shadow")
    assert spec(recipe={"ground": ground}, passes=["shadow", "rgb"]).passes == ("shadow", "rgb")


def test_eevee_has_no_ground():
    with pytest.raises(ValidationError, match=r"shadow: .* engine: cycles"):
        spec(recipe={"ground": "picture"}, render={"engine": "eevee"})


def test_what_is_usual_is_no_part_of_what_ids_are_made_of():
    plain = a_job()
    said = a_job(recipe=SodGrid(ground="none"), render=RenderSettings(exposure="none"))

    assert said.job_id == plain.job_id
    assert "ground" not in SodGrid().model_dump()
    assert "exposure" not in RenderSettings().model_dump()
    assert "exposure" not in resolve_render(RenderSettings(), default_format="png").model_dump()
    assert not {"exposure_ev", "ill_lit"} & set(a_record().model_dump())
    assert a_job(render=RenderSettings(exposure=1.0)).job_id != plain.job_id


@pytest.mark.parametrize(
    ("said", "meant"),
    [("auto", "auto"), ("AUTO", "auto"), ("none", "none"), (0, "none"), ("-1.5", -1.5), (2, 2.0)],
)
def test_an_exposure_is_a_word_or_stops(said, meant):
    assert RenderSettings(exposure=said).exposure == meant


@pytest.mark.parametrize("said", ["bright", 21, "nan", True, None])
def test_what_is_no_exposure_is_told_with_what_is(said):
    with pytest.raises(ValidationError, match="neither none nor auto nor a number of stops") as why:
        RenderSettings(exposure=said)
    assert len(why.value.errors()) == 1


def test_only_hdris_can_be_metered():
    with pytest.raises(ValidationError, match="auto meters HDRIs: name some, or give stops"):
        JobSpec.model_validate(
            {"recipe": {"kind": "tabletop"}, "objects": ["a"], "render": {"exposure": "auto"}}
        )
    with pytest.raises(ValidationError, match="the lights of a file are none"):
        JobSpec.model_validate(
            {
                "recipe": {"kind": "sequence", "lights": "file"},
                "scenes": ["a.blend"],
                "hdrs": ["b.exr"],
                "render": {"exposure": "auto"},
            }
        )
