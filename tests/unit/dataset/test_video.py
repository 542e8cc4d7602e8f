"""Videos are read back as what they were made of."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from farm.dataset.video import write_mp4

av = pytest.importorskip("av")

NOISE = np.random.default_rng(7).integers(0, 255, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
RED, GREEN = (250, 10, 5), (10, 200, 30)


def a_frame(at: int, size: tuple[int, int]) -> np.ndarray:
    """A green bar that moves over red."""
    frame = np.full((size[1], size[0], 3), RED, np.uint8)
    frame[:, 10 * at : 10 * at + 10] = GREEN
    return frame


@pytest.mark.parametrize(
    ("fps", "rate"), [(24.0, 24), (24000 / 1001, Fraction(24000, 1001)), (2.5, Fraction(5, 2))]
)
def test_frames_times_and_colours_are_kept(tmp_path: Path, fps, rate):
    path = tmp_path / "a.mp4"

    assert write_mp4(path, (a_frame(at, (64, 48)) for at in range(5)), fps) == 5

    with av.open(str(path)) as file:
        [stream] = file.streams.video
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == rate
        frames = list(file.decode(stream))
    times = [at / float(rate) for at in range(5)]
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)
    for at, frame in enumerate(frames):
        pixels = frame.to_ndarray(format="rgb24").astype(int)
        np.testing.assert_allclose(pixels[24, 10 * at + 5], GREEN, atol=6)
        np.testing.assert_allclose(pixels[24, 60], RED, atol=6)


def test_sides_that_are_odd_are_made_even(tmp_path: Path):
    write_mp4(tmp_path / "a.mp4", [a_frame(0, (33, 17))], 24)

    with av.open(str(tmp_path / "a.mp4")) as file:
        [frame] = file.decode(video=0)
    pixels = frame.to_ndarray(format="rgb24").astype(int)
    assert pixels.shape == (18, 34, 3)
    np.testing.assert_allclose(pixels[17, 33], RED, atol=6)


def test_a_browser_can_begin_before_it_has_all(tmp_path: Path):
    """The index lies before the frames, and the same frames are the same bytes."""
    for name in ("a.mp4", "b.mp4"):
        write_mp4(tmp_path / name, (a_frame(at, (64, 48)) for at in range(5)), 24)

    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert data == (tmp_path / "b.mp4").read_bytes()


def test_the_same_frames_are_the_same_bytes_whatever_was_written_before(tmp_path: Path):
    frames = [np.roll(NOISE, 3 * at, axis=1) for at in range(4)]
    found = set()
    for turn in range(12):
        for other in range(turn % 4):  # leaves other things in the encoder's memory
            write_mp4(tmp_path / "o.mp4", [np.roll(NOISE, 7 * other, axis=0)] * 4, 24)
        write_mp4(tmp_path / "a.mp4", frames, 24)
        found.add((tmp_path / "a.mp4").read_bytes())

    assert len(found) == 1


def test_frames_of_two_sizes_make_no_video(tmp_path: Path):
    frames = [a_frame(0, (64, 48)), a_frame(0, (48, 64))]

    with pytest.raises(ValueError, match="a frame of 48x64 in a video of 64x48"):
        write_mp4(tmp_path / "a.mp4", frames, 24)
