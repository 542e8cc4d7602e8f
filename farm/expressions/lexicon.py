"""The words that can be read: those of the grammar, and those that a view's things are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from farm.expressions import wording
from farm.expressions.meaning import GENERAL
from farm.expressions.negatives import COLOURS
from farm.expressions.nouns import (
    NAMES_OF_ANYTHING,
    Forms,
    can_be_said,
    is_called,
    key_of,
    kinds_of,
    may_be_called,
    names_of,
)
from farm.spec.words import AssetWords

Tokens = tuple[str, ...]
_AMERICAN = re.compile(r"\bcolor(?=(?:s|ed|ing)?$)")
_TOKEN = re.compile(r"[^\s,;:!?\"()“”…]+")


class Token(NamedTuple):
    """A word of a text, in lower case and without the full stop that may follow it."""

    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Return the words of a text with their places."""
    found = []
    for match in _TOKEN.finditer(text.replace("’", "'")):  # noqa: RUF001  # as phones write it
        word = match.group().rstrip(".")
        if word:
            found.append(Token(_spelled(word.casefold()), match.start(), match.start() + len(word)))
    return found


def _spelled(word: str) -> str:
    """Return a word in British spelling."""
    return _AMERICAN.sub("colour", word)


def words_of(text: str) -> Tokens:
    """Return the words of a text."""
    return tuple(token.text for token in tokens_of(text))


class NounForm(NamedTuple):
    """A way of writing a noun."""

    noun: str
    one: bool
    """It may mean one thing."""
    many: bool
    """It may mean several."""


class Meaning(NamedTuple):
    """What words say of a thing."""

    field: str
    value: str
    tail: bool = False
    """A noun phrase follows."""


@dataclass(frozen=True)
class Phrases:
    """Words with what they mean, found by their first word."""

    by_first: dict[str, tuple[tuple[Tokens, Meaning], ...]]

    @classmethod
    def of(cls, entries: Iterable[tuple[str, Meaning]]) -> Phrases:
        """Sort phrases by their first words."""
        found: dict[str, dict[tuple[Tokens, Meaning], None]] = {}
        for text, meaning in entries:
            words = words_of(text)
            found.setdefault(words[0], {})[words, meaning] = None
        return cls({first: tuple(each) for first, each in found.items()})

    @property
    def words(self) -> Iterator[str]:
        """All their words."""
        return (word for each in self.by_first.values() for words, _ in each for word in words)

    def at(self, tokens: list[Token], start: int) -> Iterator[tuple[int, Meaning]]:
        """Yield where each phrase ends that begins here, and what it means."""
        if start >= len(tokens):
            return
        for words, meaning in self.by_first.get(tokens[start].text, ()):
            end = start + len(words)
            if tuple(token.text for token in tokens[start:end]) == words:
                yield end, meaning


