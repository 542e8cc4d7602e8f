"""Words made comparable: in lower case, singular and plural."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import get_args

from farm.spec.expression import ColourTerm
from farm.spec.words import GENERAL_NOUN, AssetWords

GENERAL = ("object", "thing", "item", "one")
"""What everything may be called."""
STAND_INS = ("something", "anything", "everything", "what", "whatever", "those", "it", "them")
"""Words that stand for a noun."""
DENIALS = ("not", "isn't", "aren't", "other than", "except", "but", "non", "no", "neither", "nor")
"""Words by which a colour is said not to be that of a thing."""
COLOURS = frozenset(get_args(ColourTerm))
SPELT = {"gray": "grey"}
"""Other spellings of colour terms."""


@lru_cache(maxsize=4096)
def folded(word: str) -> str:
    """Return a word as it is compared: small letters, single spaces, no hyphens."""
    return " ".join(word.casefold().replace("-", " ").split())


def plurals(noun: str) -> tuple[str, ...]:
    """Return what several of a noun may be called, by the rules of English."""
    head, of, rest = noun.partition(" of ")
    if of:
        return tuple(f"{each}{of}{rest}" for each in plurals(head))
    found = [f"{noun}s"]
    if noun.endswith(("s", "x", "z", "ch", "sh", "o")):
        found.append(f"{noun}es")
    if noun.endswith("y"):
        found.append(f"{noun[:-1]}ies")
    if noun.endswith("f"):
        found.append(f"{noun[:-1]}ves")
    if noun.endswith("fe"):
        found.append(f"{noun[:-2]}ves")
    return tuple(found)


@lru_cache(maxsize=4096)
def forms(noun: str) -> frozenset[str]:
    """Return a noun, one of it and several."""
    return frozenset((folded(noun), *plurals(folded(noun))))


def names_of(words: AssetWords) -> frozenset[str]:
    """Return all that a thing is surely called, besides what everything is: one and several."""
    nouns = [*words.nouns, *([words.hypernym] if words.hypernym else [])]
    irregular = [words.plural] if words.confirmed and words.plural else []
    return frozenset().union(*map(forms, nouns), map(folded, irregular))


def is_called(words: AssetWords | None, noun: str) -> bool | None:
    """Say whether a thing is called so; of what nobody has confirmed, all may hold.

    So may the last word of a name of several (`coffee mug` may be called a mug), and the reverse.
    """
    wanted = folded(noun)
    if wanted in forms(GENERAL_NOUN):
        return True
    if words is None:
        return None
    names = names_of(words)
    if wanted in names:
        return True
    akin = any(name.endswith(f" {wanted}") or wanted.endswith(f" {name}") for name in names)
    return False if words.confirmed and not akin else None


def has_word(text: str, word: str) -> bool:
    """Say whether a text, folded, has a word or several in this order."""
    return word in text and whole(word).search(text) is not None


@lru_cache(maxsize=4096)
def whole(word: str) -> re.Pattern[str]:
    """Return the pattern of a word, or several, that is no part of another."""
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")


def without(text: str, words: Iterable[str]) -> str:
    """Return a text, folded, without some words; the longest are taken out first."""
    for word in sorted(set(words), key=len, reverse=True):
        if word in text:
            text = whole(word).sub(" ", text)
    return text


def colours_in(text: str, nouns: Iterable[str]) -> list[str]:
    """Return the colour terms of a text, folded, in which nouns such as `orange` may stand, too."""
    return [
        SPELT.get(word, word)
        for word in re.findall(r"\w+", without(text, nouns))
        if word in COLOURS or word in SPELT
    ]
