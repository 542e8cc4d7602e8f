"""How sequences move is counted frame by frame, in the order of time, whatever the records'."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from farm.dataset.reader import open_dataset
from tests.support.changed_datasets import ChangedDataset
from tests.support.datasets import write_dataset
from tests.support.sequences import camera_at, labels, write_sequences

pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")
Image = pytest.importorskip("PIL.Image")

from farm.dataset.stats.chart import draw_stats  # noqa: E402  needs Pillow
from farm.dataset.stats.gather import gather_stats  # noqa: E402
from farm.dataset.stats.histogram import histogram_of, round_above  # noqa: E402

FRAMES, SIZE = 5, (64, 48)
STREET = "street/001-00001-00005"


@pytest.fixture
def folder(tmp_path):
    write_sequences(tmp_path / "set", sequences=2, frames=FRAMES, size=SIZE)
    return tmp_path / "set"


def motion_of(folder, **options):
    return gather_stats(open_dataset(folder), workers=2, **options).motion


def spots(which: int) -> np.ndarray:
    return np.array(
        [[row[3] for row in camera_at(which, at, SIZE).world_from_camera] for at in range(FRAMES)]
    )


def test_speed_flow_baseline_and_validity_are_those_of_the_geometry(folder):
    street, harbour = motion_of(folder).sequences

    assert (street.sequence, street.frames, street.fps) == (STREET, FRAMES, 24.0)
    assert street.seconds == pytest.approx(FRAMES / 24, abs=1e-5)
    way = float(np.linalg.norm(np.diff(spots(0), axis=0), axis=-1)[0])
    assert street.speed == pytest.approx(24 * way, abs=1e-5)
    assert street.fastest == pytest.approx(24 * way, abs=1e-5)
    shots = [labels(0, at, SIZE, frames=FRAMES) for at in range(FRAMES)]
    trusted = [shot["flow_forward_valid"] > 0 for shot in shots[:-1]]
    lengths = [
        np.linalg.norm(shot["flow_forward"], axis=-1)[where]
        for shot, where in zip(shots, trusted, strict=False)
    ]
    assert street.flow_px == pytest.approx(np.median([np.median(x) for x in lengths]), abs=1e-4)
    fast = np.median([np.percentile(x, 95) for x in lengths])
    assert street.fast_flow_px == pytest.approx(fast, abs=1e-4)
    assert street.valid == pytest.approx(np.mean([where.mean() for where in trusted]), abs=1e-5)
    depths = [shot["depth"][np.isfinite(shot["depth"])] for shot in shots[:-1]]
    baseline = np.median([way / np.median(depth) for depth in depths])
    assert street.baseline == pytest.approx(baseline, abs=1e-5)
    assert harbour.fast_flow_px > street.fast_flow_px


def test_frames_are_taken_in_order_of_time(folder):
    told = motion_of(folder)
    listing = folder / "views.jsonl"
    lines = listing.read_text().splitlines(keepends=True)
    listing.write_text("".join(lines[::2] + lines[1::2]))

    again = motion_of(folder)

    assert {each.sequence: each for each in again.sequences} == {
        each.sequence: each for each in told.sequences
    }
    assert again.speed.counts == told.speed.counts


def test_nothing_is_said_of_what_is_between_frames_that_are_no_neighbours(folder):
    """Across a missing frame, and across a cut to another camera."""
    data = ChangedDataset(folder)
    whole = sum(motion_of(folder).speed.counts)
    data.lines[3]["view"]["camera"]["name"] = data.lines[4]["view"]["camera"]["name"] = "Other"
    data.lines[3]["camera"]["world_from_camera"][0][3] += 100
    data.lines[4]["camera"]["world_from_camera"][0][3] += 100
    del data.lines[FRAMES + 2]
    data.save()

    told = motion_of(folder)

    assert whole == 2 * (FRAMES - 1)
    assert sum(told.speed.counts) == whole - 3
    assert told.sequences[0].fastest < 2


def test_without_pixels_only_cameras_are_told_of(folder):
    street = motion_of(folder, pixel_views=0).sequences[0]

    assert street.speed is not None
    assert (street.flow_px, street.baseline, street.valid) == (None, None, None)


@pytest.mark.parametrize(
    ("passes", "flow", "valid", "baseline"),
    [
        (("rgb",), False, False, False),
        (("depth",), False, False, True),
        (("flow_forward",), True, False, False),
        (("flow_backward", "flow_backward_valid"), True, True, False),
    ],
)
def test_what_passes_do_not_tell_is_not_told(tmp_path, passes, flow, valid, baseline):
    write_sequences(tmp_path, sequences=1, frames=3, size=SIZE, passes=passes)

    (street,) = motion_of(tmp_path).sequences

    assert (street.flow_px is not None, street.valid is not None) == (flow, valid)
    assert (street.baseline is not None) == baseline


def test_a_sequence_of_one_frame_does_not_move(tmp_path):
    write_sequences(tmp_path, sequences=1, frames=1, size=SIZE)

    told = motion_of(tmp_path)

    (street,) = told.sequences
    assert (street.speed, street.flow_px, street.valid) == (None, None, None)
    assert told.speed.mean is None
    stats = gather_stats(open_dataset(tmp_path), workers=1)
    assert draw_stats(stats, title="t", subtitle="s")


def test_sequences_of_several_datasets_are_told_apart(tmp_path):
    for name in ("a", "b"):
        write_sequences(tmp_path / name, sequences=1, frames=2, size=SIZE)

    assert [each.sequence for each in motion_of(tmp_path).sequences] == [
        "a/street/001-00001-00002",
        "b/street/001-00001-00002",
    ]


def test_motion_is_drawn_and_written(folder):
    stats = gather_stats(open_dataset(folder), workers=1)
    still = stats.model_copy(update={"motion": None})

    drawn, without = (
        Image.open(io.BytesIO(draw_stats(each, title="t", subtitle="s"))) for each in (stats, still)
    )

    assert drawn.height > without.height + 500
    told = json.loads(stats.model_dump_json())["motion"]["sequences"][0]
    assert told["sequence"] == STREET


def test_a_dataset_without_sequences_does_not_move(tmp_path):
    write_dataset(tmp_path, views=2, passes=("rgb", "mask"))

    assert motion_of(tmp_path) is None


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, 1.0), (0.07, 0.08), (1.0, 1.0), (1.01, 1.2), (97.0, 100.0)]
)
def test_scales_end_at_round_numbers(value, top):
    assert round_above(value) == pytest.approx(top)
    assert sum(histogram_of(np.array([value])).counts) == 1
