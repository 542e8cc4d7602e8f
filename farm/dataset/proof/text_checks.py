"""Does the text of a sentence say what its program does, no less and no more?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from farm.dataset.proof.measured import MeasuredView
from farm.dataset.proof.programs import TABLES
from farm.dataset.proof.vocabulary import (
    GENERAL,
    colours_in,
    folded,
    forms,
    has_word,
    names_of,
    without,
)
from farm.spec.expression import Expression

UNSAYABLE = ("||", "  ", "\n", "\t")
"""What no reader of sentences expects in one."""


def strange_text(view: MeasuredView, expression: Expression) -> Iterator[str]:
    """Say where a text and its program differ."""
    for part in UNSAYABLE:
        if part in expression.text:
            yield f"holds {part!r}"
    text = folded(expression.text)
    nouns = [folded(each.value or "") for each in expression.program if each.op == "noun"]
    said = {form for noun in nouns for form in noun_forms(view, noun)}
    yield from strange_nouns(view, text, nouns, said)
    yield from strange_colours(text, expression, said)


def noun_forms(view: MeasuredView, noun: str) -> frozenset[str]:
    """Return how a noun of a program may be written: one, and several."""
    found = forms(noun) if noun not in forms("object") else all_general()
    for label in view.record.objects:
        words = label.words
        if words is not None and words.confirmed and folded(words.noun) == noun and words.plural:
            found |= {folded(words.plural)}
    return found


def all_general() -> frozenset[str]:
    """Return all that everything may be called: one, and several."""
    return frozenset().union(*map(forms, GENERAL))


def strange_nouns(view: MeasuredView, text: str, nouns: list[str], said: set[str]) -> Iterator[str]:
    """Say which nouns are only in the text, or only in the program."""
    general = forms("object")
    for noun in nouns:
        if noun not in general and not any(has_word(text, form) for form in noun_forms(view, noun)):
            yield f"does not say {noun}, of which its program speaks"
    rest = without(text, said)
    names = {name for label in view.record.objects if label.words for name in names_of(label.words)}
    for name in sorted(names - all_general() - said - TABLES):
        if has_word(rest, name):
            yield f"says {name}, of which its program does not speak"


def strange_colours(text: str, expression: Expression, nouns: set[str]) -> Iterator[str]:
    """Say which colours are only in the text, or only in the program."""
    steps = [step for step in expression.program if step.op in ("colour", "not_colour")]
    meant = Counter(step.value or "" for step in steps)
    said = Counter(colours_in(text, nouns))
    for term in sorted(meant.keys() | said.keys()):
        if said[term] != meant[term]:
            yield f"says {term} {times(said[term])}, its program {times(meant[term])}"


def times(count: int) -> str:
    """Return how often, in words."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
