"""Text from the network, made safe to show."""

from __future__ import annotations

import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that steer a terminal or the direction of text, or show nothing."""


def printable(text: str, *, keep: str = "", limit: int | None = None) -> str:
    """Return `text` with characters that could steer a terminal written out, such as `\\x1b`.

    Args:
        text: Anything.
        keep: Control characters to leave as they are, such as a line break.
        limit: Characters after which it is cut.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 3] + "..."
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        ascii(char)[1:-1] if char not in keep and unicodedata.category(char) in HIDDEN else char
        for char in text
    )
