"""Reads sentences back: what each of them means, and where its noun phrases are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from farm.expressions.lexicon import Lexicon, Meaning, NounForm, Token, tokens_of
from farm.expressions.meaning import (
    Between,
    Nearest,
    Ordinal,
    Relation,
    Same,
    Superlative,
    Thing,
    canonical,
    program_of,
)
from farm.expressions.wording import COUNTS
from farm.spec.expression import Step

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
        if _begins(tokens[:start]):
            found = [each for each in reader.things(start) if _ends(tokens[each.end :])]
            meant = {(canonical(each.thing), each.number): each for each in reversed(found)}
            if meant:
                return _only(meant, tokens)
    raise NotReadError(_why_not(tokens, lexicon))


def _only(meant: dict[tuple[Thing, int | None], _Found], tokens: list[Token]) -> Reading:
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
    known = lexicon.vocabulary | _FRAME_WORDS
    strange = [token.text for token in tokens if token.text not in known]
    if strange:
        return f"has words that are not known here: {', '.join(dict.fromkeys(strange))}"
    return "is not put in a way that is understood"


class _Found(NamedTuple):
    """A noun phrase that ends before a token."""

    thing: Thing
    end: int
    number: int | None
    phrases: tuple[tuple[int, int, Thing], ...]


class _Draft(NamedTuple):
    """What is known of a thing while its noun phrase is read."""

    looks: Thing = Thing()
    ordinal: int | None = None
    phrases: tuple[tuple[int, int, Thing], ...] = ()
    followed: bool = False
    """Something after its noun was read: `and` may join more to that."""


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

    def things(self, start: int, *, bare: bool = True) -> Iterator[_Found]:
        """Yield the noun phrases that begin at a token."""
        if self._word(start) == "everything":
            yield from self._everything(start)
            return
        for quantity in self._quantities(start, bare=bare):
            yield from self._one_of(start, quantity)
            for at, draft in self._before(quantity.end, _Draft()):
                for end, form in self._lexicon.nouns_at(self._tokens, at):
                    yield from self._rest(start, end, form, quantity, draft)

    def _everything(self, start: int) -> Iterator[_Found]:
        for end, draft in self._after(start + 1, _Draft(), joined=False):
            if draft.ordinal is None and draft.looks.pick is None:
                yield self._found(start, end, draft.looks._replace(plural=True), None, draft)

    def _found(
        self, start: int, end: int, thing: Thing, count: int | None, draft: _Draft
    ) -> _Found:
        return _Found(thing, end, count, ((start, end, thing), *draft.phrases))

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

    def _one_of(self, start: int, quantity: _Quantity) -> Iterator[_Found]:
        """Yield what is most so of several."""
        for end, meaning in self._lexicon.before_at(self._tokens, quantity.end):
            if meaning.field == "most" and self._word(end) == "of" and quantity.several is None:
                for pool in self.things(end + 1, bare=False):
                    if pool.thing.plural and pool.thing.pick is None:
                        pick = Superlative(meaning.value)
                        thing = pool.thing._replace(plural=False, pick=pick)
                        draft = _Draft(phrases=pool.phrases[1:])
                        yield self._found(start, pool.end, thing, None, draft)

    def _before(self, at: int, draft: _Draft) -> Iterator[tuple[int, _Draft]]:
        """Yield what is known after none, one and more of the adjectives from a token on."""
        yield at, draft
        for end, meaning in self._lexicon.before_at(self._tokens, at):
            more = _with(draft, meaning)
            if more:
                yield from self._before(end, more)

    def _rest(
        self, start: int, end: int, form: NounForm, quantity: _Quantity, draft: _Draft
    ) -> Iterator[_Found]:
        """Yield the noun phrases that go on after a noun."""
        called = draft.looks._replace(noun=form.noun)
        for last, whole in self._after(end, draft._replace(looks=called), joined=False):
            if whole.ordinal is None:
                for several in _numbers(form, quantity):
                    thing = whole.looks._replace(plural=several)
                    if not (several and thing.pick):
                        yield self._found(start, last, thing, quantity.number, whole)

    def _after(self, at: int, draft: _Draft, *, joined: bool) -> Iterator[tuple[int, _Draft]]:
        """Yield what is known after none, one and more of the phrases that follow a noun.

        Args:
            at: The next token.
            draft: What is known so far.
            joined: The last phrase ended with a noun phrase: what follows without `and` is of
                that.
        """
        yield at, draft
        for start in self._starts(at, draft, joined=joined):
            for end, meaning in self._lexicon.after_at(self._tokens, start):
                if not meaning.tail:
                    more = _with(draft, meaning)
                    if more:
                        yield from self._after(end, more._replace(followed=True), joined=joined)
                    continue
                for last, told in self._told_by(end, meaning, draft):
                    yield from self._after(last, told._replace(followed=True), joined=True)

    def _starts(self, at: int, draft: _Draft, *, joined: bool) -> Iterator[int]:
        """Yield where the next phrase may begin."""
        if not joined or self._word(at) == "but":
            yield at
        if self._word(at) == "and" and draft.followed:
            yield at + 2 if self._word(at + 1) in ("also", "is", "are") else at + 1

    def _told_by(self, at: int, meaning: Meaning, draft: _Draft) -> Iterator[tuple[int, _Draft]]:
        """Yield what is known after the things that a phrase tells it by."""
        for first in self.things(at, bare=False):
            if not _is_anchor(first.thing):
                continue
            if meaning.field != "between":
                told = _told(draft, meaning, first)
                if told:
                    yield first.end, told
            elif self._word(first.end) == "and":
                for second in self.things(first.end + 1, bare=False):
                    if _is_anchor(second.thing):
                        yield second.end, _between(draft, first, second)


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


def _told(draft: _Draft, meaning: Meaning, anchor: _Found) -> _Draft | None:
    """Return a draft with what a thing is told by."""
    looks = draft.looks
    phrases = (*draft.phrases, *anchor.phrases)
    if meaning.field == "nearest":
        if looks.pick or draft.ordinal:
            return None
        return draft._replace(looks=looks._replace(pick=Nearest(anchor.thing)), phrases=phrases)
    part = (
        Relation(meaning.value, anchor.thing)
        if meaning.field == "relate"
        else Same(meaning.value, anchor.thing)
    )
    return draft._replace(looks=looks._replace(places=(*looks.places, part)), phrases=phrases)


def _between(draft: _Draft, first: _Found, second: _Found) -> _Draft:
    part = Between(first.thing, second.thing)
    looks = draft.looks._replace(places=(*draft.looks.places, part))
    return draft._replace(looks=looks, phrases=(*draft.phrases, *first.phrases, *second.phrases))


def _with(draft: _Draft, meaning: Meaning) -> _Draft | None:
    """Return a draft with what words say; None where it has something of that kind already."""
    field, value, looks = meaning.field, meaning.value, draft.looks
    if field == "other":
        return draft
    if field == "ordinal":
        return None if draft.ordinal or looks.pick else draft._replace(ordinal=int(value))
    if field == "side":
        if draft.ordinal is None:
            return None
        pick = Ordinal(draft.ordinal, value)
        return draft._replace(ordinal=None, looks=looks._replace(pick=pick))
    if field in ("most", "place"):
        if looks.pick or draft.ordinal:
            return None
        place, _, side = value.partition(" ")
        picked = Superlative(value) if field == "most" else Ordinal(int(place), side)
        return draft._replace(looks=looks._replace(pick=picked))
    if getattr(looks, field):
        return None
    said: dict[str, Any] = {field: True if field == "hidden" else value}
    return draft._replace(looks=looks._replace(**said))


def _any_of(*ways: str) -> str:
    return f"(?:{'|'.join(ways)})"


_POLITE = _any_of(
    "please", "kindly", "hey", "hi", "hello", "ok", "okay", "robot", "now", "so", "well", "just",
    "then", "maybe", "possibly", "perhaps",
)  # fmt: skip
_MODAL = _any_of(
    "(?:could|can|would|will|may|might) (?:you|i|we)",
    "(?:would|do) you mind",
    "do you think you could",
    "(?:would you be|are you) able to",
    "would it be possible to",
    "would you be so kind as to",
    "be so kind (?:as )?to",
    "i(?:'d| would) (?:like|love|want) (?:you )?to",
    "i (?:want|need) (?:you )?to",
    "i(?:'d| would) appreciate it if you could",
    "i wish you would",
    "you (?:should|can|may|need to)",
    "your (?:task|job) is to",
    "let's",
    "let me",
    "(?:try|make sure) to",
    "go and",
    "go ahead and",
    "help me",
)
_ING = "(?:e|ing|ting|bing|ping)?"
_DEED = _any_of(
    "pick(?:ing)? (?:up|out)",
    "pick",
    f"(?:hand|pass|giv|bring|fetch|get|find|grab|show|reach|send){_ING} me",
    f"(?:fetch|find|locat|retriev|collect|select|choos|identify|grab|grasp|grip|get|hold){_ING}",
    f"(?:seiz|touch|spot|see|highlight|mark|segment|indicat|detect|notic|inspect){_ING}",
    "point(?:ing)? (?:to|at|out|me to|your finger at)",
    "reach(?:ing)?(?: out)?(?: for)?",
    "look(?:ing)? (?:for|at)",
    "search(?:ing)? for",
    "singl(?:e|ing) out",
    "go(?:ing)? for",
    "hold(?:ing)? up",
    "(?:take|get) hold of",
    "have",
    "(?:show|tell) me where",
    "direct me to",
)
_ONES = "(?:one|ones|object|objects|thing|things|item|items)"
_ASKED = _any_of(
    "where(?: is| are|'s)",
    f"which (?:{_ONES} )?(?:here )?(?:is|are)",
    "(?:do|can|could) you (?:know|tell me|show me|say) where",
    "do you (?:see|have)",
    "have you (?:seen|got)",
    "(?:is|are) there",
    "(?:what|how) about",
    f"do you know which {_ONES} (?:is|are)",
)
_WANT = "(?:want|need|mean|am after|would like|am looking for)"
_WISHED = _any_of(
    "(?:i|we) (?:really )?(?:need|want)",
    "i(?:'d| would) (?:like|love)(?: to have)?",
    "i(?:'m| am) (?:looking for|after|interested in|talking about|thinking of)",
    f"(?:the )?{_ONES} (?:that )?(?:i|we) {_WANT}(?: to have)? (?:is|are)",
    "it's",
    "it is",
    "i could use",
    "i mean",
    "my (?:target|choice|pick) is",
    "(?:that's|this is)",
)
_BEFORE = re.compile(
    rf"(?:{_POLITE} )*(?:(?:{_MODAL} )?(?:{_POLITE} )*{_DEED}|{_ASKED}|{_WISHED})?(?: {_POLITE})*"
)
_LAST = _any_of(
    "(?:for|to) me",
    "please",
    "now",
    "thanks",
    "thank you",
    "right (?:now|away)",
    "if you (?:can|could|would|please|don't mind)",
    "(?:would|could|will|can) you",
    "here",
)
_AFTER = re.compile(
    rf"(?:(?:is|are)(?: the ones?(?: that)? (?:i|we) {_WANT})?)?(?:(?:^| ){_LAST})*"
)
_FRAME_WORDS = frozenset(re.findall(r"[a-z]+(?:'[a-z]+)?", " ".join(
    each.pattern for each in (_BEFORE, _AFTER))))  # fmt: skip


def _begins(tokens: list[Token]) -> bool:
    """Say whether a noun phrase may follow these words."""
    return bool(_BEFORE.fullmatch(" ".join(token.text for token in tokens)))


def _ends(tokens: list[Token]) -> bool:
    """Say whether these words may follow a noun phrase."""
    return bool(_AFTER.fullmatch(" ".join(token.text for token in tokens)))
