"""Reads sentences back: what each of them means, and where its noun phrases are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from farm.expressions.around import FRAME_WORDS, may_begin, may_end
from farm.expressions.drafts import Draft, Found, told_between, told_by, with_meaning
from farm.expressions.lexicon import Lexicon, Meaning, NounForm, Token, tokens_of
from farm.expressions.meaning import (
    Superlative,
    Thing,
    canonical,
    program_of,
)
from farm.expressions.wording import COUNTS
from farm.spec.expression import Step

OF_THEM = ("of", "among", "amongst")
NEAREST = Meaning("nearest", "", tail=True)
MOST_WORDS = 80
"""Longest sentence that is read."""


class NotReadError(Exception):
    """A sentence that is not understood, or in several ways."""


class ReadPhrase(NamedTuple):
    """A noun phrase in a text."""

    start: int
    end: int
    thing: Thing


class Reading(NamedTuple):
    """What a sentence means."""

    thing: Thing
    number: int | None
    """How many it says that there are."""
    phrases: tuple[ReadPhrase, ...]
    """Its own noun phrase first."""
    number_shows: bool
    """It says whether one thing is meant or several: `the sheep` does not."""

    @property
    def program(self) -> tuple[Step, ...]:
        """The program that finds what it means."""
        return program_of(canonical(self.thing))


def read(text: str, lexicon: Lexicon) -> Reading:
    """Return what a sentence means.

    Raises:
        NotReadError: It has words that are not known, another form than those that are understood,
            or several meanings.
    """
    tokens = tokens_of(text)
    if not tokens or len(tokens) > MOST_WORDS:
        raise NotReadError(f"has {len(tokens)} words: 1 to {MOST_WORDS} are read")
    reader = _Reader(tokens, lexicon)
    for start in range(len(tokens)):
        if may_begin(tokens[:start]):
            found = [each for each in reader.things(start) if may_end(tokens[each.end :])]
            meant = {(canonical(each.thing), each.number): each for each in reversed(found)}
            if meant:
                return _only(meant, tokens)
    raise NotReadError(_why_not(tokens, lexicon))


def _only(meant: dict[tuple[Thing, int | None], Found], tokens: list[Token]) -> Reading:
    """Return the only meaning; a word that is the same for one and several may mean either."""
    if len({thing._replace(plural=False) for thing, _ in meant}) > 1:
        raise NotReadError("has several meanings")
    (thing, count), found = min(meant.items(), key=lambda each: each[0][0].plural)
    phrases = tuple(
        ReadPhrase(tokens[start].start, tokens[end - 1].end, each)
        for start, end, each in found.phrases
    )
    return Reading(thing, count, phrases, number_shows=len({each.plural for each, _ in meant}) < 2)


def _why_not(tokens: list[Token], lexicon: Lexicon) -> str:
    known = lexicon.vocabulary | FRAME_WORDS
    strange = [token.text for token in tokens if token.text not in known]
    if strange:
        return f"has words that are not known here: {', '.join(dict.fromkeys(strange))}"
    return "is not put in a way that is understood"


class _Quantity(NamedTuple):
    """How many are meant."""

    end: int
    number: int | None = None
    several: bool | None = None
    """None where the noun says it."""
    each: bool = False
    """The noun is that of one thing: `every`."""


class _Reader:
    """Finds all ways in which tokens can be read."""

    def __init__(self, tokens: list[Token], lexicon: Lexicon) -> None:
        self._tokens = tokens
        self._lexicon = lexicon

    def _word(self, at: int) -> str:
        return self._tokens[at].text if at < len(self._tokens) else ""

    def _words(self, at: int, *words: str) -> bool:
        return all(self._word(at + offset) == word for offset, word in enumerate(words))

    def things(self, start: int, *, bare: bool = True) -> Iterator[Found]:
        """Yield the noun phrases that begin at a token."""
        if self._word(start) == "everything":
            yield from self._everything(start)
            return
        for quantity in self._quantities(start, bare=bare):
            yield from self._one_of(start, quantity)
            for at, draft in self._before(quantity.end, Draft()):
                for end, form in self._lexicon.nouns_at(self._tokens, at):
                    yield from self._rest(start, end, form, quantity, draft)

    def _everything(self, start: int) -> Iterator[Found]:
        for end, draft in self._after(start + 1, Draft(), joined=False):
            if not draft.is_open and draft.looks.pick is None:
                yield self._found(start, end, draft.looks._replace(plural=True), None, draft)

    def _found(self, start: int, end: int, thing: Thing, count: int | None, draft: Draft) -> Found:
        return Found(thing, end, count, ((start, end, thing), *draft.phrases))

    def _quantities(self, start: int, *, bare: bool) -> Iterator[_Quantity]:
        """Yield what may say how many are meant."""
        word, after = self._word(start), start + 1
        if word in ("the", "those", "these"):
            yield from self._counted(_Quantity(after))
        elif word in ("a", "an"):
            end = start + 3 if self._words(after, "pair", "of") else after
            yield _Quantity(end, several=False)
        elif word in ("both", "all", "every", "each"):
            yield from self._whole(word, after)
        elif word in COUNTS[2:]:
            yield from self._counted(_Quantity(start, several=True))
        elif bare:
            yield _Quantity(start)

    def _whole(self, word: str, after: int) -> Iterator[_Quantity]:
        """Yield what says that all of them are meant."""
        if word == "both":
            yield _Quantity(self._past_the(after), number=2, several=True)
        elif word == "all":
            for end in {after, self._past_the(after)}:
                yield from self._counted(_Quantity(end, several=True))
        else:
            yield _Quantity(after, several=True, each=True)
            if self._words(after, "of", "the"):
                yield _Quantity(after + 2, several=True)

    def _past_the(self, at: int) -> int:
        """Return where `of the`, or `the`, ends."""
        if self._words(at, "of", "the"):
            return at + 2
        return at + 1 if self._words(at, "the") else at

    def _counted(self, quantity: _Quantity) -> Iterator[_Quantity]:
        """Yield a quantity, and with a number after it."""
        yield quantity
        word = self._word(quantity.end)
        if word in COUNTS[2:]:
            end = quantity.end + 1
            if quantity.several and self._words(end, "of", "the"):
                end += 2
            yield quantity._replace(end=end, number=COUNTS.index(word), several=True)

    def _one_of(self, start: int, quantity: _Quantity) -> Iterator[Found]:
        """Yield what is most so of several."""
        for end, meaning in self._lexicon.before_at(self._tokens, quantity.end):
            if meaning.field != "most" or quantity.several is not None:
                continue
            for begin in self._past_of(end):
                for pool in self.things(begin, bare=False):
                    if pool.thing.plural and pool.thing.pick is None:
                        pick = Superlative(meaning.value)
                        thing = pool.thing._replace(plural=False, pick=pick)
                        draft = Draft(phrases=pool.phrases[1:])
                        yield self._found(start, pool.end, thing, None, draft)

    def _past_of(self, at: int) -> Iterator[int]:
        """Yield where `of` ends, or what else says of which things it is one."""
        if self._word(at) == "one" and self._word(at + 1) in OF_THEM:
            at += 1
        if self._words(at, "out", "of"):
            yield at + 2
        elif self._word(at) in OF_THEM:
            yield at + 1

    def _before(self, at: int, draft: Draft) -> Iterator[tuple[int, Draft]]:
        """Yield what is known after none, one and more of the adjectives from a token on."""
        yield at, draft
        for end, meaning in self._lexicon.before_at(self._tokens, at):
            more = with_meaning(draft, meaning)
            if more:
                yield from self._before(end, more)

    def _rest(
        self, start: int, end: int, form: NounForm, quantity: _Quantity, draft: Draft
    ) -> Iterator[Found]:
        """Yield the noun phrases that go on after a noun."""
        called = draft.looks._replace(noun=form.noun)
        for last, whole in self._after(end, draft._replace(looks=called), joined=False):
            if not whole.is_open:
                for several in _numbers(form, quantity):
                    thing = whole.looks._replace(plural=several)
                    if not (several and thing.pick):
                        yield self._found(start, last, thing, quantity.number, whole)

    def _after(self, at: int, draft: Draft, *, joined: bool) -> Iterator[tuple[int, Draft]]:
        """Yield what is known after none, one and more of the phrases that follow a noun.

        Args:
            at: The next token.
            draft: What is known so far.
            joined: The last phrase ended with a noun phrase: what follows without `and` is of
                that.
        """
        yield at, draft
        for start in self._starts(at, draft, joined=joined):
            for end, meaning in self._following(start, draft):
                if not meaning.tail:
                    more = with_meaning(draft, meaning)
                    if more:
                        yield from self._after(end, more._replace(followed=True), joined=joined)
                    continue
                for last, told in self._told_by(end, meaning, draft):
                    yield from self._after(last, told._replace(followed=True), joined=True)

    def _following(self, at: int, draft: Draft) -> Iterator[tuple[int, Meaning]]:
        """Yield where each phrase ends that begins here and follows a noun, and what it means."""
        yield from self._lexicon.after_at(self._tokens, at)
        if draft.is_near and self._word(at) == "to":
            yield at + 1, NEAREST

    def _starts(self, at: int, draft: Draft, *, joined: bool) -> Iterator[int]:
        """Yield where the next phrase may begin."""
        if not joined or self._word(at) == "but":
            yield at
        if self._word(at) == "and" and draft.followed:
            yield at + 2 if self._word(at + 1) in ("also", "is", "are") else at + 1

    def _told_by(self, at: int, meaning: Meaning, draft: Draft) -> Iterator[tuple[int, Draft]]:
        """Yield what is known after the things that a phrase tells it by."""
        for first in self.things(at, bare=False):
            if not _is_anchor(first.thing):
                continue
            if meaning.field != "between":
                told = told_by(draft, meaning, first)
                if told:
                    yield first.end, told
            elif self._word(first.end) == "and":
                for second in self.things(first.end + 1, bare=False):
                    if _is_anchor(second.thing):
                        yield second.end, told_between(draft, first, second)


def _is_anchor(thing: Thing) -> bool:
    return not thing.plural


def _numbers(form: NounForm, quantity: _Quantity) -> Iterator[bool]:
    """Yield whether one thing is meant, or several."""
    if quantity.each:
        if form.one:
            yield True
        return
    if form.one and not quantity.several:
        yield False
    if form.many and quantity.several is not False:
        yield True
