"""Pictures of sequences are denoised alike, whatever their files say of it, and labels never."""

from __future__ import annotations

import pytest

from farm.expand.recipe import expand
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.street_scene import FACTS, write_street

OTHER = """
scene.render.engine = "CYCLES"
scene.cycles.denoising_input_passes = "RGB"
scene.cycles.denoising_prefilter = "NONE"
scene.cycles.denoising_quality = "FAST"
"""


def task_of(tmp_path, name, change="", *, denoise=True):
    scene = write_street(tmp_path / f"{name}.blend", change)
    job = film_job(
        scene,
        FACTS,
        render={"denoise": denoise},
        passes=("rgb", "depth", "normal"),
        frames=1,
        frame_start=20,
    )
    [task] = expand(job)
    return job, task


@pytest.fixture
def plain(blender, tmp_path):
    job, task = task_of(tmp_path, "plain")
    return job, task, shoot_film(blender, job, tmp_path / "out")


def the_only(film, name):
    [(sequence, number)] = film.records
    return film.data(sequence, number, name)


def test_a_file_does_not_say_how_well_its_pictures_are_denoised(blender, tmp_path, plain):
    job, task, film = plain
    _, other_task = task_of(tmp_path, "other", OTHER)
    same_seed = task.model_copy(update={"assets": other_task.assets})
    other = shoot_film(blender, job, tmp_path / "out-other", [same_seed])

    assert the_only(other, "rgb") == the_only(film, "rgb")


def test_labels_are_never_denoised(blender, tmp_path, plain):
    _, task, film = plain
    job, other = task_of(tmp_path, "noisy", denoise=False)
    same_scene = other.model_copy(update={"assets": task.assets, "views": task.views})
    noisy = shoot_film(blender, job, tmp_path / "out-noisy", [same_scene])

    assert the_only(noisy, "rgb") != the_only(film, "rgb")
    for name in ("depth", "normal"):
        assert the_only(noisy, name) == the_only(film, name)


def test_guides_are_denoised_fast_in_sequences_alone(blender, plain):
    _, _, film = plain
    assert blender.scene.cycles.denoising_prefilter == "FAST"
    assert {record.prefilter for record in film.records.values()} == {"fast"}

    blender.free_model()

    assert blender.scene.cycles.denoising_prefilter == "ACCURATE"