class Lexicon:
    """What can be read in a view."""

    def __init__(self, words: Iterable[AssetWords]) -> None:
        given = list(words)
        self._given = given
        self._kinds = kinds_of(given)
        self._first: dict[tuple[tuple[bool, bool, bool], ...], str] = {}
        forms = Forms(given)
        self.nouns: dict[str, list[tuple[Tokens, NounForm]]] = {}
        for each in given:
            for noun in names_of(each):
                if can_be_said(noun):
                    self._add(noun, forms)
        for one, many in NAMES_OF_ANYTHING.items():
            self._note(one, NounForm(GENERAL, one=True, many=False))
            self._note(many, NounForm(GENERAL, one=False, many=True))
        materials = [each.material for each in given if each.material and each.confirmed]
        self._before = (
            _before(),
            Phrases.of(_each("material", {each: (each,) for each in materials})),
        )
        self._after = (_after(), Phrases.of(_made_of(materials)))

    def before_at(self, tokens: list[Token], start: int) -> Iterator[tuple[int, Meaning]]:
        """Yield where each phrase ends that begins here and stands before a noun."""
        for phrases in self._before:
            yield from phrases.at(tokens, start)

    def after_at(self, tokens: list[Token], start: int) -> Iterator[tuple[int, Meaning]]:
        """Yield where each phrase ends that begins here and follows a noun."""
        for phrases in self._after:
            yield from phrases.at(tokens, start)

    def _add(self, noun: str, forms: Forms) -> None:
        if not forms.number_shows(noun):
            self._note(noun, NounForm(noun, one=True, many=True))
            return
        self._note(noun, NounForm(noun, one=True, many=False))
        self._note(forms.plural(noun), NounForm(noun, one=False, many=True))

    def _note(self, text: str, form: NounForm) -> None:
        words = words_of(text)
        known = self.nouns.setdefault(words[0], [])
        if (words, form) not in known:
            known.append((words, form))

    def nouns_at(self, tokens: list[Token], start: int) -> Iterator[tuple[int, NounForm]]:
        """Yield where each noun ends that begins here, the longest first."""
        if start >= len(tokens):
            return
        found = self.nouns.get(tokens[start].text, [])
        for words, form in sorted(found, key=lambda each: -len(each[0])):
            end = start + len(words)
            if tuple(token.text for token in tokens[start:end]) == words:
                yield end, form

    def canonical(self, noun: str) -> str:
        """Return the first of the nouns that mean the same as this one: of all things in the view,
        surely and possibly.
        """
        if noun == GENERAL:
            return noun
        is_kind = key_of(noun) in self._kinds
        meant = tuple(
            (
                is_called(each, noun),
                may_be_called(each, noun, is_kind=is_kind),
                any(key_of(noun) == key_of(name) for name in each.nouns),
            )
            for each in self._given
        )
        return self._first.setdefault(meant, noun)

    @property
    def vocabulary(self) -> frozenset[str]:
        """All words that a noun phrase may have."""
        grammar = (word for table in (*self._before, *self._after) for word in table.words)
        nouns = (word for each in self.nouns.values() for words, _ in each for word in words)
        return frozenset((*grammar, *nouns, *_SMALL_WORDS))


_SMALL = """
the a an both all every each of everything and that which is are pair between in from counting
counted nearest closest nearer closer to other also
"""
_SMALL_WORDS = frozenset((*_SMALL.split(), *wording.COUNTS))


@cache
def _before() -> Phrases:
    """Return what stands before a noun, besides materials of a view's own."""
    found = [(term, Meaning("colour", term)) for term in COLOURS]
    found += [(text, Meaning("colour", term)) for text, term in wording.ALSO_COLOURS.items()]
    found += [(f"non-{term}", Meaning("not_colour", term)) for term in COLOURS]
    for table in (wording.MOST, wording.MORE, wording.ALSO_MOST, wording.ALSO_MORE):
        found += [
            (text, Meaning("most", value)) for value, texts in table.items() for text in texts
        ]
    found += _each("pose", wording.ALSO_POSES_BEFORE)
    hidden = (*(before for before, _ in wording.HIDDEN if before), *wording.ALSO_HIDDEN)
    found += [(text, Meaning("hidden", "partly")) for text in hidden]
    found += [(text, Meaning("ordinal", str(at))) for at, text in enumerate(wording.ORDINALS, 1)]
    found += _each("material", wording.ALSO_MATERIALS)
    found += [
        (f"{term}{joint}coloured", Meaning("colour", term)) for term in COLOURS for joint in " -"
    ]
    found += [(text, Meaning("near", "")) for text in ("nearest", "closest", "nearer", "closer")]
    return Phrases.of([*found, ("other", Meaning("other", ""))])


def _each(field: str, table: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, Meaning]]:
    """Yield each way of saying something."""
    for value, texts in table.items():
        yield from ((text, Meaning(field, value)) for text in texts)


def _made_of(known: Iterable[str]) -> Iterator[tuple[str, Meaning]]:
    """Yield what follows a noun about what it is made of."""
    stuffs = {value.removesuffix("en") if value == "wooden" else value: value for value in known}
    for stuff, value in stuffs.items():
        for text in ("made of", "made out of", "made from"):
            for link in ("", *_LINKS):
                yield f"{link} {text} {stuff}", Meaning("material", value)


_LINKS = ("that is", "that are", "which is", "which are", "that's")
_IS = {"is": "is", "isnt": "isn't", "has": "has", "its": "its", "which": "which"}
_ARE = {"is": "are", "isnt": "aren't", "has": "have", "its": "their", "which": "which"}
_AGREEING = tuple({**verb, "that": link} for verb in (_IS, _ARE) for link in ("that", "which"))


