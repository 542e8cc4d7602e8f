"""Words that repeat in a log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

AGAIN_S = 60.0
"""Time after which the same words are told again."""
MOST_KEPT = 100


class Repeats(logging.Filter):
    """Lets the same words of a logger pass once a minute.

    Celery tells five times a second that a broker refuses, which may last for days.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now_s, words = self._clock(), record.getMessage()
        if now_s - self._told_s.get(words, float("-inf")) < AGAIN_S:
            return False
        self._told_s.pop(words, None)
        self._told_s[words] = now_s
        if len(self._told_s) > MOST_KEPT:
            del self._told_s[next(iter(self._told_s))]
        return True
