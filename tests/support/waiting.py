"""Waiting for something to become true, with a deadline instead of a guess."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T],
    what: str,
    *,
    timeout_s: float = 120.0,
    story: Callable[[], str] = str,
) -> T:
    """Return the first true answer of `condition`; fail when none comes.

    The failure names `what` and tells the `story` as it is by then.
    """
    pause = threading.Event()
    end = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < end, f"not within {timeout_s:.0f} s: {what}\n{story()}"
        pause.wait(0.02)
    return answer
