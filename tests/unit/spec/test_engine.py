"""The engine of the picture in a spec: left out where it is the usual one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from farm.spec.render import RenderSettings, resolve_render
from tests.builders import a_job


def test_the_usual_engine_is_no_part_of_what_ids_are_made_of():
    usual = resolve_render(RenderSettings(), default_format="png")

    assert "engine" not in RenderSettings().model_dump()
    assert "engine" not in usual.model_dump()
    assert usual.engine == "cycles"


def test_another_engine_is_another_job():
    usual, eevee = a_job(), a_job(render=RenderSettings(engine="eevee"))

    assert usual.job_id == a_job(render=RenderSettings(engine="cycles")).job_id
    assert usual.job_id != eevee.job_id
    assert eevee.render.engine == "eevee"


@pytest.mark.parametrize(
    "wish", [{"denoise": True}, {"noise_threshold": 0.1}, {"background": "looked_up"}]
)
def test_what_eevee_lacks_is_refused_by_name(wish):
    with pytest.raises(ValidationError, match=f"{next(iter(wish))} is for engine: cycles"):
        RenderSettings(engine="eevee", **wish)


def test_large_pictures_of_eevee_are_not_denoised_by_default():
    large = RenderSettings(resolution=2048, engine="eevee")

    assert resolve_render(large, default_format="png").denoise is False


def test_the_usual_background_is_no_part_of_what_ids_are_made_of():
    usual, looked_up = a_job(), a_job(render=RenderSettings(background="looked_up"))

    assert "background" not in usual.render.model_dump()
    assert usual.job_id == a_job(render=RenderSettings(background="traced")).job_id
    assert usual.job_id != looked_up.job_id
    assert looked_up.render.background == "looked_up"
