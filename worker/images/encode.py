"""Pixels to image files, and a bounded pool in which that happens beside the renderer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from farm.spec.render import ImageFormat

PNG_LEVEL = 3
"""0.04 s per megapixel: half of level 6's time for 5 % more bytes; level 1 makes 40 % more."""
JXL_EFFORT = 3
"""0.1 s per megapixel, the knee: effort 1 makes 40 % more bytes, 5 takes three times as long
for 5 % fewer."""

P = ParamSpec("P")
R = TypeVar("R")


def encode(pixels: NDArray[Any], *, format: ImageFormat) -> bytes:  # noqa: A002  the spec's word
    """Encode a picture or mask without losing a bit.

    Args:
        pixels: (H, W), (H, W, 3) or, with straight alpha, (H, W, 4), uint8 or uint16.
        format: `png` or `jxl`.
    """
    pixels = np.ascontiguousarray(pixels)
    if format == "png":
        data = imagecodecs.png_encode(pixels, level=PNG_LEVEL)
    else:
        data = imagecodecs.jpegxl_encode(pixels, lossless=True, effort=JXL_EFFORT, numthreads=1)
    return bytes(data)


def decode(data: bytes, *, format: ImageFormat) -> NDArray[Any]:  # noqa: A002  the spec's word
    """Return the pixels of an encoded picture or mask."""
    if format == "png":
        pixels = imagecodecs.png_decode(data)
    else:
        pixels = imagecodecs.jpegxl_decode(data, numthreads=1)
    return np.asarray(pixels)


class EncodePool:
    """Threads that take work off the renderer's hands, and no more of it than `limit` at once."""

    def __init__(self, workers: int, limit: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="encode")
        self._limit = limit
        self._in_flight = 0
        self._changed = threading.Condition()
        self._error: BaseException | None = None

    def submit(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Queue `fn(*args, **kwargs)`; wait here while `limit` jobs are in flight."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight < self._limit)
            future = self._threads.submit(fn, *args, **kwargs)
            self._in_flight += 1
        future.add_done_callback(self._finish)
        return future

    def drain(self) -> None:
        """Wait for all jobs; raise the error of the first that failed, once."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight == 0)
            error, self._error = self._error, None
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drain; on the way out of an error, drop what has not begun and wait for the rest."""
        try:
            if error is None:
                self.drain()
        finally:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def _finish(self, future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        with self._changed:
            self._in_flight -= 1
            self._error = self._error or error
            self._changed.notify_all()
