"""Readers of KITTI's and Sintel's flow, as their benchmarks describe the files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from imagecodecs import png_decode
from PIL import Image

import farm.dataset
from farm.dataset.export.passes.flow_files import kitti_png
from farm.errors import SpecError
from tests.support.sequences import CARRIED_PASSES, SEQUENCE_PASSES, write_sequences
from tests.unit.dataset.export.pictures import run

NAME = "street-001-00001-00004"


def read_kitti(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The development kit: u and v are (value - 2^15) / 64, the third channel is whether."""
    pixels = png_decode(path.read_bytes())
    assert pixels.dtype == np.uint16
    return (pixels[..., :2].astype(float) - 2**15) / 64, pixels[..., 2] > 0


def read_flo(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Middlebury: a float that spells PIEH, width, height, then u and v; above 1e9 is unknown."""
    data = path.read_bytes()
    assert np.frombuffer(data[:4], "<f4")[0] == np.float32(202021.25)
    width, height = np.frombuffer(data[4:12], "<i4")
    flow = np.frombuffer(data[12:], "<f4").reshape(height, width, 2)
    return flow, (np.abs(flow) < 1e9).all(axis=-1)


def remove(dataset: Path, at: int) -> None:
    """Forget the record of a view, as if it was never rendered."""
    lines = (dataset / "views.jsonl").read_text().splitlines(keepends=True)
    (dataset / "views.jsonl").write_text("".join(lines[:at] + lines[at + 1 :]))


def spoil(dataset: Path, at: int) -> Path:
    """Change a byte of a picture."""
    line = (dataset / "views.jsonl").read_text().splitlines()[at]
    path = dataset / json.loads(line)["files"]["rgb"]["path"]
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    return path


def test_kitti_pairs_hold_the_flow_between_their_pictures(tmp_path: Path):
    write_sequences(tmp_path / "d")
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "kitti")

    ones, others, flows = (
        sorted((tmp_path / "out/training").glob(pattern))
        for pattern in ("image_2/*_10.png", "image_2/*_11.png", "flow_occ/*_10.png")
    )
    assert len(ones) == len(others) == len(flows) == 6  # as torchvision's KittiFlow zips them
    firsts = [0, 1, 2, 4, 5, 6]
    for one, other, path, first in zip(ones, others, flows, firsts, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(one)), views[first]["rgb"])
        np.testing.assert_array_equal(np.asarray(Image.open(other)), views[first + 1]["rgb"])
        flow, valid = read_kitti(path)
        np.testing.assert_array_equal(valid, views[first]["flow_forward_valid"] > 0)
        wanted = views[first]["flow_forward"][valid]
        np.testing.assert_allclose(flow[valid], wanted, atol=1 / 128 + 1e-6)
    pairs = (tmp_path / "out/training/pairs.tsv").read_text().splitlines()
    assert pairs[3] == "000004\tharbour-001-00001-00004\t1"


def test_kitti_has_no_flow_for_what_moves_too_far_for_it():
    flow = np.zeros((2, 2, 2), np.float32)
    flow[0, 0], flow[0, 1], flow[1, 0] = (511.9, -512.0), (512.5, 0), (np.inf, np.nan)
    valid = np.array([[True, True], [True, False]])

    data, too_fast = kitti_png(flow, valid)

    pixels = png_decode(data)
    assert too_fast == 2
    assert pixels[..., 2].tolist() == [[1, 0], [0, 0]]
    assert pixels[0, 0, :2].tolist() == [2**15 + 32762, 0]


@pytest.mark.parametrize("harm", [remove, spoil])
def test_a_frame_that_is_missing_takes_its_pairs_along(tmp_path: Path, harm):
    write_sequences(tmp_path / "d", sequences=1, frames=5)
    harm(tmp_path / "d", 2)

    run(tmp_path / "d", tmp_path / "out", "kitti")

    pairs = (tmp_path / "out/training/pairs.tsv").read_text().split()
    assert pairs[2::3] == ["1", "4"]
    assert len(list((tmp_path / "out/training").rglob("*.png"))) == 6


def test_sintel_has_one_flow_less_than_pictures(tmp_path: Path):
    write_sequences(tmp_path / "d")
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "middlebury", passes=("rgb", "depth"))

    root = tmp_path / "out/training"
    shown = sorted((root / "clean" / NAME).glob("*.png"))
    flows = sorted((root / "flow" / NAME).glob("*.flo"))
    assert [path.name for path in shown] == [f"frame_{at:04d}.png" for at in (1, 2, 3, 4)]
    assert [path.stem for path in flows] == [path.stem for path in shown[:-1]]
    for path, view in zip(flows, views, strict=False):
        flow, valid = read_flo(path)
        np.testing.assert_array_equal(valid, view["flow_forward_valid"] > 0)
        np.testing.assert_array_equal(flow[valid], view["flow_forward"][valid])
        with Image.open(root / "invalid" / NAME / f"{path.stem}.png") as file:
            np.testing.assert_array_equal(np.asarray(file) > 0, ~valid)
    assert len(list((tmp_path / "out/passes/depth").rglob("*.exr"))) == 8
    assert not (root / "occlusions").exists(), "nothing tells of them"


def test_sintel_s_occlusions_are_what_is_hidden_and_what_is_out_of_the_frame(tmp_path: Path):
    passes = (*SEQUENCE_PASSES, *CARRIED_PASSES)
    write_sequences(tmp_path / "d", passes=passes, size=(96, 72))
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "middlebury")

    found = sorted((tmp_path / "out/training/occlusions" / NAME).glob("*.png"))
    assert [path.name for path in found] == [f"frame_{at:04d}.png" for at in (1, 2, 3)]
    for path, view in zip(found, views, strict=False):
        hidden, outside = view["occlusion_forward"] > 0, view["out_of_frame_forward"] > 0
        assert hidden.any()
        assert outside.any()
        with Image.open(path) as file:
            np.testing.assert_array_equal(np.asarray(file) > 0, hidden | outside)


def test_a_sequence_with_a_damaged_frame_is_left_out_until_it_is_good(tmp_path: Path):
    """Readers of Sintel count on neighbours, so half a sequence would pair wrong pictures."""
    write_sequences(tmp_path / "d", passes=(
        "rgb", "mask", "depth", "flow_forward", "flow_forward_valid",
    ))  # fmt: skip
    path = spoil(tmp_path / "d", 1)

    done = run(tmp_path / "d", tmp_path / "out", "middlebury", passes=("depth",))

    [note] = done.notes
    assert note.startswith(f"{NAME} is left out: frames are missing or damaged of the 4")
    assert (len(done.damaged), done.views) == (1, 4)
    assert not list((tmp_path / "out").rglob(f"*{NAME}*"))

    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    again = run(tmp_path / "d", tmp_path / "out", "middlebury", passes=("depth",))
    assert (again.damaged, again.notes, again.views, again.there) == ((), (), 8, 4)
    assert len(list((tmp_path / "out/training/flow" / NAME).iterdir())) == 3


def test_a_sequence_that_is_not_rendered_to_its_end_is_left_out(tmp_path: Path):
    write_sequences(tmp_path / "d")
    remove(tmp_path / "d", 7)

    done = run(tmp_path / "d", tmp_path / "out", "middlebury")

    assert done.views == 4
    assert done.notes[0].startswith("harbour-001-00001-00004 is left out")
    assert not list((tmp_path / "out").rglob("harbour*"))
    remove(tmp_path / "d", 3)
    with pytest.raises(SpecError, match=f"{NAME}: 3 of its 4 frames are there, .* render the rest"):
        run(tmp_path / "d", tmp_path / "other", "middlebury")
