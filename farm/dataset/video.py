"""MP4 files that every browser plays."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from farm.errors import needing

if TYPE_CHECKING:
    import av

INSTALL = "pip install 'viewfarm[video]'"
QUALITY = "18"
"""x264's constant rate factor: losses that people do not see."""
THREADS = 4
"""Threads of the encoder; how many there are shows in its bytes, so it is not the machine's
number."""
REPEATABLE = "mbtree=0"
"""Small frames that are equal become unequal bytes with x264's macroblock tree, by what else was
in memory."""
FINEST_FPS = 1001
"""Largest denominator of a rate: that of NTSC's 24000/1001."""
MOST_FPS = 100_000.0
BT709 = 1
"""Primaries, transfer and matrix of HD video, by the numbers of H.264."""


class Mp4Writer:
    """An MP4 file that grows by frames: H.264 in yuv420p, with the index in front."""

    def __init__(self, path: str | PathLike[str], fps: float) -> None:
        """Open the file.

        Raises:
            SetupError: PyAV is not installed.
        """
        with needing("an MP4 file needs", INSTALL):
            import av
        near = min(max(fps, 1 / FINEST_FPS), MOST_FPS)
        self._fps = Fraction(near).limit_denominator(FINEST_FPS)
        self._file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream: av.VideoStream | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._stream is not None:
            for packet in self._stream.encode(None):
                self._file.mux(packet)
        self._file.close()

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Add a frame (H, W, 3), sRGB; all have one size.

        H.264 in yuv420p has even sides only: the last row or column of others is there twice.
        """
        import av

        even = even_sides(frame)
        stream = self._stream or self._begin(even)
        if even.shape != (stream.height, stream.width, 3):
            raise ValueError(
                f"a frame of {even.shape[1]}x{even.shape[0]} in a video of "
                f"{stream.width}x{stream.height}"
            )
        picture = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        for packet in stream.encode(picture):
            self._file.mux(packet)

    def _begin(self, frame: NDArray[np.uint8]) -> Any:
        stream = self._file.add_stream("libx264", rate=self._fps)
        stream.height, stream.width = frame.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": QUALITY, "threads": str(THREADS), "x264-params": REPEATABLE}
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        self._stream = stream
        return stream


def write_mp4(path: str | PathLike[str], frames: Iterable[NDArray[np.uint8]], fps: float) -> int:
    """Write frames (H, W, 3), sRGB, as an MP4 file; return how many there were.

    Raises:
        SetupError: PyAV is not installed.
    """
    count = 0
    with Mp4Writer(path, fps) as video:
        for frame in frames:
            video.add(frame)
            count += 1
    return count


def even_sides(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a frame whose sides are even: the last row or column of others is there twice."""
    height, width = frame.shape[:2]
    if height % 2 == width % 2 == 0:
        return np.ascontiguousarray(frame)
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
