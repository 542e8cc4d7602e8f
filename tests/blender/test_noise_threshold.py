"""With a noise threshold, pixels of the picture stop where they are clean; labels are the same."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from tests.support.blender.shots import changed, picture, some_view

MOST = 256
LOOSE = 0.2
"""Clean enough after few samples."""
LABELS = ("depth", "normal", "index", "flow_forward", "material")


@pytest.fixture(scope="module")
def pictures(blender, statue, sky):
    """The same view with few, all, and as many samples as it takes."""
    asked = {"few": {"samples": 8}, "all": {"samples": MOST}}
    asked["enough"] = {"samples": MOST, "noise_threshold": LOOSE}
    return {
        name: picture(blender, statue, sky, some_view(), **settings)
        for name, settings in asked.items()
    }


def test_fewer_samples_are_taken_where_there_is_little_noise(pictures):
    assert not np.array_equal(pictures["enough"], pictures["all"])


def test_noise_stays_below_that_of_few_samples(pictures):
    def noise(name: str) -> float:
        return float(np.abs(pictures[name] - pictures["all"]).mean())

    assert noise("enough") < 0.7 * noise("few")


def test_labels_are_those_without_it(labelled, statue, sky):
    passes = ("rgb", "mask", *LABELS)

    plain = labelled(statue, sky, passes=passes, samples=16)
    stopped = labelled(statue, sky, passes=passes, samples=16, noise_threshold=LOOSE)

    assert {name: plain.data(name) for name in LABELS} == {
        name: stopped.data(name) for name in LABELS
    }
    assert plain.record.noise_threshold is None
    assert stopped.record.noise_threshold == LOOSE


def test_a_picture_is_the_same_alone_beside_labels_and_after_another(labelled, statue, sky):
    asked = {"samples": 64, "noise_threshold": LOOSE}

    first = labelled(statue, sky, passes=("rgb", "mask"), **asked)
    labelled(statue, sky, passes=("rgb", "depth"), samples=8)
    beside = labelled(statue, sky, passes=("rgb", "mask", "normal", "flow_forward"), **asked)

    assert first.data("rgb") == beside.data("rgb")
    assert first.data("mask") == beside.data("mask")


def test_what_blender_had_before_does_not_matter(blender, statue, sky):
    with changed(blender.scene.cycles, adaptive_min_samples=64, adaptive_threshold=0.9):
        usual = picture(blender, statue, sky, some_view(), samples=16)

    assert np.array_equal(usual, picture(blender, statue, sky, some_view(), samples=16))
