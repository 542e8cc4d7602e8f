"""A sequence as a short film: frames with their labels beside them, one file to play."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.parallel import mapped
from farm.dataset.preview.films.animation import write_webp
from farm.dataset.preview.films.panels import Scale, Strip, draw_strip, lay_out, measure
from farm.dataset.reader import Dataset, DatasetView
from farm.dataset.sequences import SequenceFrames, evenly
from farm.dataset.temp_files import scratch
from farm.dataset.video import write_mp4
from farm.spec.counted import counted, ordinal
from farm.storage import FolderStorage

FILM_FRAMES = 300
"""Most frames of a film, unless told otherwise."""
SLOWEST_FPS = 0.1
"""Slower ones are played like this: files cannot tell of all that a sequence can be."""
MEASURED_FRAMES = 32
"""Frames, evenly spread, that the colours of all are chosen by."""


class Film(NamedTuple):
    """A film that was written."""

    sequence: str
    """The folder of the sequence, from the place that was opened."""
    path: Path
    size: tuple[int, int]
    """(width, height), pixels."""
    frames: int
    """Of the sequence."""
    stride: int
    """Every nth of them is shown."""
    fps: float
    size_bytes: int

    @property
    def note(self) -> str:
        """What is shown, in words."""
        note = f"{counted(self.frames, 'frame')} at {self.fps:.4g} fps"
        return note if self.stride == 1 else f"{note}, every {ordinal(self.stride)} is shown"


def film_suffix() -> str:
    """Return what films are: MP4, or animated WebP where nothing is installed that makes MP4."""
    return ".webp" if importlib.util.find_spec("av") is None else ".mp4"


def make_film(  # noqa: PLR0913  a sequence, where to, and how
    data: Dataset,
    sequence: SequenceFrames,
    path: Path,
    *,
    at_most: int,
    workers: int,
    progress: Callable[[int], None] = lambda _frames: None,
) -> Film:
    """Write the film of one sequence; in memory are a few frames at a time.

    Args:
        data: Where its frames are.
        sequence: Which they are.
        path: The file to write; its suffix says what it is: `.mp4` or `.webp`.
        at_most: Frames to show; of a longer sequence every nth.
        workers: Frames to draw at a time.
        progress: Called with the number of frames that were drawn since it was called.
    """
    shown, stride = evenly(sequence.in_order(), at_most=at_most)
    strip = lay_out(data[shown[0]].record)
    scale = find_scale(data, shown, strip, workers=workers)
    draw = partial(draw_frame, strip=strip, scale=scale, stride=stride)
    drawn = mapped(draw, (data[view] for view in shown), workers=workers)
    fps = max(sequence.fps[0], SLOWEST_FPS)
    size_bytes = write_film(path, told(drawn, progress), count=len(shown), fps=fps)
    return Film(sequence.key, path, strip.size, len(sequence), stride, sequence.fps[0], size_bytes)


def find_scale(data: Dataset, shown: Sequence[int], strip: Strip, *, workers: int) -> Scale:
    """Return what the colours of all frames span."""
    some, _stride = evenly(shown, at_most=MEASURED_FRAMES)
    measured = partial(measure, passes=strip.passes)
    found = mapped(measured, (data[view] for view in some), workers=workers)
    return reduce(Scale.with_more, found, Scale())


def draw_frame(view: DatasetView, *, strip: Strip, scale: Scale, stride: int) -> NDArray[np.uint8]:
    """Return one frame (H, W, 3) of a film."""
    moment = view.record.view.moment
    assert moment is not None
    title = f"{moment.sequence}  ·  frame {moment.number}  ·  {moment.time_s:.2f} s"
    if stride > 1:
        title += f"  ·  every {ordinal(stride)} frame"
    return draw_strip(view, strip, scale, title=title)


def told(
    frames: Iterator[NDArray[np.uint8]], progress: Callable[[int], None]
) -> Iterator[NDArray[np.uint8]]:
    """Pass frames on, and say so."""
    for frame in frames:
        progress(1)
        yield frame


def write_film(path: Path, frames: Iterator[NDArray[np.uint8]], *, count: int, fps: float) -> int:
    """Write frames as one file, whole or not at all; return its size in bytes."""
    with tempfile.TemporaryDirectory(prefix="farm-film-") as folder:
        part = Path(folder) / path.name
        with scratch():
            if path.suffix == ".mp4":
                write_mp4(part, frames, fps)
            else:
                write_webp(part, frames, count=count, fps=fps)
        FolderStorage(path.parent).put_file(path.name, part)
        return part.stat().st_size
