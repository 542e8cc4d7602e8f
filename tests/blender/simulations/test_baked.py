"""Frames of what moves by physics are the same, whoever renders them and after what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farm.spec.scene_facts import SceneFacts
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.other_process import shoot_elsewhere
from tests.support.blender.simulated import (
    CAMERA,
    KINDS,
    LAST,
    painted_colours,
    write_simulated,
)

FRAMES = {"frame_start": 3, "frame_end": LAST, "frames": LAST - 2}


def facts_of(*names):
    return SceneFacts(
        fps=24.0, frame_start=1, frame_end=LAST, cameras=(CAMERA,), camera=CAMERA,
        simulations=names,
    )  # fmt: skip


def hashes(film):
    """Return the hash of each file, by sequence, number and pass."""
    return {
        (*key, name): file.sha256
        for key, record in film.records.items()
        for name, file in record.files.items()
    }


def common(one, other):
    """Return what two films both have, of the first and of the second."""
    one, other = hashes(one), hashes(other)
    both = one.keys() & other.keys()
    return {key: one[key] for key in both}, {key: other[key] for key in both}


@pytest.mark.parametrize(("fill", "name"), KINDS.values(), ids=KINDS)
def test_a_frame_is_the_same_alone_in_a_run_and_by_another_process(blender, tmp_path, fill, name):
    """The other process bakes for itself, too, and begins with the last batch."""
    blender.free_model()  # whose names the scene would otherwise not get
    scene = write_simulated(tmp_path / "scene.blend", fill)
    job = film_job(
        Path(scene.path), facts_of(name), views_per_task=5, passes=("rgb", "depth"), **FRAMES
    )
    run = shoot_film(blender, job, tmp_path / "run")
    elsewhere = shoot_elsewhere(job, tmp_path / "elsewhere", [0, 2])
    ours, theirs = common(run, elsewhere)
    assert len(ours) == 2 * 5
    assert ours == theirs

    jumped = film_job(
        Path(scene.path), facts_of(), passes=("rgb", "depth"), frame_start=LAST, frames=1
    )
    lost = shoot_film(blender, jumped, tmp_path / "jump")
    [here], [there] = run.sequences, lost.sequences
    shown = "rgb" if fill is painted_colours else "depth"
    last, jump = run.read(here, LAST, shown), lost.read(there, LAST, shown)
    assert differs(last, run.read(here, 3, shown)), "nothing moves"
    assert differs(last, jump), "a frame that is jumped to would be right without a bake"


def differs(one, other):
    """Tell whether two pictures, or depths, show something else."""
    if one.dtype == np.uint8:
        return (np.abs(one.astype(int) - other) > 60).mean() > 0.005
    return (one != other).mean() > 0.005
