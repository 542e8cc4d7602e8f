"""Waiting for something to become true, with a deadline instead of a guess."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, *, timeout_s: float = 120.0) -> T:
    """Return the first true answer of `condition`; fail, naming `what`, when none comes."""
    pause = threading.Event()
    end = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < end, f"not within {timeout_s:.0f} s: {what}"
        pause.wait(0.02)
    return answer
