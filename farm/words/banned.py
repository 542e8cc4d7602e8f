"""Nouns that the surroundings of a scene may show, too: no sentence there may use them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from farm.spec.asset import Asset
from farm.spec.plurals import plural_of, singular_of
from farm.spec.words import AssetWords


def shown_by(asset: Asset) -> frozenset[str]:
    """Return the words for what an HDRI shows: those of its name, category and tags, one of each.

    Phrases, such as `coffee table`, are there whole and word by word.
    """
    credit = asset.credit
    told = (asset.title, credit.name, credit.category, *credit.tags)
    return frozenset(word for each in told if each for word in words_in(each))


def words_in(text: str) -> Iterable[str]:
    """Yield the words of a name or tag, lower case, each as one thing; and a phrase whole."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = [singular_of(word) for word in re.findall(r"[^\W\d_]+", spaced.casefold())]
    yield from words
    if len(words) > 1:
        yield " ".join(words)


def is_shown(noun: str, shown: frozenset[str]) -> bool:
    """Tell whether a noun may mean something that an HDRI shows.

    A noun of several words means the kind of thing that its last one names: where there is a chair,
    there may be an office chair.
    """
    words = [singular_of(word) for word in noun.casefold().split()]
    return bool(words) and (" ".join(words) in shown or words[-1] in shown)


def banned_nouns(asset: Asset | None, words: Iterable[AssetWords | None]) -> frozenset[str]:
    """Return which of the nouns that sentences might use an HDRI shows, singular and plural, lower
    case; without an HDRI none.

    Args:
        asset: The HDRI.
        words: What the things of a scene are called.
    """
    if asset is None:
        return frozenset()
    shown = shown_by(asset)
    found = {
        noun.casefold()
        for each in words
        if each is not None
        for noun in (each.noun, *each.synonyms, each.hypernym)
        if noun and is_shown(noun, shown)
    }
    return frozenset(found | {plural_of(noun) for noun in found})
