"""Referring expressions: sentences with programs that say what is meant by them.

A program is a list of steps, as CLEVR's are (Johnson et al., 2017): each takes the results of
earlier steps, and the last one's result is what the sentence refers to. It runs on the objects that
are visible in one view.

| operation | inputs | value | result |
|---|---|---|---|
| `scene` | | | all objects that are visible |
| `noun` | set | a word | those that are called so: noun, synonym, hypernym, or `object` |
| `colour` | set | a term of `ColourTerm` | those of that colour |
| `not_colour` | set | a term | those of which it is known that they have another colour |
| `material` | set | metal, glass, shiny, see-through, or a confirmed word | of that material |
| `pose` | set | upright, lying | those that stand or lie so |
| `hidden` | set | partly | those that are partly hidden |
| `unique` | set of one | | that object; of surely none: nothing; any other set: a false program |
| `relate` | object | left, right, front, behind, on, in | objects that lie so, from it |
| `nearest` | set, object | | the one of the set, besides the object, that is nearest to it |
| `between` | object, object | | objects between the two |
| `same` | object | colour, material, noun | other objects that share that with the object |
| `ordinal` | set | `2 left`, `3 right`, `1 front`, `2 behind` | the one at that place of a row |
| `superlative` | set | largest, smallest, tallest, leftmost, rightmost, frontmost, rearmost | one |
| `both` | set, set | | what is in both |

The last result is a set, also where one thing is meant (`unique` is only for what other steps start
from): the targets, exactly; nothing, where the sentence has none. What starts from nothing results
in nothing. `scene` is the only step without inputs, and the first. `2 left` is the second from the
left, `1 front` the first from the front; of a row that is shorter, there is none. Of `same`,
`material` means what a thing is made of: neither `shiny` nor `see-through`.

`left` and `right` are the picture's; `front` is towards the camera over the table, `behind` away
from it. Distances are in sizes: of two objects the mean of their boxes' longest sides. CLEVR counts
a relation from 0.2 on, and places objects 0.4 apart, with things of a diameter of about 1: here a
relation is said from 0.4 sizes on, and only where whatever does not meet it is below 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from farm.spec.base import Spec
from farm.spec.label import Point2

Operation = Literal[
    "scene", "noun", "colour", "not_colour", "material", "pose", "hidden", "unique", "relate",
    "nearest", "between", "same", "ordinal", "superlative", "both",
]  # fmt: skip
ExpressionKind = Literal[
    "attribute", "relation", "between", "nearest", "ordinal", "superlative", "same", "negation",
    "plural", "none",
]  # fmt: skip
"""What makes a sentence true of its targets; `none`: it has no target."""
ColourTerm = Literal[
    "black", "white", "grey", "red", "green", "blue", "yellow", "orange", "brown", "pink", "purple"
]
"""The basic terms of Berlin and Kay (1969)."""

SAID_FROM = 0.4
"""Sizes from which on a relation is said."""
COUNTED_FROM = 0.2
"""Sizes from which on it counts when a sentence is checked."""
SIZE_RATIO = 1.3
"""Factor between the longest sides of what is called largest, or smallest, and any other."""
VISIBLE_FRACTION, VISIBLE_PX = 0.4, 200
"""Least share and pixels to be seen of what a sentence names."""
PARTLY_HIDDEN = (0.3, 0.8)
"""Shares to be seen of what is called partly hidden."""
UPRIGHT_DEG, LYING_DEG = 20.0, 70.0
"""Angles between an object's own up and the world's."""


class Step(Spec):
    """One operation of a program."""

    op: Operation
    inputs: tuple[int, ...] = ()
    """Places of the steps whose results it takes."""
    value: str | None = None


class Phrase(Spec):
    """A noun phrase of a sentence, with all words that tell what it means from other things."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    """Characters of the text, the end exclusive."""
    objects: tuple[int, ...]
    """Places in the record's `objects` of what it means."""
    role: Literal["target", "anchor"] = "target"


class Expression(Spec):
    """A sentence about a view that is true of exactly its targets."""

    text: str
    kind: ExpressionKind
    level: int = Field(ge=1, le=5)
    """How hard it is: half of what it says (steps besides `scene`, `unique`, `both` and the noun
    `object`) and of its rivals (three at most) together, rounded up."""
    program: tuple[Step, ...]
    targets: tuple[int, ...]
    """Places in the record's `objects`; empty where it has no target."""
    boxes_px: tuple[tuple[float, float, float, float], ...] = ()
    """Of each target, as its label has it."""
    points_px: tuple[Point2, ...] = ()
    """Of each target, the middle of a pixel that shows it, far from its edge."""
    phrases: tuple[Phrase, ...] = ()
    negative: bool = False
    """Made of a true sentence by changing one word, so that nothing is meant by it."""
    edited: str | None = None
    """Of a negative: what was changed, such as `colour red > blue`."""
    edited_from: str | None = None
    """Of a negative: the true sentence."""
    rivals: int = Field(default=0, ge=0)
    """Other objects in view that share the target's noun or colour."""
    source: Literal["grammar", "paraphrase"] = "grammar"


class ExpressionRules(Spec):
    """Which sentences a view gets."""

    per_view: int = Field(default=12, ge=0, le=1000)
    """Most sentences of a view."""
    kinds: tuple[ExpressionKind, ...] = (
        "attribute", "relation", "between", "nearest", "ordinal", "superlative", "same", "negation",
        "plural", "none",
    )  # fmt: skip
    """Kinds that are wanted, as evenly as the view allows."""
    levels: tuple[int, ...] = (1, 2, 3, 4, 5)
    """Levels that are wanted."""
    negatives: float = Field(default=0.15, ge=0.0, le=0.9)
    """Share of sentences without a target."""
