"""MOVi's samples: names, shapes and units as Kubric's documentation has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from tests.support.sequences import plates_at, write_sequences
from tests.unit.dataset.export.pictures import run

NAME = "street-001-00001-00004"


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def to_world_units(sample: dict[str, np.ndarray], key: str) -> np.ndarray:
    """The formula of MOVi's documentation."""
    low, high = sample[f"metadata/{key}_range"]
    return sample[key] / 65535 * (high - low) + low


def rotation(w: float, x: float, y: float, z: float) -> np.ndarray:
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_arrays_are_the_passes_of_the_dataset(tmp_path: Path, scale):
    write_sequences(tmp_path / "d", metres_per_unit=scale)
    views = list(farm.dataset.open(tmp_path / "d"))[:4]

    run(tmp_path / "d", tmp_path / "out", "movi")

    sample = read(tmp_path / f"out/train/{NAME}.npz")
    assert sample["metadata/video_name"] == NAME
    assert (sample["metadata/num_frames"], sample["metadata/num_instances"]) == (4, 2)
    assert sample["instances/name"].tolist() == ["Square", "Wall"]
    matrix = sample["camera/intrinsics"][0]
    focal = sample["camera/focal_length"] / sample["camera/sensor_width"] * 64
    assert focal == matrix[0, 0] == 64
    far, forward = to_world_units(sample, "depth"), to_world_units(sample, "forward_flow")
    backward = to_world_units(sample, "backward_flow")
    assert far.shape == (4, 64, 64, 1)
    v, u = np.mgrid[:64, :64] + 0.5
    stretch = np.sqrt(1 + ((u - 32) / 64) ** 2 + ((v - 32) / 64) ** 2)
    for at, view in enumerate(views):
        np.testing.assert_array_equal(sample["video"][at], view["rgb"])
        shown = sample["segmentations"][at, ..., 0]
        np.testing.assert_array_equal(shown == 1, view["index"] == 2)
        np.testing.assert_array_equal(shown == 2, view["index"] == 1)
        np.testing.assert_allclose(far[at, ..., 0], view["depth"] * stretch * scale, rtol=1e-5)
        np.testing.assert_allclose(forward[at][..., ::-1], view["flow_forward"], atol=1e-4)
        np.testing.assert_allclose(backward[at][..., ::-1], view["flow_backward"], atol=1e-4)
        valid = sample["forward_flow_valid"][at, ..., 0]
        np.testing.assert_array_equal(valid, view["flow_forward_valid"] > 0)
        normal = sample["normal"][at] / 65535 * 2 - 1
        wall = view["index"] == 1
        np.testing.assert_allclose(normal[wall], [[0, -1, 0]] * wall.sum(), atol=1e-4)
        pose = np.array(view.record.camera.world_from_camera)
        np.testing.assert_allclose(sample["camera/positions"][at], pose[:3, 3] * scale, atol=1e-6)
        turn = rotation(*sample["camera/quaternions"][at])
        np.testing.assert_allclose(turn, pose[:3, :3], atol=1e-6)


def test_instances_are_where_they_stand_in_the_world(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, metres_per_unit=2.0)
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "movi")

    sample = read(tmp_path / f"out/train/{NAME}.npz")
    for at, view in enumerate(views):
        wall, square = plates_at(0, at)
        for number, plate in enumerate((square, wall)):
            pose = plate.world_from_object
            np.testing.assert_allclose(
                sample["instances/positions"][number, at], pose[:3, 3] * 2, atol=1e-5
            )
            turn = rotation(*sample["instances/quaternions"][number, at])
            np.testing.assert_allclose(turn, pose[:3, :3], atol=1e-6)
            corners = sample["instances/bboxes_3d"][number, at]
            assert np.ptp(corners @ pose[:3, :3], axis=0) == pytest.approx(
                [plate.sides[0] * 2, 0, plate.sides[1] * 2], abs=1e-5
            )
        rows, columns = np.nonzero(view["index"] == 2)
        box = np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]) / 64
        np.testing.assert_allclose(sample["instances/bboxes"][0, at], box, atol=1e-6)
        assert sample["instances/visibility"][0, at] == len(rows)
        middle = view.record.objects[1].corners_px
        np.testing.assert_allclose(
            sample["instances/image_positions"][0, at] * 64, np.mean(middle, axis=0), atol=0.1
        )


def test_passes_that_are_not_there_are_left_out(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, passes=("rgb", "index", "flow_forward"))

    run(tmp_path / "d", tmp_path / "out", "movi")

    sample = read(tmp_path / f"out/train/{NAME}.npz")
    assert {"video", "segmentations", "forward_flow"} <= set(sample)
    assert not {"depth", "backward_flow", "forward_flow_valid", "normal"} & set(sample)
