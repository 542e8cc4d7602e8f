"""What moves by physics moves while a shutter is open, and is the same whoever renders it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farm.expand.recipe import expand
from farm.spec.scene_facts import SceneFacts
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.simulated import CAMERA, KINDS, LAST, write_simulated


@pytest.mark.parametrize("kind", ["rigid body", "cloth", "simulation zone"])
def test_baked_motion_goes_on_between_frames(blender, tmp_path, kind):
    fill, name = KINDS[kind]
    facts = SceneFacts(
        fps=24.0, frame_start=1, frame_end=LAST, cameras=(CAMERA,), camera=CAMERA,
        simulations=(name,),
    )  # fmt: skip
    blender.free_model()  # whose names the scene would otherwise not get
    scene = Path(write_simulated(tmp_path / "scene.blend", fill).path)
    wanted = {
        "passes": ("blur", "events"), "shutter": 1.0, "subframes": 5, "frame_start": 6,
        "frame_end": 8,
    }  # fmt: skip
    run = shoot_film(blender, film_job(scene, facts, **wanted), tmp_path / "run")
    job = film_job(scene, facts, views_per_task=1, **wanted)
    bake, *frames = expand(job)
    alone = shoot_film(blender, job, tmp_path / "alone", [bake, *frames[::-1]])
    [sequence] = run.sequences
    for number in (6, 7, 8):
        times = run.read(sequence, number, "events")["t"] * 24 - (number - 6)
        found, _ = np.histogram(times, bins=4, range=(-0.5, 0.5))
        assert found.all(), "it moves from each sub-frame to the next"
        for each in ("blur", "events"):
            assert run.data(sequence, number, each) == alone.data(sequence, number, each)
