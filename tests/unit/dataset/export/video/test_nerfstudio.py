"""What nerfstudio's data parser reads: `transforms.json` by the rules of its data conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.errors import SpecError
from tests.support.datasets import give_lens
from tests.support.lenses import LENSES
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import run

DEPTH_UNIT = 1e-3
"""nerfstudio's `depth_unit_scale_factor`, unless said."""


def read(folder: Path) -> list[dict[str, Any]]:
    """The frames of a scene as nerfstudio has them: in the order of file names, all with a mask or
    none, all with depth or none; intrinsics of the file, or of each frame."""
    meta = json.loads((folder / "transforms.json").read_text())
    frames = sorted(meta["frames"], key=lambda frame: folder / frame["file_path"])
    for key in ("mask_path", "depth_file_path"):
        assert sum(key in frame for frame in frames) in (0, len(frames))
    found = []
    for frame in frames:
        told = {key: meta.get(key, frame.get(key)) for key in ("fl_x", "fl_y", "cx", "cy")}
        pictures = {
            key: np.asarray(Image.open(folder / frame[key]))
            for key in ("file_path", "mask_path", "depth_file_path")
            if key in frame
        }
        found.append({**told, **pictures, "pose": np.array(frame["transform_matrix"])})
    return found


def world_points(frame: dict[str, Any]) -> np.ndarray:
    """(H, W, 3), metres: depth along rays through the centres of pixels, OpenGL's camera."""
    depth = frame["depth_file_path"] * DEPTH_UNIT
    v, u = np.mgrid[: depth.shape[0], : depth.shape[1]] + 0.5
    x, y = (u - frame["cx"]) / frame["fl_x"], (v - frame["cy"]) / frame["fl_y"]
    points = np.stack([x, -y, -np.ones_like(x)], -1) * depth[..., None]
    return points @ frame["pose"][:3, :3].T + frame["pose"][:3, 3]


@pytest.mark.parametrize("metres_per_unit", [1.0, 0.5])
def test_depth_and_poses_put_the_wall_where_it_stands(tmp_path: Path, metres_per_unit):
    write_sequences(tmp_path / "d", metres_per_unit=metres_per_unit)
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "nerfstudio")

    frames = read(tmp_path / "out/train/street-001-00001-00004")
    assert len(frames) == 4
    for frame, view in zip(frames, views[:4], strict=True):
        np.testing.assert_array_equal(frame["file_path"], view["rgb"])
        points = world_points(frame)
        np.testing.assert_allclose(
            points[view["index"] == 1][:, 1], 5.0 * metres_per_unit, atol=0.001
        )
        assert (frame["depth_file_path"][view["index"] == 0] == 0).all()  # unknown


def test_masks_go_along_when_they_are_asked_for(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1)
    [view, *_] = farm.dataset.open(tmp_path / "d")

    run(tmp_path / "d", tmp_path / "plain", "nerfstudio")
    run(tmp_path / "d", tmp_path / "masked", "nerfstudio", passes=("mask",))

    [plain, *_] = read(tmp_path / "plain/train/street-001-00001-00004")
    [masked, *_] = read(tmp_path / "masked/train/street-001-00001-00004")
    assert "mask_path" not in plain
    assert "depth_file_path" not in masked
    np.testing.assert_array_equal(masked["mask_path"] > 0, view["mask"] > 127)


def test_what_is_too_far_for_16_bits_is_unknown_and_told(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, metres_per_unit=20.0)
    [view, *_] = farm.dataset.open(tmp_path / "d")

    done = run(tmp_path / "d", tmp_path / "out", "nerfstudio")

    assert done.notes == (
        "depth beyond 65.535 m does not fit 16 bits and is 0, unknown, in 4 frames",
    )
    [frame, *_] = read(tmp_path / "out/train/street-001-00001-00004")
    assert (frame["depth_file_path"][view["index"] == 1] == 0).all()
    assert (frame["depth_file_path"][view["index"] == 2] == 60000).all()
    again = run(tmp_path / "d", tmp_path / "out", "nerfstudio")
    assert again.notes == done.notes  # also when nothing is left to do


def test_a_lens_that_zooms_is_told_in_each_frame(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1)
    lines = (tmp_path / "d/views.jsonl").read_text().splitlines(keepends=True)
    record = json.loads(lines[2])
    record["camera"]["fx_px"] = record["camera"]["fy_px"] = 70.0
    lines[2] = json.dumps(record) + "\n"
    (tmp_path / "d/views.jsonl").write_text("".join(lines))

    run(tmp_path / "d", tmp_path / "out", "nerfstudio")

    folder = tmp_path / "out/train/street-001-00001-00004"
    assert [frame["fl_x"] for frame in read(folder)] == [64, 64, 70, 64]
    meta = json.loads((folder / "transforms.json").read_text())
    assert (meta["w"], meta["fps"]) == (64, 24.0)
    assert "fl_x" not in meta
    assert meta["frames"][3]["time_s"] == 3 / 24


@pytest.mark.parametrize(
    ("lens", "word"), [("fisheye", "a polynomial fisheye"), ("orthographic", "orthographic")]
)
@pytest.mark.parametrize("to", ["nerfstudio", "tum", "visionsim"])
def test_a_camera_that_is_no_pinhole_is_refused_by_its_view(tmp_path: Path, to, lens, word):
    write_sequences(tmp_path / "d", sequences=1)
    give_lens(tmp_path / "d", LENSES[lens])

    with pytest.raises(SpecError, match=rf"^street-\S+: its camera is {word}, but .* pinholes: "):
        run(tmp_path / "d", tmp_path / "out", to)
