"""A small picture of a view that is finished, for pages that follow the render."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from farm.glimpses import Glimpse, shown_of
from farm.job_store import prefix_of
from farm.spec.passes import PASSES, PassName
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask
from worker.labels.previews import preview

LONGEST_PX = 192
STREAMED_EVERY_S = 0.25
"""Shortest time between two pictures of a stream, whose views may come by hundreds a second."""
FIRST: tuple[PassName, ...] = ("rgb", "blur", "rolling_shutter", "mask")
"""Passes that are shown rather than any other."""
MAKERS = ThreadPoolExecutor(2, thread_name_prefix="glimpse")
"""Threads that make small pictures while others encode whole ones; none before there is one."""


class Turns:
    """Says when another picture is due; many threads may ask."""

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._next_s = -np.inf
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Return whether one is due; if so, the next is not before its time."""
        with self._lock:
            now_s = self._clock()
            if now_s < self._next_s:
                return False
            self._next_s = now_s + self._every_s
            return True


def glimpse_beside(arrays: Mapping[PassName, NDArray[Any]]) -> Future[bytes | None]:
    """Begin to make what `glimpse_in` returns, of arrays that stay as they are."""
    return MAKERS.submit(glimpse_in, arrays)


def glimpse_in(arrays: Mapping[PassName, NDArray[Any]]) -> bytes | None:
    """Return a small picture of a view: of its picture, else of a label; None where it has none."""
    order = (*FIRST, *arrays)
    name = next((each for each in order if each in arrays and PASSES[each].kind != "arrays"), None)
    if name is None:
        return None
    is_picture = PASSES[name].kind in ("picture", "yes_or_no", "cutout")
    return glimpse_of(arrays[name] if is_picture else preview(name, arrays[name]))


def glimpse_of(pixels: NDArray[Any]) -> bytes:
    """Return a picture, (H, W), (H, W, 3) or (H, W, 4) with 8 or 16 bits, small, as WebP."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    picture = Image.fromarray(pixels).convert("RGB")
    picture.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
    made = io.BytesIO()
    picture.save(made, "WEBP", quality=75, method=0)
    return made.getvalue()


def known_of(task: RenderTask, record: ViewRecord) -> Glimpse:
    """Return what is told of a view with its picture."""
    prefix = f"{prefix_of(task.job_id)}/"
    is_kept = task.stream is None and f"{task.dataset}/".startswith(prefix)
    inner = f"{task.dataset}/".removeprefix(prefix)
    return Glimpse(
        view=record.view.name,
        title=task.title,
        caption=record.view.caption,
        task_id=task.task_id,
        dataset=inner.rstrip("/") if is_kept else "",
        pictures=shown_of(record, inner) if is_kept else {},
    )
