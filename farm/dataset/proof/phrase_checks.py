"""Do the phrases of a sentence name what they mean?"""

from __future__ import annotations

from collections.abc import Iterator

from farm.dataset.proof.attributes import has_colour
from farm.dataset.proof.measured import MeasuredView
from farm.dataset.proof.programs import TABLES, Ran, named
from farm.dataset.proof.vocabulary import (
    DENIALS,
    GENERAL,
    STAND_INS,
    colours_in,
    folded,
    forms,
    has_word,
    names_of,
)
from farm.spec.expression import Expression, Phrase


def strange_phrases(view: MeasuredView, expression: Expression, ran: Ran) -> Iterator[str]:
    """Say which phrases are not in the text, or do not name what they mean."""
    for phrase in expression.phrases:
        if what := strange_span(phrase, expression.text):
            yield f"has a phrase from {phrase.start} to {phrase.end}, {what}"
            continue
        said = expression.text[phrase.start : phrase.end]
        yield from (f'"{said}" {what}' for what in strange_objects(view, expression, phrase, ran))
        own = own_text(phrase, expression)
        yield from (f'"{said}" {what}' for what in strange_names(view, phrase, own))
    if expression.targets and not any(each.role == "target" for each in expression.phrases):
        yield "has no phrase that means its targets"


def strange_span(phrase: Phrase, text: str) -> str | None:
    """Say what is wrong with where a phrase is."""
    if not phrase.start < phrase.end <= len(text):
        return f"but its text has {len(text)} characters"
    said = text[phrase.start : phrase.end]
    if said != said.strip():
        return "which begins or ends with a space"
    around = text[phrase.start - 1 : phrase.start], text[phrase.end : phrase.end + 1]
    if (around[0].isalnum() and said[0].isalnum()) or (around[1].isalnum() and said[-1].isalnum()):
        return f'which cuts a word: "{said}"'
    return None


def strange_objects(
    view: MeasuredView, expression: Expression, phrase: Phrase, ran: Ran
) -> Iterator[str]:
    """Say which phrase means something else than the program."""
    means = frozenset(phrase.objects)
    if phrase.role == "target":
        if means != frozenset(expression.targets):
            yield f"means {named(means, view)}, not the targets {named(expression.targets, view)}"
        return
    found = [
        each.sure
        for step, each in zip(expression.program, ran.steps, strict=True)
        if step.op != "scene"
    ]
    if means not in found:
        yield f"means {named(means, view)}, which no step of its program finds"


def own_text(phrase: Phrase, expression: Expression) -> str:
    """Return the text of a phrase without that of other things within it."""
    text = expression.text
    kept = [True] * len(text)
    for other in expression.phrases:
        inner = phrase.start <= other.start and other.end <= phrase.end
        of_them = {*phrase.objects} <= {*other.objects}  # `the largest of the mugs`
        if inner and not of_them and (other.start, other.end) != (phrase.start, phrase.end):
            kept[other.start : other.end] = [False] * (other.end - other.start)
    span = range(phrase.start, phrase.end)
    return folded("".join(text[at] if kept[at] else " " for at in span))


def strange_names(view: MeasuredView, phrase: Phrase, own: str) -> Iterator[str]:
    """Say which objects are not called as a phrase calls them."""
    anything = any(has_word(own, form) for noun in GENERAL for form in forms(noun))
    anything = anything or any(has_word(own, word) for word in STAND_INS)
    for place in phrase.objects:
        label = view.record.objects[place]
        names = TABLES if label.category == "surface" else frozenset[str]()
        if label.words is not None:
            names = names | names_of(label.words)
        if not anything and not any(has_word(own, name) for name in names):
            yield f"does not say what {named([place], view)} is called"
    if any(has_word(own, word) for word in DENIALS):
        return
    nouns = [name for place in phrase.objects for name in names_at(view, place)]
    for term in colours_in(own, nouns):
        for place in phrase.objects:
            thing = view.objects.get(place)
            if thing is not None and has_colour(thing, term) is False:
                yield f"calls {named([place], view)} {term}, which it is not"


def names_at(view: MeasuredView, place: int) -> frozenset[str]:
    """Return what an object is called."""
    words = view.record.objects[place].words
    return names_of(words) if words else frozenset()
