"""Videos of passes, decoded again by FFmpeg."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

import farm.dataset
from farm.dataset.preview.colour_maps import BACKGROUND, paint_depth
from farm.errors import SpecError
from tests.support.sequences import COLOURS, write_sequences
from tests.unit.dataset.export.pictures import run

FOLDER = "train/street-001-00001-00004"


def frames_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        [stream] = file.streams.video
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(stream)])


def test_each_pass_has_a_video_of_the_sequences_frames(tmp_path: Path):
    write_sequences(tmp_path / "d", size=(96, 64), fps=12.5)
    views = list(farm.dataset.open(tmp_path / "d"))[:4]

    run(tmp_path / "d", tmp_path / "out", "mp4")

    files = {path.stem for path in (tmp_path / "out" / FOLDER).glob("*.mp4")}
    assert files == set(views[0].passes) - {"tracks"}
    with av.open(str(tmp_path / "out" / FOLDER / "rgb.mp4")) as file:
        assert file.streams.video[0].average_rate == 12.5
    shown = frames_of(tmp_path / "out" / FOLDER / "rgb.mp4").astype(int)
    assert shown.shape == (4, 64, 96, 3)
    for frame, view in zip(shown, views, strict=True):
        assert np.abs(frame - view["rgb"]).mean() < 6
    index = frames_of(tmp_path / "out" / FOLDER / "index.mp4").astype(int)
    assert np.abs(index[2, 32, 48] - COLOURS[1]).max() < 12
    assert np.abs(index[2, 1, 2] - BACKGROUND).max() < 12


def test_a_depth_has_one_colour_in_all_frames(tmp_path: Path):
    """The square comes nearer, so of its own frame alone its colour would always be the same."""
    write_sequences(tmp_path / "d", sequences=1, frames=8)
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "mp4", passes=("depth", "flow_forward"))

    folder = tmp_path / "out/train/street-001-00001-00008"
    assert {path.name for path in folder.iterdir()} == {
        "depth.mp4", "flow_forward.mp4", "colours.json",
    }  # fmt: skip
    near, far = json.loads((folder / "colours.json").read_text())["depth"]
    assert (near, far) == pytest.approx((2.65, 5.0), abs=0.2)
    shown = frames_of(folder / "depth.mp4").astype(int)
    for frame, view in zip(shown, views, strict=True):
        square = view["index"] == 2
        square[1:-1, 1:-1] &= square[:-2, 1:-1] & square[2:, 1:-1]  # whose colour does not bleed
        wanted, _ = paint_depth(view["depth"], (near, far))
        assert np.abs(frame - wanted)[square].mean() < 8
    alone, _ = paint_depth(views[0]["depth"])
    assert np.abs(shown[0] - alone)[views[0]["index"] == 2].mean() > 20


def test_sides_that_are_odd_play_too(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, size=(63, 47), passes=("rgb",))

    run(tmp_path / "d", tmp_path / "out", "mp4")

    assert frames_of(tmp_path / "out" / FOLDER / "rgb.mp4").shape == (4, 48, 64, 3)


def test_a_pass_without_steady_colours_is_refused(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1)
    lines = (tmp_path / "d/views.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        record["files"] |= dict.fromkeys(("position", "blur"), record["files"]["rgb"])
    text = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "d/views.jsonl").write_text(text)

    with pytest.raises(SpecError, match="--passes position: an export to mp4 has no colours for"):
        run(tmp_path / "d", tmp_path / "out", "mp4", passes=("rgb", "position"))
    run(tmp_path / "d", tmp_path / "out", "mp4", passes=("blur",))

    blurred = frames_of(tmp_path / "out" / FOLDER / "blur.mp4").astype(int)
    view = farm.dataset.open(tmp_path / "d")[0]
    assert np.abs(blurred[0] - view["rgb"]).mean() < 6


def test_a_damaged_frame_leaves_no_half_of_a_video(tmp_path: Path):
    write_sequences(tmp_path / "d")
    path = tmp_path / "d" / farm.dataset.open(tmp_path / "d")[3].path("index")
    path.write_bytes(path.read_bytes()[:-5])

    done = run(tmp_path / "d", tmp_path / "out", "mp4")

    assert (done.views, len(done.damaged)) == (4, 1)
    assert not (tmp_path / "out" / FOLDER).exists()
    assert len(list((tmp_path / "out/train/harbour-001-00001-00004").iterdir())) == 10
