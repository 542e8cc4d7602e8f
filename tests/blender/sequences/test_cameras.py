"""Cameras of sequences: rigs of the file's own, and paths."""

from __future__ import annotations

import numpy as np

from farm.spec.camera import PoseCamera
from tests.support.blender.films import film_job, shoot_film
from tests.support.blender.follow import moment_of, truth
from tests.support.blender.street_scene import FACTS, write_street
from worker.recipes import sequence
from worker.recipes.sequence import SequenceStage


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


def test_flow_knows_how_a_camera_of_ours_moves(blender, tmp_path, monkeypatch):
    poses = []
    for place in range(4):
        turn, at = 0.05 * place, (0.5 * place - 1, -9, 2)
        pose = np.eye(4)
        cos, sin = np.cos(turn), np.sin(turn)
        pose[:3, :3] = np.array([[cos, 0, sin], [sin, 0, -cos], [0, 1, 0]])
        pose[:3, 3] = at
        poses.append(PoseCamera(world_from_camera=tuple(map(tuple, pose.tolist()))))

    def prepare(task, session):
        stage = real(task.model_copy(update={"needs": None}), session)
        return SequenceStage(session, stage.opened, spacing=stage.spacing, path=tuple(poses))

    real = sequence.prepare
    monkeypatch.setattr(sequence, "prepare", prepare)
    scene = write_street(tmp_path / "street.blend")
    job = film_job(
        scene, FACTS, resolution=96, frame_start=20, frame_end=27, frames=4, frame_step=2,
        passes=("index", "flow"), camera="orbit",
    )  # fmt: skip
    monkeypatch.setattr("worker.render.task.make_product", lambda *_, **__: None)
    monkeypatch.setattr("worker.assets.products.Workshop.hold", lambda self, need: need)
    film = shoot_film(blender, job, tmp_path / "out")
    [name] = film.sequences
    one, two = (film.records[name, number] for number in (22, 24))
    blender.scene.render.frame_map_old = blender.scene.render.frame_map_new = 100
    moments = [moment_of(blender.scene, record.view.frame) for record in (one, two)]
    known = truth(*moments, one.camera, two.camera, (96, 96))
    errors = np.linalg.norm(film.read(name, 22, "flow_forward") - known.flow, axis=-1)
    assert np.nanquantile(errors[known.valid], 0.99) < 0.05
    assert (film.read(name, 22, "flow_forward_valid") > 0).sum() > 1000
