"""Names that every reader takes: some cut names at spaces and dots, or cannot read umlauts."""

from __future__ import annotations

import hashlib
import re
import unicodedata

PLAIN = re.compile(r"[A-Za-z0-9_-]+")
DIGITS = 6
"""Of a hash that keeps names apart which look the same in plain letters."""


def plain_name(name: str) -> str:
    """Return a name in plain letters; one that is changed ends with a hash, so stays its own."""
    if PLAIN.fullmatch(name):
        return name
    ending = hashlib.sha256(name.encode()).hexdigest()[:DIGITS]
    return f"{in_plain_letters(name) or 'view'}-{ending}"


def in_plain_letters(name: str) -> str:
    """Return the letters and digits of a name without accents, with `-` for all others."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "-".join(PLAIN.findall(bare)).strip("-")


class FreeNames:
    """Names of folders that are all different, also where capitals do not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """Return a name that is not taken yet: the wanted one, or with `-2`, `-3`, ..."""
        name, number = wanted, 2
        while name.casefold() in self._taken:
            name, number = f"{wanted}-{number}", number + 1
        self._taken.add(name.casefold())
        return name
