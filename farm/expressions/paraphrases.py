"""Other words for a sentence: kept only where they are read as meaning the same."""

from __future__ import annotations

from typing import Literal, NamedTuple

from farm.expressions.lexicon import Lexicon
from farm.expressions.meaning import Thing, canonical, renamed
from farm.expressions.parse import NotReadError, Reading, read
from farm.spec.expression import Expression, Phrase

Refusal = Literal["unread", "other meaning", "other number", "said before", "no sentence"]
"""Why a paraphrase is not kept."""


class Refused(NamedTuple):
    """A paraphrase that is not kept."""

    why: Refusal
    reason: str
    """What is wrong with it, such as `means something else`."""


def paraphrased(expression: Expression, text: str, lexicon: Lexicon) -> Expression | Refused:
    """Return a sentence in other words; why not, where these do not mean the same.

    Args:
        expression: A sentence of the grammar.
        text: The other words.
        lexicon: Of the sentence's view.
    """
    words = " ".join(text.split())
    if "||" in words or not words.isprintable():
        return Refused("no sentence", "has signs that no sentence has")
    try:
        own, other = read(expression.text, lexicon), read(words, lexicon)
    except NotReadError as error:
        return Refused("unread", str(error))
    if _meaning(own.thing, lexicon) != _meaning(other.thing, lexicon):
        return Refused("other meaning", "means something else")
    if refused := _other_number(expression, own, other):
        return refused
    return expression.model_copy(
        update={
            "text": words,
            "program": other.program,
            "phrases": _phrases(expression, own, other, lexicon),
            "source": "paraphrase",
        }
    )


def _meaning(thing: Thing, lexicon: Lexicon) -> Thing:
    """Return a description in the words that stand for all that mean the same in a view."""
    return canonical(renamed(thing, lexicon.canonical)._replace(plural=False))


def _other_number(expression: Expression, own: Reading, other: Reading) -> Refused | None:
    """Say where one thing is meant, and others are spoken of, or another number of them."""
    shows = own.number_shows and other.number_shows
    if shows and own.thing.plural is not other.thing.plural:
        return Refused(
            "other number", "speaks of several" if other.thing.plural else "speaks of one"
        )
    count = own.number if expression.negative else len(expression.targets)
    if other.number is not None and other.number != count:
        return Refused("other number", f"speaks of {other.number}")
    return None


def _phrases(
    expression: Expression, own: Reading, other: Reading, lexicon: Lexicon
) -> tuple[Phrase, ...]:
    """Return the noun phrases of a paraphrase, which mean what those of the sentence mean."""
    at = {(each.start, each.end): each for each in expression.phrases}
    meant = {
        _meaning(each.thing, lexicon): at[each.start, each.end]
        for each in reversed(own.phrases)
        if (each.start, each.end) in at
    }
    return tuple(
        meant[_meaning(each.thing, lexicon)].model_copy(
            update={"start": each.start, "end": each.end}
        )
        for each in other.phrases
        if _meaning(each.thing, lexicon) in meant
    )
