"""Flow leads to the neighbouring frame of the dataset, and says where it can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.follow import moment_of, truth
from tests.support.blender.street_scene import FACTS, write_street

SIZE = 96


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("scenes") / "street.blend")


def measured(blender, film, sequence, number, other, side):
    """Return flow errors (px), and how valid pixels were told: (right, wrong, missed)."""
    record, there = film.records[sequence, number], film.records[sequence, other]
    scene = blender.scene
    stretch = scene.render.frame_map_old, scene.render.frame_map_new
    scene.render.frame_map_old = scene.render.frame_map_new = 100
    try:
        moments = [moment_of(scene, each.view.frame) for each in (record, there)]
    finally:
        scene.render.frame_map_old, scene.render.frame_map_new = stretch
    known = truth(*moments, record.camera, there.camera, (SIZE, SIZE))
    flow = film.read(sequence, number, f"flow_{side}")
    told = film.read(sequence, number, f"flow_{side}_valid") > 0
    seen = np.isfinite(known.flow).all(axis=-1)
    errors = np.linalg.norm(flow - known.flow, axis=-1)[seen & known.valid]
    far = seen & ~known.close
    return (
        errors,
        (told & known.valid & far).sum(),
        (told & ~known.valid & far).sum(),
        (~told & known.valid & far).sum(),
        told,
        known,
    )


@pytest.mark.parametrize(
    "recipe",
    [{}, {"keyframe_multiplier": [2.5]}, {"frame_step": 3}],
    ids=["each", "slow", "steps"],
)
def test_flow_is_to_the_neighbour_and_valid_where_it_is_seen(blender, street, tmp_path, recipe):
    job = film_job(
        street, FACTS, resolution=SIZE, frame_start=18, frame_end=24, frames=2,
        passes=("index", "flow"), **recipe,
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    [sequence] = film.sequences
    first, second = film.numbers(sequence)
    for number, other, side in ((first, second, "forward"), (second, first, "backward")):
        errors, right, wrong, missed, *_ = measured(blender, film, sequence, number, other, side)
        print(recipe, side, "99.9%", np.quantile(errors, 0.999), errors.max(), right, wrong, missed)
        assert np.quantile(errors, 0.999) < 0.05
        assert right / (right + wrong) >= 0.99
        assert right / (right + missed) >= 0.99
    assert not film.read(sequence, first, "flow_backward_valid").any(), "there is none before"
    assert not film.read(sequence, second, "flow_forward_valid").any(), "there is none after"
