"""Cameras of sequences: rigs of the file's own, and paths."""

from __future__ import annotations

import numpy as np

from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.street_scene import FACTS, write_street


def test_a_stereo_pair_is_two_sequences_side_by_side(blender, tmp_path):
    scene = write_street(tmp_path / "street.blend", "camera.scale = (2, 2, 2)")
    job = film_job(
        scene, FACTS, frame_start=20, frame_end=22, frames=2, passes=("index", "flow"),
        camera_offsets={"left": (-0.1, 0, 0), "right": (0.1, 0, 0)},
    )  # fmt: skip
    film = shoot_film(blender, job, tmp_path / "out")
    assert film.sequences == ["street/001-00020-00021-left", "street/001-00020-00021-right"]
    for number in (20, 21):
        left, right = (
            np.array(film.records[name, number].camera.world_from_camera) for name in film.sequences
        )
        between = left[:3, :3].T @ (right - left)[:3, 3]
        assert np.allclose(between, (0.2, 0, 0), atol=1e-5)
        assert np.allclose(left[:3, :3], right[:3, :3])
    flows = [film.read(name, 20, "flow_forward") for name in film.sequences]
    assert not np.array_equal(*flows), "each flows as its own camera moves"
    assert all(np.abs(flow).max() > 0.1 for flow in flows)