def _worded(text: str) -> Iterator[str]:
    """Yield a phrase for one thing and several, with each link."""
    if "{" not in text:
        yield text
        return
    for words in _AGREEING:
        worded = text.format(colour="{colour}", **words)
        yield worded
        yield worded.replace("their side", "their sides")
        if "that is " in worded:
            yield worded.replace("that is ", "that's ")


@cache
def _after() -> Phrases:
    """Return what follows a noun, besides materials of a view's own."""
    made = _made_of(("metal", "glass"))
    return Phrases.of(
        [*_lying(), *_sharing(), *_looking(), *_coloured(), *_places_of_rows(), *made]
    )


def _linked(text: str) -> Iterator[str]:
    """Yield a phrase with what may link it to a noun."""
    yield text
    for link in _LINKS:
        yield f"{link} {text}"


_HOW = (
    "", "located ", "sitting ", "standing ", "resting ", "lying ", "placed ", "positioned ",
    "situated ", "found ",
)  # fmt: skip
_NEAR = (
    "nearest", "nearest to", "closest", "closest to", "nearer", "nearer to", "closer", "closer to",
    "the nearest to", "the closest to",
)  # fmt: skip


def _lying() -> Iterator[tuple[str, Meaning]]:
    """Yield how a thing lies, and what it is most."""
    for table in (wording.RELATIONS, wording.ALSO_RELATIONS):
        for text, (_, direction, _) in _each("relate", table):
            yield from _settled(text, Meaning("relate", direction, tail=True))
    for text in ("between", "in between"):
        yield from _settled(text, Meaning("between", "", tail=True))
    for text in _NEAR:
        yield from ((linked, Meaning("nearest", "", tail=True)) for linked in _linked(text))
    for table in (wording.FARTHEST, wording.FARTHER, wording.ALSO_FARTHEST):
        for text, meaning in _each("most", table):
            yield from ((linked, meaning) for linked in _linked(text))


def _settled(text: str, meaning: Meaning) -> Iterator[tuple[str, Meaning]]:
    """Yield a place with what may link it to a noun: `that is standing on`."""
    for how in _HOW:
        yield from ((linked, meaning) for linked in _linked(how + text))


def _sharing() -> Iterator[tuple[str, Meaning]]:
    for table in (wording.SHARED, wording.ALSO_SHARED):
        for what, texts in table.items():
            for text in texts:
                for worded in _worded(text):
                    yield worded, Meaning("same", what, tail=True)


def _looking() -> Iterator[tuple[str, Meaning]]:
    """Yield poses, and what is hidden."""
    for value, ways in wording.POSES.items():
        for text in (*(after for _, after in ways if after), *wording.ALSO_POSES[value]):
            for worded in _worded(text):
                yield worded, Meaning("pose", value)
    hidden = (*(after for _, after in wording.HIDDEN if after), *wording.ALSO_HIDDEN)
    for text in hidden:
        for worded in _worded(text) if "{" in text else _linked(text):
            yield worded, Meaning("hidden", "partly")


def _coloured() -> Iterator[tuple[str, Meaning]]:
    terms = {term: term for term in COLOURS} | wording.ALSO_COLOURS
    for text in (*wording.NOT_COLOUR, *wording.ALSO_NOT_COLOUR):
        for worded in _worded(text.replace("{colour}", "COLOUR")):
            for spelled, term in terms.items():
                yield worded.replace("COLOUR", spelled), Meaning("not_colour", term)
    for spelled, term in terms.items():
        for link in _LINKS:
            yield f"{link} {spelled}", Meaning("colour", term)
            yield f"{link} coloured {spelled}", Meaning("colour", term)
        yield f"coloured {spelled}", Meaning("colour", term)


def _places_of_rows() -> Iterator[tuple[str, Meaning]]:
    """Yield from where a place of a row is counted."""
    for side, word in wording.ROW_SIDES.items():
        for text in (
            "from",
            "counting from",
            "counted from",
            "as counted from",
            "if you count from",
        ):
            yield f"{text} the {word}", Meaning("side", side)
            yield f"{text} {word}", Meaning("side", side)
        for at, ordinal in enumerate(wording.ORDINALS, 1):
            for text in (f"{ordinal} from the {word}", f"{ordinal} from {word}"):
                yield from ((each, Meaning("place", f"{at} {side}")) for each in _linked(text))
