"""visionsim's schema and its ground truths, with flow as Blender's vector pass has it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import OpenEXR

import farm.dataset
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import opened, run


def channels(path: Path) -> dict[str, np.ndarray]:
    with OpenEXR.File(BytesIO(path.read_bytes()), separate_channels=True) as file:
        return {name: channel.pixels for name, channel in file.channels().items()}


def test_folders_and_numbers_are_those_of_visionsim(tmp_path: Path):
    write_sequences(tmp_path / "d")
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "visionsim")

    folder = tmp_path / "out/train/street/001-00001-00004"
    meta = json.loads((folder / "transforms.json").read_text())
    numbers = ("fl_x", "fl_y", "cx", "cy", "h", "w", "c")
    assert [meta[key] for key in numbers] == [64, 64, 32, 32, 64, 64, 3]
    assert (meta["type"], meta["lens"], meta["sensor_width"], meta["fps"]) == ("PERSP", 36, 36, 24)
    assert meta["angle_x"] == 2 * np.arctan(0.5)
    assert len(meta["frames"]) == 4
    for frame, view in zip(meta["frames"], views, strict=False):
        assert np.array(frame["transform_matrix"]).tolist() == [
            list(row) for row in view.record.camera.world_from_camera
        ]
        rgb = opened((folder / frame["file_path"]).read_bytes())
        np.testing.assert_array_equal(rgb, view["rgb"])
        depth = channels(folder / frame["depth_file_path"])["V"]
        nothing = view["index"] == 0
        assert (depth[nothing] == np.float32(1e10)).all()
        np.testing.assert_array_equal(depth[~nothing], view["depth"][~nothing])
        ids = channels(folder / frame["segmentation_file_path"])["V"]
        np.testing.assert_array_equal(ids, view["index"])
        normal = channels(folder / frame["normal_file_path"])
        np.testing.assert_array_equal(np.stack([normal[c] for c in "RGB"], -1), view["normal"])


def test_red_and_green_are_backward_and_up(tmp_path: Path):
    """Cycles: RG is the point before minus now, BA is now minus next; y is up."""
    write_sequences(tmp_path / "d", sequences=1)
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "visionsim")

    path = tmp_path / "out/train/street/001-00001-00004/flows/flow_000002.exr"
    flow = channels(path)
    forward = np.stack([-flow["B"], flow["A"]], -1)
    backward = np.stack([flow["R"], -flow["G"]], -1)
    np.testing.assert_array_equal(forward, views[1]["flow_forward"])
    np.testing.assert_array_equal(backward, views[1]["flow_backward"])
    assert (
        "R, G    where the point was in the frame before" in (tmp_path / "out/FLOW.txt").read_text()
    )


def test_without_both_flows_there_is_no_flow_file(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, passes=("rgb", "depth", "flow_forward"))

    run(tmp_path / "d", tmp_path / "out", "visionsim")

    folder = tmp_path / "out/train/street/001-00001-00004"
    assert not (folder / "flows").exists()
    assert not (tmp_path / "out/FLOW.txt").exists()
    [frame, *_] = json.loads((folder / "transforms.json").read_text())["frames"]
    assert "flow_file_path" not in frame


def test_a_zoom_is_told_in_each_frame_and_noted(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, passes=("rgb",))
    lines = (tmp_path / "d/views.jsonl").read_text().splitlines(keepends=True)
    record = json.loads(lines[1])
    record["camera"]["fx_px"] = record["camera"]["fy_px"] = 80.0
    lines[1] = json.dumps(record) + "\n"
    (tmp_path / "d/views.jsonl").write_text("".join(lines))

    done = run(tmp_path / "d", tmp_path / "out", "visionsim")

    path = tmp_path / "out/train/street/001-00001-00004/transforms.json"
    meta = json.loads(path.read_text())
    assert "fl_x" not in meta
    assert [frame["fl_x"] for frame in meta["frames"]] == [64, 80, 64, 64]
    assert [note.split()[:2] for note in done.notes] == [["street-001-00001-00004", "zooms,"]]
