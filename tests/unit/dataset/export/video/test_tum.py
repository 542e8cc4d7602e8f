"""TUM RGB-D, read as its evaluation tools do: lists of stamps, and the pose of the camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.dataset.export.cameras import quaternion
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import run


def read_list(path: Path) -> dict[float, list[str]]:
    """`associate.py`: lines of a stamp and words; what begins with # is a comment."""
    lines = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    return {float(words[0]): words[1:] for words in lines}


def rotation(x: float, y: float, z: float, w: float) -> np.ndarray:
    """`evaluate_rpe.py`'s `transform44`: of a unit quaternion."""
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@pytest.mark.parametrize("metres_per_unit", [1.0, 2.0])
def test_clouds_of_all_frames_meet_at_the_wall(tmp_path: Path, metres_per_unit):
    write_sequences(tmp_path / "d", metres_per_unit=metres_per_unit)
    views = list(farm.dataset.open(tmp_path / "d"))[4:]

    run(tmp_path / "d", tmp_path / "out", "tum")

    folder = tmp_path / "out/train/harbour-001-00001-00004"
    rgb, depth, path, lens = (
        read_list(folder / f"{name}.txt") for name in ("rgb", "depth", "groundtruth", "intrinsics")
    )
    assert list(rgb) == list(depth) == list(path) == [0.0, 0.041667, 0.083333, 0.125]
    for stamp, view in zip(path, views, strict=True):
        with Image.open(folder / rgb[stamp][0]) as file:
            np.testing.assert_array_equal(np.asarray(file), view["rgb"])
        with Image.open(folder / depth[stamp][0]) as file:
            z = np.asarray(file) / 5000.0
        tx, ty, tz, *turn = map(float, path[stamp])
        fx, fy, cx, cy = map(float, lens[stamp])
        v, u = np.mgrid[: z.shape[0], : z.shape[1]]
        points = np.stack([(u - cx) / fx * z, (v - cy) / fy * z, z], -1) @ rotation(*turn).T
        points += (tx, ty, tz)
        assert (z[view["index"] == 0] == 0).all()
        wall = points[view["index"] == 1]
        np.testing.assert_allclose(wall[:, 1], 5 * metres_per_unit, atol=2e-4)
        assert np.abs(wall[:, 0]).max() < 2.2 * metres_per_unit + 1e-3
    pairs = (folder / "associations.txt").read_text().splitlines()
    assert pairs[1] == "0.041667 rgb/0.041667.png 0.041667 depth/0.041667.png"


def test_a_quaternion_is_the_rotation_that_it_is_of():
    rng = np.random.default_rng(5)
    for _ in range(200):
        matrix, _upper = np.linalg.qr(rng.normal(size=(3, 3)))
        matrix *= np.sign(np.linalg.det(matrix))
        w, x, y, z = quaternion(matrix)
        np.testing.assert_allclose(rotation(x, y, z, w), matrix, atol=1e-12)
    for axis in range(3):  # half turns, where w is 0
        matrix = -np.eye(3)
        matrix[axis, axis] = 1
        assert np.abs(quaternion(matrix)).tolist() == [0.0, *np.eye(3)[axis]]


def test_what_is_beyond_13_metres_is_unknown_and_told(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, metres_per_unit=4.0)

    done = run(tmp_path / "d", tmp_path / "out", "tum")

    assert done.notes == (
        "depth beyond 13.107 m does not fit 16 bits and is 0, unknown, in 4 frames",
    )
