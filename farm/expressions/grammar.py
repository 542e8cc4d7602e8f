"""Descriptions as English noun phrases, and sentences around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from farm.expressions.chance import Style
from farm.expressions.frames import Frame, frame_for
from farm.expressions.meaning import (
    GENERAL,
    Between,
    Nearest,
    Ordinal,
    Place,
    Relation,
    Same,
    Superlative,
    Thing,
)
from farm.expressions.nouns import NAMES_OF_ANYTHING, Forms, article
from farm.expressions.wording import (
    COUNTS,
    FARTHER,
    FARTHEST,
    HIDDEN,
    MORE,
    MOST,
    NOT_COLOUR,
    ORDINALS,
    POSES,
    RELATIONS,
    ROW_SIDES,
    SHARED,
)
from farm.expressions.world import Known

Meant = Callable[[Thing], Known]
"""Says what a description means in a view."""


class Said(NamedTuple):
    """A noun phrase in a sentence."""

    start: int
    end: int
    thing: Thing
    is_target: bool


class Sentence(NamedTuple):
    """A sentence, and the noun phrases in it."""

    text: str
    phrases: tuple[Said, ...]


def sentence(thing: Thing, forms: Forms, meant: Meant, style: Style) -> Sentence:
    """Write a sentence about what a description means."""
    frame = frame_for(style, is_long=any(True for _ in thing.anchors))
    writer = _Writer(forms, meant, style)
    many = thing.plural or forms.is_pair(thing.noun)
    before, after = frame.worded(many=many)
    writer.add(before)
    writer.target(thing, frame)
    text = writer.text + after
    return Sentence(text[:1].upper() + text[1:], tuple(writer.phrases))


class _Writer:
    """Writes a noun phrase, and remembers where those in it begin and end."""

    def __init__(self, forms: Forms, meant: Meant, style: Style) -> None:
        self.text = ""
        self.phrases: list[Said] = []
        self._forms = forms
        self._meant = meant
        self._style = style

    def add(self, text: str) -> None:
        self.text += text

    def word(self, text: str) -> None:
        """Add words, with a space before them where one is needed."""
        if text:
            self.text += text if self.text.endswith(" ") or not self.text else f" {text}"

    def noted(self, start: int, thing: Thing, *, is_target: bool) -> None:
        """Remember the noun phrase that ends here."""
        while self.text[start : start + 1] == " ":
            start += 1
        self.phrases.append(Said(start, len(self.text), thing, is_target))

    def target(self, thing: Thing, frame: Frame) -> None:
        """Write what the sentence is about."""
        start = len(self.text)
        if thing.plural:
            self.several(thing, frame)
        else:
            self.one(thing, frame, is_anchor=False)
        inner = len(self.phrases)
        self.noted(start, thing, is_target=True)
        self.phrases.insert(0, self.phrases.pop(inner))

    def anchor(self, thing: Thing) -> None:
        """Write what something else is described by."""
        start, before = len(self.text), len(self.phrases)
        self.one(thing, None, is_anchor=True)
        self.noted(start, thing, is_target=False)
        self.phrases.insert(before, self.phrases.pop())

    def one(self, thing: Thing, frame: Frame | None, *, is_anchor: bool) -> None:
        """Write about one thing."""
        if self._can_be_one_of(thing) and not is_anchor and self._style.one_of((False, True)):
            self.one_of(thing)
            return
        any_fits = frame is not None and frame.indefinite and self._can_be_any(thing)
        noun = self._noun(thing, is_anchor=is_anchor, any_fits=any_fits)
        first, last = self._around(thing, is_anchor=is_anchor)
        indefinite = any_fits and noun != "one" and self._style.one_of((True, False, False))
        if indefinite:
            self.word(self._article(f"{first} {noun}".strip(), thing))
        else:
            self.word("the")
        if _needs_other(thing, self._meant):
            self.word("other")
        self.word(first)
        self.word(noun)
        self.after(thing, last, is_anchor=is_anchor)

    def _can_be_any(self, thing: Thing) -> bool:
        """Say whether `a` can stand for `the`: there is only one, and it is not told by others."""
        shared = any(isinstance(part, Same) for part in thing.places)
        pairs = self._forms.is_pair(thing.noun) or not self._forms.number_shows(thing.noun)
        return not (thing.pick or shared or pairs)

    def _article(self, words: str, thing: Thing) -> str:
        return self._forms.article(words) if words == thing.noun else article(words)

    def _noun(self, thing: Thing, *, is_anchor: bool, any_fits: bool = False) -> str:
        """Return what one thing is called."""
        if thing.noun != GENERAL:
            return thing.noun
        options = ["object", "thing"]
        if not is_anchor and not any_fits and _can_be_called_one(thing):
            options.append("one")
        return self._style.one_of(options)

    def _nouns(self, thing: Thing) -> str:
        """Return what several things are called."""
        if thing.noun != GENERAL:
            return self._forms.plural(thing.noun)
        return NAMES_OF_ANYTHING[self._noun(thing, is_anchor=False)]

    def _around(self, thing: Thing, *, is_anchor: bool) -> tuple[str, str]:
        """Return the adjectives before a noun, and what follows it at once."""
        most, last = self._most(thing, is_anchor=is_anchor)
        ordinal = ORDINALS[thing.pick.place - 1] if isinstance(thing.pick, Ordinal) else ""
        fixed = is_anchor or bool(last or ordinal or thing.places or thing.pick or thing.not_colour)
        pose = self._either(POSES[thing.pose], fixed=fixed) if thing.pose else ("", "")
        hidden = self._either(HIDDEN, fixed=fixed) if thing.hidden else ("", "")
        looks = (most, ordinal, hidden[0], pose[0], _shine(thing), thing.colour, _made_of(thing))
        before = " ".join(each for each in looks if each)
        return before, " ".join(each for each in (pose[1], hidden[1], last) if each)

    def _either(self, ways: tuple[tuple[str, str], ...], *, fixed: bool) -> tuple[str, str]:
        """Return a way of saying something, an adjective where more follows the noun."""
        fitting = [way for way in ways if way[0]] if fixed else []
        return self._style.one_of(fitting or ways)

    def _most(self, thing: Thing, *, is_anchor: bool) -> tuple[str, str]:
        """Return what is said before and after a noun of what is most so."""
        if not isinstance(thing.pick, Superlative):
            return "", ""
        value = thing.pick.value
        two = self._count(thing.pool) == 2
        if value in FARTHEST and not (is_anchor or thing.places or thing.pose or thing.hidden):
            after = self._style.one_of((FARTHER if two else FARTHEST)[value])
            return self._style.one_of((("", after), (MOST[value][0], "")))
        words = MORE.get(value, MOST[value]) if two else MOST[value]
        return self._style.one_of(words), ""

    def _count(self, thing: Thing) -> int | None:
        """Return how many things are meant, where that is known."""
        known = self._meant(thing)
        return known.sure.bit_count() if known.exact else None

    def after(self, thing: Thing, last: str, *, is_anchor: bool = False) -> None:
        """Write what follows a noun."""
        many = self._are(thing)
        self.word(_agreeing(last, many=many, sides=thing.plural))
        if thing.not_colour:
            way = self._style.one_of(NOT_COLOUR)
            self.word(_agreeing(way, many=many, colour=thing.not_colour))
        self.places(thing, is_anchor=is_anchor)
        match thing.pick:
            case Ordinal(_, side):
                self.word(self._style.one_of(("from the", "from the", "counting from the")))
                self.word(ROW_SIDES[side])
            case Nearest(anchor):
                self.nearest(thing, anchor)

    def _are(self, thing: Thing) -> bool:
        """Say whether a verb of it is plural."""
        return thing.plural or self._forms.is_pair(thing.noun)

    def nearest(self, thing: Thing, anchor: Thing) -> None:
        """Write that it is the nearest to another thing, or the nearer of two."""
        pool, beside = self._meant(thing.pool), self._meant(anchor)
        two = pool.exact and beside.exact and (pool.sure & ~beside.sure).bit_count() == 2
        link = "that are" if self._are(thing) else "that is"
        plain = not anchor.places
        self.word(self._style.one_of(("", "", link) if plain else ("",)))
        self.word(
            self._style.one_of(("nearer to", "closer to") if two else ("nearest to", "closest to"))
        )
        self.anchor(anchor)

    def places(self, thing: Thing, *, is_anchor: bool) -> None:
        """Write how a thing lies, of what another one is told by always with `that is`."""
        can_link = any(not isinstance(part, Same) for part in thing.places)
        plain = not any(anchor.places for anchor in thing.anchors)
        may_link = can_link and plain and self._style.one_of((False, False, True))
        if may_link or (can_link and is_anchor):
            self.word("that are" if self._are(thing) else "that is")
        for number, part in enumerate(thing.places):
            if number:
                self.word("and")
            self.place(part, many=self._are(thing))

    def place(self, part: Place, *, many: bool) -> None:
        """Write one way in which it lies, or what it shares."""
        match part:
            case Relation(direction, anchor):
                self.word(self._style.one_of(RELATIONS[direction]))
                self.anchor(anchor)
            case Between(first, second):
                self.word("between")
                self.anchor(first)
                self.word("and")
                self.anchor(second)
            case Same(what, anchor):
                self.word(_agreeing(self._style.one_of(SHARED[what]), many=many))
                self.anchor(anchor)

    def _can_be_one_of(self, thing: Thing) -> bool:
        """Say whether `the largest of the mugs` says it."""
        plain = not (thing.places or thing.pose or thing.hidden)
        return isinstance(thing.pick, Superlative) and plain and (self._count(thing.pool) or 0) > 1

    def one_of(self, thing: Thing) -> None:
        """Write of the one that is most so, of several that are named first."""
        assert isinstance(thing.pick, Superlative)
        count = self._count(thing.pool)
        value = thing.pick.value
        words = MORE.get(value, MOST[value]) if count == 2 else MOST[value]
        self.word(f"the {self._style.one_of(words)} of")
        self.several(thing.pool, None)

    def several(self, thing: Thing, frame: Frame | None) -> None:
        """Write about several things."""
        loose = frame is not None and not (frame.agrees or frame.plain)
        if loose and _can_be_everything(thing) and self._style.one_of((False, True)):
            self.word("everything")
            self.after(_as_one(thing), "")
            return
        first, last = self._around(thing, is_anchor=False)
        start = self._style.one_of(self._quantities(thing, frame))
        self.word(start)
        if _needs_other(thing, self._meant):
            self.word("other")
        self.word(first)
        single = start == "every"
        self.word(self._noun(thing, is_anchor=True) if single else self._nouns(thing))
        self.after(_as_one(thing) if single else thing, last)

    def _quantities(self, thing: Thing, frame: Frame | None) -> list[str]:
        """Return what may say how many are meant."""
        count = self._count(thing) or 0
        number = COUNTS[count] if 1 < count < len(COUNTS) else ""
        told = ["the", f"the {number}"] if number else ["the"]
        if frame is None or frame.plain or _needs_other(thing, self._meant):
            return told
        if count == 2:
            return [*told, "both", "both of the"]
        told += ["all the", "all of the"]
        if number:
            told.append(f"all {number}")
        return told if frame.agrees or thing.noun == GENERAL else [*told, "every"]


def _can_be_everything(thing: Thing) -> bool:
    """Say whether `everything behind the mug` says it."""
    looks = thing.colour or thing.material or thing.pose or thing.hidden
    told = thing.places or thing.not_colour
    return thing.noun == GENERAL and bool(told) and not looks and not _shares(thing)


def _as_one(thing: Thing) -> Thing:
    """Return a description of several as `everything` and `every` have it: with `is`."""
    return thing._replace(plural=False)


_IS = {"is": "is", "isnt": "isn't", "has": "has", "its": "its"}
_ARE = {"is": "are", "isnt": "aren't", "has": "have", "its": "their"}


def _agreeing(text: str, *, many: bool, sides: bool = False, colour: str = "") -> str:
    """Return words that agree with one thing, or several; of several, each has a side."""
    if "{" not in text:
        return text
    said = text.format(that="that", which="which", colour=colour, **(_ARE if many else _IS))
    return said.replace("their side", "their sides") if sides else said


def _shine(thing: Thing) -> str:
    return thing.material if thing.material in ("shiny", "see-through") else ""


def _made_of(thing: Thing) -> str:
    return "" if _shine(thing) else thing.material or ""


def _can_be_called_one(thing: Thing) -> bool:
    """Say whether `the red one` can be said: no other thing in the sentence could be meant."""
    looks = thing.colour or thing.material or thing.pose or thing.hidden or thing.not_colour
    return not any(True for _ in thing.anchors) and bool(looks or thing.pick)


def _shares(thing: Thing) -> bool:
    return any(isinstance(part, Same) for part in thing.places)


def _needs_other(thing: Thing, meant: Meant) -> bool:
    """Say whether what it shares something with surely is so, too: it is the other one then."""
    for part in thing.places:
        if isinstance(part, Same):
            rest = thing._replace(places=(), plural=True)
            return bool(meant(part.anchor).sure & meant(rest).sure)
    return False
