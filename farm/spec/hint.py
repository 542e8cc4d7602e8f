"""Names of a closed set: which one a word that is not among them was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LIKENESS = 0.6
"""Least likeness of two words of which one may be the other with a slip, 0 to 1."""
LIMIT = 80
"""Characters of a word that are compared: a stranger's may be endless."""


def hint(word: str, names: Iterable[str]) -> str:
    """Return the end of a sentence, such as `; did you mean 'mask'?`; nothing where no name is
    like `word`.
    """
    known = {name.casefold(): name for name in names}
    near = get_close_matches(word[:LIMIT].casefold(), known, n=1, cutoff=LIKENESS)
    return f"; did you mean {known[near[0]]!r}?" if near else ""


def none_of(word: str, names: Iterable[str]) -> str:
    """Say that `word` is not one of `names`, and which of them was probably meant."""
    names = list(names)
    return f"{word[:LIMIT]!r} is not one of {', '.join(names)}{hint(word, names)}"
