"""What an asset may be called, guessed from what is known of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from farm.spec.plurals import singular_of
from farm.spec.words import GENERAL_NOUN, AssetWords
from farm.words.names import (
    ALSO_DESCRIBING,
    DESCRIBING,
    MATERIALS,
    head_of,
    words_of_name,
)
from farm.words.nouns import Noun, kinds, nouns

LONGEST = 3
"""Words of a noun, at most."""


@dataclass(frozen=True)
class Known:
    """What is known of an asset before anybody has looked at it."""

    key: str
    """What words.yaml calls it."""
    name: str
    """Of its file, or of its folder."""
    title: str | None = None
    """Its name where it comes from."""
    category: str | None = None
    tags: tuple[str, ...] = ()


class Guess(NamedTuple):
    """What an asset may be called, and why."""

    words: AssetWords
    why: str
    """A sentence for whoever confirms it."""
    is_sure: bool
    """What it is named for is in the list of nouns."""


class Found(NamedTuple):
    """A noun of the list in a name."""

    noun: Noun
    place: int
    """Of its last word."""
    is_head: bool
    """It is what the name is for: its last words."""


def guess(known: Known) -> Guess:
    """Guess what an asset is called: by its name, then its category, then its tags."""
    sources = list(texts_of(known))
    for said_by, words in sources:
        found = best(words, sources)
        if found is not None and names_one_thing(said_by, words, found):
            return of_noun(found, said_by, words, sources)
    return unknown(known, sources)


def names_one_thing(said_by: str, words: list[str], found: Found) -> bool:
    """Tell whether a noun is what a source says a thing is: a category may be of several."""
    if said_by == "category":
        return len({each.noun.noun for each in nouns_in(words)}) == 1
    return found.is_head or said_by != "tags"


def texts_of(known: Known) -> Iterator[tuple[str, list[str]]]:
    """Yield what tells something of an asset, with its words, the most telling first."""
    if known.title:
        yield "title", head_of(words_of_name(known.title))
    yield "name", head_of(words_of_name(known.name))
    if known.category:
        yield "category", words_of_name(known.category.replace("/", " "))
    for tag in known.tags:
        yield "tags", words_of_name(tag)


def best(words: list[str], sources: Sequence[tuple[str, list[str]]]) -> Found | None:
    """Return the noun that a name is for: its last one, unless category or tags name another."""
    found = list(nouns_in(words))
    things = [each for each in found if each.noun.noun not in ALSO_DESCRIBING] or found
    if not things or things[-1].is_head:
        return things[-1] if things else None
    others = {
        noun.noun for _, text in sources if text is not words for noun, _, _ in nouns_in(text)
    }
    named = [each for each in things if each.noun.noun in others]
    return (named or things)[-1]


def nouns_in(words: list[str]) -> Iterator[Found]:
    """Yield the nouns of the list in a name, the longest one at each place."""
    known, place, end = nouns(), 0, end_of(words)
    while place < len(words):
        for length in range(min(LONGEST, len(words) - place), 0, -1):
            part = words[place : place + length]
            noun = known.get(" ".join(part)) or (known.get("".join(part)) if length > 1 else None)
            if noun is not None:
                last = place + length - 1
                yield Found(noun, last, last >= end)
                place = last
                break
        place += 1


def end_of(words: list[str]) -> int:
    """Return the place of the last word that tells what a thing is, not how it is."""
    places = [place for place, word in enumerate(words) if word not in DESCRIBING]
    if not places:
        return len(words) - 1
    plain = [place for place in places if words[place] not in ALSO_DESCRIBING | {*MATERIALS}]
    return plain[-1] if plain else places[-1]


def of_noun(
    found: Found, said_by: str, words: list[str], sources: Sequence[tuple[str, list[str]]]
) -> Guess:
    """Return what is proposed for a noun of the list."""
    noun = found.noun
    made = AssetWords(
        noun=noun.noun,
        hypernym=noun.hypernym,
        synonyms=tuple(each for each in noun.synonyms if each != noun.noun),
        size_m=noun.size_m,
        stands=noun.stands,
        symmetric=noun.symmetric,
        material=material_in(sources),
    )
    why = f"from its {said_by}: {' '.join(words)}"
    if not found.is_head:
        rest = " ".join(words[found.place + 1 : end_of(words) + 1])
        why += f"; or is it a {rest}?"
    return Guess(made, why, is_sure=found.is_head)


def material_in(sources: Sequence[tuple[str, list[str]]]) -> str | None:
    """Return the word for a material that a name has, as it stands before a noun."""
    for said_by, words in sources:
        if said_by in ("title", "name"):
            for word in words:
                if word in MATERIALS:
                    return MATERIALS[word]
    return None


def unknown(known: Known, sources: Sequence[tuple[str, list[str]]]) -> Guess:
    """Return what is proposed where no noun of the list is found: the last word of its name."""
    words = next((words for said_by, words in sources if words and said_by != "tags"), [])
    wide = [words for said_by, words in sources if said_by in ("category", "tags")]
    kind = next((kind for each in (*wide, words[:-1]) if (kind := kind_in(each))), None)
    plain = [word for word in words[: end_of(words) + 1] if word not in MATERIALS]
    noun = plain[-1] if plain else kind or GENERAL_NOUN
    made = AssetWords(
        noun=noun,
        hypernym=kind if kind != noun else None,
        material=material_in(sources),
    )
    why = f"a guess: no noun that is known stands in {' '.join(words) or known.name}"
    return Guess(made, why, is_sure=False)


def kind_in(words: list[str]) -> str | None:
    """Return the kind of things that a category or tag names, or that all of its nouns are of."""
    named = next((word for word in words if singular_of(word) in kinds()), None)
    shared = {each.noun.hypernym for each in nouns_in(words)}
    return named or (shared.pop() if len(shared) == 1 else None)
