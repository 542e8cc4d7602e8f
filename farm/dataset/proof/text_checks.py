"""Does the text of a sentence say what its program does, no less and no more?

Not by reading the sentence: by its words. Those for each thing that a program can say are counted
in the text and in the program, what stands before the name of a thing must be what the program
starts from it, and words that mean neither are not to be there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from farm.dataset.proof.cues import (
    ANCHORED,
    CUES,
    FREE_WORDS,
    NEUTRAL,
    NUMBERS,
    SEVERAL,
    cues_of,
)
from farm.dataset.proof.measured import MeasuredView
from farm.dataset.proof.programs import TABLES, Ran
from farm.dataset.proof.vocabulary import (
    COLOURS,
    GENERAL,
    SPELT,
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


def strange_text(view: MeasuredView, expression: Expression, ran: Ran) -> Iterator[str]:
    """Say where a text and its program differ."""
    for part in UNSAYABLE:
        if part in expression.text:
            yield f"holds {part!r}"
    text = plain(expression.text)
    nouns = [folded(each.value or "") for each in expression.program if each.op == "noun"]
    said = {form for noun in nouns for form in noun_forms(view, noun)}
    phrases = plain(
        " | ".join(expression.text[each.start : each.end] for each in expression.phrases)
    )
    yield from strange_nouns(view, phrases or text, nouns, said)
    yield from strange_colours(text, expression, said)
    materials = materials_in(view)
    yield from strange_cues(without(text, said), expression, materials)
    yield from strange_words(without(phrases or text, said), materials)
    yield from strange_starts(expression, ran)
    yield from strange_number(expression)


def plain(text: str) -> str:
    """Return a text folded, in British spelling, with straight apostrophes and without marks."""
    text = folded(re.sub(r"[^\w\s'-]", " ", text.replace("’", "'")))  # noqa: RUF001
    return re.sub(r"(?<!\w)color", "colour", text)


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


def materials_in(view: MeasuredView) -> frozenset[str]:
    """Return the words for materials that people have confirmed in a view."""
    words = (label.words for label in view.record.objects)
    return frozenset(folded(each.material) for each in words if each and each.material)


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
        if said[term] != meant[term] and not any(has_word(noun, term) for noun in nouns):
            yield f"says {term} {times(said[term])}, its program {times(meant[term])}"


def times(count: int) -> str:
    """Return how often, in words."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def strange_cues(text: str, expression: Expression, materials: frozenset[str]) -> Iterator[str]:
    """Say what is said only in the text, without its nouns, or only in the program."""
    meant = Counter(cue for step in expression.program for cue in cues_of(step))
    said, _ = cues_in(text, materials)
    for cue in sorted(meant.keys() | said.keys()):
        if said[cue] != meant[cue]:
            yield f"says {cue} {times(said[cue])}, its program {times(meant[cue])}"


def strange_words(phrases: str, materials: frozenset[str]) -> Iterator[str]:
    """Say which words of phrases, without their nouns, no program means."""
    _, rest = cues_in(phrases, materials)
    words = re.findall(r"[\w']+", without(rest, (*COLOURS, *SPELT)))
    if strange := [word for word in words if word not in FREE_WORDS]:
        yield f"says {' '.join(strange)}, which no program means"


def cues_in(text: str, materials: frozenset[str]) -> tuple[Counter[str], str]:
    """Return how often a text says what programs do, and the rest of it."""
    for pattern in NEUTRAL:
        text = pattern.sub("", text)
    text, found = " ".join(text.split()), Counter[str]()
    named = {each: made_of(each) for each in sorted(materials, key=len, reverse=True)}
    for cue, pattern in (*CUES.items(), *named.items()):
        text, found[cue] = pattern.subn(" ", text)
    return +found, text


def made_of(material: str) -> re.Pattern[str]:
    """Return how a material may be written: `wooden`, or `made of wood`."""
    noun = material.removesuffix("en")
    return re.compile(rf"(?<!\w)(?:{re.escape(material)}|of {re.escape(noun)})(?!\w)")


def strange_starts(expression: Expression, ran: Ran) -> Iterator[str]:
    """Say which thing stands after other words than the program starts from it."""
    for step in expression.program:
        cue = next(iter(cues_of(step)), "")
        for at in step.inputs if cue in ANCHORED else ():
            means = ran.steps[at].sure
            if expression.program[at].op != "unique" or not means:
                continue
            if not any(leads(expression, cue, means)):
                yield f"does not say {cue} of what its program does"


def leads(expression: Expression, cue: str, means: frozenset[int]) -> Iterator[bool]:
    """Yield of each phrase that means some objects whether words for a step lead to it."""
    for phrase in expression.phrases:
        if phrase.role == "anchor" and frozenset(phrase.objects) == means:
            yield ANCHORED[cue].search(plain(expression.text[: phrase.start])) is not None


def strange_number(expression: Expression) -> Iterator[str]:
    """Say where a phrase of several is about one, or the reverse."""
    for phrase in expression.phrases:
        if phrase.role != "target" or not phrase.objects:
            continue
        first = plain(expression.text[phrase.start : phrase.end]).split()[:4]
        count = next((NUMBERS[word] for word in first if word in NUMBERS), None)
        if count is not None and count != len(phrase.objects) and "one" not in first:
            yield f"says that there are {count}, of {len(phrase.objects)}"
        if len(phrase.objects) == 1 and first and first[0] in SEVERAL:
            yield "says several, of one"
