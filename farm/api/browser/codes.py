"""Codes that are good once and for a minute: how `farm open` logs a browser in.

A token in an address would stay in the browser's history; a code is worth nothing any more.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

GOOD_S = 60.0
MOST = 1000
"""Codes that are remembered; the oldest go."""


class SignInCodes:
    """Tokens by the code that stands for each; many threads may use it."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, good_s: float = GOOD_S
    ) -> None:
        self._clock = clock
        self._good_s = good_s
        self._kept: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def give(self, token: str) -> str:
        """Return a code for a token."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._kept) >= MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[code] = (self._clock(), token)
        return code

    def take(self, code: str) -> str | None:
        """Return the token that a code stands for, once; None if it is not good any more."""
        with self._lock:
            given_s, token = self._kept.pop(code, (float("-inf"), ""))
        return token if self._clock() - given_s <= self._good_s else None
