"""Pairs of a colour and a noun that only a test shows or names, as in CLEVR-CoGenT."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from farm.dataset.reader import DatasetView
from farm.dataset.spoken import Pair, nouns_of, pairs_said
from farm.errors import SpecError
from farm.spec.base import Spec
from farm.spec.expression import ColourTerm
from farm.spec.hint import hint, none_of
from farm.spec.label import ObjectLabel
from farm.spec.record import ViewRecord

HELD_SPLIT = "test"
"""Where views go that show or name such a pair."""
EXAMPLE = '"red mug"'
MOST_NAMED = 8
"""Pairs that an error names."""


class HeldPair(Spec):
    """A pair that was held out, and how often it is there."""

    pair: str
    """Such as `red mug`."""
    views: int
    """Views that show one or have a sentence that names one."""
    groups: int
    """Groups that have such a view: all of their views are held out."""


def parse_pairs(texts: Iterable[str]) -> tuple[Pair, ...]:
    """Return the colours and nouns of what a person wrote, sorted, each once.

    Raises:
        SpecError: One is not a basic colour and a noun.
    """
    return tuple(sorted({parse_pair(text) for text in texts}))


def parse_pair(text: str) -> Pair:
    """Return the colour and the noun of such as `red mug`.

    Raises:
        SpecError: It is not a basic colour and a noun.
    """
    colour, _, noun = " ".join(text.casefold().split()).partition(" ")
    if not noun:
        raise SpecError(f"--hold-out {text}: give a colour and a noun, such as {EXAMPLE}")
    if colour not in get_args(ColourTerm):
        raise SpecError(f"--hold-out {text}: {none_of(colour, get_args(ColourTerm))}")
    return colour, noun


class Survey:
    """What the objects of a dataset are called, and which colours their assets have."""

    def __init__(self, views: Iterable[DatasetView]) -> None:
        """Look at all views."""
        self.shown: Counter[Pair] = Counter()
        self._colours: defaultdict[str, set[str]] = defaultdict(set)
        self._synonyms: defaultdict[str, set[str]] = defaultdict(set)
        for view in views:
            self._look(view.record)

    def _look(self, record: ViewRecord) -> None:
        for label in record.objects:
            if label.words is not None:
                nouns = {noun.casefold() for noun in (label.words.noun, *label.words.synonyms)}
                for noun in nouns:
                    self._synonyms[noun] |= nouns
            if colour := colour_of(label):
                self._colours[record.asset_of(label).content].add(colour)
                if label.words is not None and label.box_px is not None:
                    self.shown[colour, label.words.noun.casefold()] += 1

    def pairs_of(self, record: ViewRecord, label: ObjectLabel) -> frozenset[Pair]:
        """Return what an object is. Where its colour is not told in this view, those that are told
        of its asset in others may be its own.
        """
        if label.box_px is None:
            return frozenset()
        told = colour_of(label)
        colours = {told} if told else self._colours.get(record.asset_of(label).content, ())
        nouns = {noun.casefold() for noun in nouns_of(label)}
        return frozenset((colour, noun) for colour in colours for noun in nouns)

    def pairs_in(self, record: ViewRecord) -> frozenset[Pair]:
        """Return all that a view shows, and all that its sentences name, in all words for it."""
        shown = (self.pairs_of(record, label) for label in record.objects)
        named = (pairs_said(expression) for expression in record.expressions)
        return frozenset().union(*shown, *map(self._in_all_words, named))

    def _in_all_words(self, pairs: Iterable[Pair]) -> frozenset[Pair]:
        return frozenset(
            (colour, other)
            for colour, noun in pairs
            for other in {noun.casefold(), *self._synonyms.get(noun.casefold(), ())}
        )


def colour_of(label: ObjectLabel) -> str | None:
    """Return the colour that was measured of an object, if one was."""
    return label.attributes.colour if label.attributes else None


class HeldOut:
    """Which groups of views show or name what is held out; it is told of views one by one."""

    def __init__(self, pairs: Sequence[Pair], survey: Survey) -> None:
        self._pairs, self._survey = pairs, survey
        self._views: Counter[Pair] = Counter()
        self._groups: dict[Pair, set[str]] = {pair: set() for pair in pairs}

    def look(self, record: ViewRecord, group: str) -> None:
        """Take a view of a group."""
        there = self._survey.pairs_in(record)
        for pair in there.intersection(self._pairs):
            self._views[pair] += 1
            self._groups[pair].add(group)

    @property
    def groups(self) -> dict[str, Pair]:
        """Each group that has one, and the first of them."""
        return {group: pair for pair in reversed(self._pairs) for group in self._groups[pair]}

    def found(self) -> Iterator[HeldPair]:
        """Yield how often each pair is there.

        Raises:
            SpecError: Nothing shows or names one.
        """
        for pair in self._pairs:
            if not self._groups[pair]:
                raise SpecError(self._missing(pair))
            views, groups = self._views[pair], len(self._groups[pair])
            yield HeldPair(pair=" ".join(pair), views=views, groups=groups)

    def _missing(self, pair: Pair) -> str:
        text = " ".join(pair)
        known = [" ".join(each) for each, _views in self._survey.shown.most_common()]
        if not known:
            return (
                f"--hold-out {text}: no object of this dataset has a noun and a measured colour; "
                "views of the recipe tabletop have them"
            )
        more = f" and {len(known) - MOST_NAMED:,} more" if len(known) > MOST_NAMED else ""
        there = ", ".join(known[:MOST_NAMED]) + more
        return (
            f"--hold-out {text}: no view shows one and no sentence names one; there are {there}"
            f"{hint(text, known)}"
        )
