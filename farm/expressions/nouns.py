"""Which words sentences may call things by, and which of them mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from farm.expressions.meaning import GENERAL
from farm.spec.plurals import plural_of
from farm.spec.words import AssetWords

NAMES_OF_ANYTHING = {"object": "objects", "thing": "things", "item": "items", "one": "ones"}
"""What an unnamed thing is called, and several."""
_GRAMMAR = """
left right front back behind side first second third fourth fifth sixth seventh eighth ninth tenth
all both every each everything two three four five six seven eight nine ten the a an that which is
are not and of to from on in between other same top please me you i it them colour color kind
"""
RESERVED = frozenset((*_GRAMMAR.split(), *NAMES_OF_ANYTHING, *NAMES_OF_ANYTHING.values()))
"""Words of the grammar: nothing can be told apart by a name such as `left`."""
_PAIRS = """
scissors tweezers pliers tongs pincers shears glasses sunglasses eyeglasses spectacles goggles
binoculars headphones earphones earbuds trousers jeans shorts pants clippers
"""
COME_IN_PAIRS = frozenset(_PAIRS.split())
"""Words that are plural where one thing is meant."""
SURFACES = frozenset({"table", "tabletop", "surface"})
"""What all lies on: nothing on it can be told by such a noun."""
_SAYABLE = re.compile(r"[^\W_](?:[\w '&+./-]*[\w'+])?")
_SOUNDS_LIKE_YOU = re.compile(r"(?:uni(?!n|m)|use|usb|usu|ute|uti|uk|eu|ewe|once\b|one\b)", re.I)
_SILENT_H = re.compile(r"(?:hour|honest|heir|honou?r)", re.I)


@lru_cache(maxsize=4096)
def key_of(word: str) -> str:
    """Return a noun as nouns are compared: `Tea-Pot` and `teapot` are one."""
    return " ".join(word.casefold().replace("-", " ").split())


@lru_cache(maxsize=4096)
def can_be_said(word: str) -> bool:
    """Say whether a noun can stand in a sentence and be told from the words around it."""
    tokens = word.casefold().split()
    return (
        bool(_SAYABLE.fullmatch(word))
        and tokens[0] not in ("the", "a", "an")
        and not (len(tokens) == 1 and tokens[0] in RESERVED)
    )


@lru_cache(maxsize=65536)
def akin(word: str, other: str) -> bool:
    """Say whether two nouns may mean the same: `mug`, `coffee mug` and `mugs`."""
    one, two = key_of(word), key_of(other)
    return any(
        left == right
        or left.replace(" ", "") == right.replace(" ", "")
        or left.endswith(f" {right}")
        or right.endswith(f" {left}")
        for left in (one, plural_of(one))
        for right in (two, plural_of(two))
    )


@lru_cache(maxsize=4096)
def article(word: str) -> str:
    """Return `a` or `an`, by how a word sounds."""
    if _SILENT_H.match(word):
        return "an"
    if _SOUNDS_LIKE_YOU.match(word):
        return "a"
    return "an" if word[:1].casefold() in "aeiouàáâãäåæèéêëìíîïòóôõöøùúûü" else "a"


def names_of(words: AssetWords | None) -> tuple[str, ...]:
    """Return all nouns that are surely right of a thing, besides `object`."""
    if words is None:
        return ()
    return (*words.nouns, *_kind_of(words))


def kinds_of(words: Iterable[AssetWords | None]) -> frozenset[str]:
    """Return the kinds that things are said to be of."""
    return frozenset(key_of(each.hypernym) for each in words if each and each.hypernym)


def is_called(words: AssetWords | None, noun: str) -> bool:
    """Say whether a noun is surely right of a thing."""
    return any(key_of(noun) == key_of(name) for name in names_of(words))


def may_be_called(words: AssetWords | None, noun: str, *, is_kind: bool) -> bool:
    """Say whether somebody might call a thing so.

    Args:
        words: Of the thing.
        noun: Any noun.
        is_kind: Others of the view are of that kind: so may be a thing whose kind nobody has told.
    """
    if words is None or not words.confirmed or (is_kind and words.hypernym is None):
        return True
    return any(akin(noun, name) for name in names_of(words))


class Forms:
    """How nouns of a view are written: one and several of them, and with which article."""

    def __init__(self, words: Iterable[AssetWords]) -> None:
        self.plurals: dict[str, str] = {}
        self.articles: dict[str, str] = {}
        for each in words:
            for noun in names_of(each):
                self.plurals.setdefault(noun, plural_of(noun))
            if each.confirmed:
                self.plurals[each.noun] = each.plural_noun
                if each.article:
                    self.articles[each.noun] = each.article

    def plural(self, noun: str) -> str:
        """Return several of a noun."""
        return self.plurals.get(noun) or plural_of(noun)

    def article(self, noun: str) -> str:
        """Return `a` or `an`."""
        return self.articles.get(noun) or article(noun)

    def is_pair(self, noun: str) -> bool:
        """Say whether a noun is plural where one thing is meant, as `scissors` is."""
        return noun.casefold().split()[-1] in COME_IN_PAIRS

    def number_shows(self, noun: str) -> bool:
        """Say whether one and several of a noun are written in different ways."""
        return self.plural(noun) != noun and not self.is_pair(noun)


def banned_in(words: Iterable[AssetWords], shown: frozenset[str]) -> frozenset[str]:
    """Return all words that what the surroundings show may be called, too.

    Those of what they show itself, and of things that it may be: where there is a mug on the wall,
    `container` is no longer clear, and so is not the mug's other name.
    """
    taken = shown | SURFACES
    names = [frozenset((each.noun, *each.synonyms, *_kind_of(each))) for each in words]
    return taken.union(*(each for each in names if _meet(each, taken)))


def nouns_said(
    words: AssetWords | None, shown: frozenset[str], banned: frozenset[str]
) -> tuple[str, ...]:
    """Return the nouns by which sentences may call a thing, the best first; `object` is last.

    Args:
        words: Of the thing.
        shown: What the surroundings show.
        banned: All words that this may be called.
    """
    if words is None or _meet((words.noun, *words.synonyms, *_kind_of(words)), shown | SURFACES):
        return (GENERAL,)
    fit = (name for name in names_of(words) if can_be_said(name) and not _meet((name,), banned))
    return (*(name for name in dict.fromkeys(fit) if key_of(name) != GENERAL), GENERAL)


def _kind_of(words: AssetWords) -> tuple[str, ...]:
    return (words.hypernym,) if words.hypernym else ()


def _meet(names: Iterable[str], others: frozenset[str]) -> bool:
    return any(akin(name, other) for name in names for other in others)
