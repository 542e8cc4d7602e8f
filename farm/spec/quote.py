"""Values of strangers: shown short in sentences, and told from what no file or message can hold."""

from __future__ import annotations

import re
import reprlib
from typing import Any

NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")
"""Halves of characters stand for the bytes of a name that is not UTF-8; JSON cannot say them."""

LIMIT = 60
"""Characters of a value that a sentence shows."""


class _Shortener(reprlib.Repr):
    """Looks only at the part of a value that it shows: a few lines may unfold to gigabytes."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = LIMIT
        self.maxlevel = 3

    def repr_int(self, value: int, level: int) -> str:
        """Python refuses to write numbers of thousands of digits, so they are not asked for."""
        return repr(value) if value.bit_length() < 4 * LIMIT else "a number with very many digits"


def quoted(value: Any) -> str:
    """Return a value as a sentence shows it."""
    text = _Shortener().repr(value)
    return text if len(text) <= LIMIT else text[: LIMIT - 3] + "..."


def is_text(value: Any) -> bool:
    """Say whether a value is a text that files, names and JSON can hold."""
    return isinstance(value, str) and not NOT_TEXT.search(value)
