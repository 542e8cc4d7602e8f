"""What sentences say: the nouns and colours that they name, together or not, and their anchors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from farm.spec.expression import Expression, Operation, Step
from farm.spec.label import ObjectLabel

COLOURS: frozenset[Operation] = frozenset({"colour", "not_colour"})
FILTERS: frozenset[Operation] = COLOURS | {
    "noun", "material", "pose", "hidden", "unique", "nearest", "ordinal", "superlative", "both",
}  # fmt: skip
"""Operations whose result is part of their first input, of `both` of each."""
WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
Pair = tuple[str, str]
"""A colour and a noun."""


def nouns_said(expression: Expression) -> tuple[str, ...]:
    """Return the nouns that a sentence names, each once."""
    return values_of(expression.program, {"noun"})


def colours_said(expression: Expression) -> tuple[str, ...]:
    """Return the colours that a sentence names, each once."""
    return values_of(expression.program, COLOURS)


def values_of(program: Sequence[Step], operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return the values of steps of some operations, each once, in order."""
    wanted = frozenset(operations)
    return tuple(dict.fromkeys(step.value for step in program if step.op in wanted and step.value))


def pairs_said(expression: Expression) -> frozenset[Pair]:
    """Return the colours and nouns that a sentence says of one thing, such as `red mug`."""
    said = [kept for kept in described(expression.program) if kept]
    return frozenset(
        (colour.value, noun.value)
        for kept in said
        for colour in kept
        for noun in kept
        if (colour.op, noun.op) == ("colour", "noun") and colour.value and noun.value
    )


def described(program: Sequence[Step]) -> list[frozenset[Step]]:
    """Return, for each step, the steps that have narrowed down what it results in."""
    found: list[frozenset[Step]] = []
    for place, step in enumerate(program):
        taken = step.inputs if step.op == "both" else step.inputs[:1]
        before = [found[at] for at in taken if 0 <= at < place and step.op in FILTERS]
        found.append(frozenset({step}).union(*before))
    return found


def anchors_of(expression: Expression) -> tuple[int, ...]:
    """Return the places in the record's `objects` of what a sentence goes by, each once."""
    meant = (
        at for phrase in expression.phrases if phrase.role == "anchor" for at in phrase.objects
    )
    return tuple(dict.fromkeys(at for at in meant if at not in expression.targets))


def nouns_of(label: ObjectLabel) -> tuple[str, ...]:
    """Return all that an object may be called: its noun, synonyms and hypernym."""
    if label.words is None:
        return ()
    words = label.words
    return tuple(filter(None, (words.noun, *words.synonyms, words.hypernym)))


def words_in(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters."""
    return (found[0].casefold() for found in WORD.finditer(text))
