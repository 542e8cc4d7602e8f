"""The words by which sentences are written are known to who checks them, and the reverse."""

from __future__ import annotations

from collections import Counter

import pytest

from farm.dataset.proof.cues import FREE_WORDS
from farm.dataset.proof.text_checks import cues_in, plain
from farm.dataset.proof.vocabulary import COLOURS, without
from farm.expressions import wording
from farm.expressions.frames import FRAMES


def said(text: str) -> tuple[Counter[str], list[str]]:
    """Return what a text says, as the checker counts it, and the words that say nothing to it."""
    found, rest = cues_in(without(plain(text), ("box", "boxes", *COLOURS)), frozenset())
    return found, [word for word in rest.split() if word not in FREE_WORDS]


def agreeing(text: str) -> str:
    words = {"that": "that", "which": "which", "is": "is", "isnt": "isn't", "has": "has"}
    return text.format(**words, its="its", colour="red")


WORDED = [
    *((f"the box {text} the box", value)
      for table in (wording.RELATIONS, wording.ALSO_RELATIONS)
      for value, texts in table.items() for text in texts),
    *((f"the {text} box", side)
      for table in (wording.MOST, wording.ALSO_MOST)
      for value, texts in table.items() for text in texts
      for side in [{"leftmost": "left", "rightmost": "right", "frontmost": "front",
                    "rearmost": "behind"}.get(value, value)]),
    *((f"the box {text}", side)
      for table in (wording.FARTHEST, wording.FARTHER, wording.ALSO_FARTHEST)
      for value, texts in table.items() for text in texts
      for side in [{"leftmost": "left", "rightmost": "right", "frontmost": "front",
                    "rearmost": "behind"}[value]]),
    *((f"the box {agreeing(text)} the box", f"same {what}")
      for table in (wording.SHARED, wording.ALSO_SHARED)
      for what, texts in table.items() for text in texts),
    *((f"the box {agreeing(text)}", "not")
      for text in (*wording.NOT_COLOUR, *wording.ALSO_NOT_COLOUR)),
    *((f"the {before} box {agreeing(after)}", pose)
      for pose, ways in wording.POSES.items() for before, after in ways),
    *((f"the box {agreeing(text)}", pose)
      for pose, texts in wording.ALSO_POSES.items() for text in texts),
    *((f"the {before} box {agreeing(after)}", "partly hidden") for before, after in wording.HIDDEN),
    *((f"the {text} box", "partly hidden") for text in wording.ALSO_HIDDEN),
    *((f"the {text} box", material)
      for material, texts in wording.ALSO_MATERIALS.items() for text in texts),
]  # fmt: skip


@pytest.mark.parametrize(("text", "cue"), WORDED)
def test_each_way_of_saying_something_is_counted_once(text: str, cue: str) -> None:
    found, strange = said(text)

    assert found == {cue: 1}
    assert not strange


def test_frames_say_nothing_of_what_is_meant() -> None:
    frames = {frame for group in FRAMES for sort in group for frame in sort}
    for frame in frames:
        for many in (False, True):
            before, after = frame.worded(many=many)
            assert said(f"{before}the box{after}") == (Counter(), [])


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("the non-red box", {"not": 1}),
        ("the box whose color is not red", {"not": 1}),
        ("the box made out of metal", {"metal": 1}),
        ("the box made of wood", {"wooden": 1}),
        ("the wooden box lying to the left of the box", {"wooden": 1, "left": 1}),
        ("the box lying on its side on top of the box", {"lying": 1, "on": 1}),
        ("the second box from the right", {"second": 1, "right": 1}),
        ("the box closest to the front", {"front": 1}),
        ("the box closest to the frontmost box", {"nearest": 1, "front": 1}),
        ("the box in front of the box on the left", {"front": 1, "left": 1}),
        ("the box on the rightmost box", {"on": 1, "right": 1}),
        ("the box on the far right", {"right": 1}),
        ("the striped box", {}),
    ],
)
def test_words_are_told_by_what_stands_around_them(text: str, cues: dict[str, int]) -> None:
    found, rest = cues_in(without(plain(text), ("box",)), frozenset({"wooden"}))

    assert found == cues
    assert ("striped" in rest) is ("striped" in text)


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("the box on the rightmost box", {"on": 1, "right": 1}),
        ("the box on the right", {"right": 1}),
        ("the box in the frontmost box", {"in": 1, "front": 1}),
        ("the box in the front", {"front": 1}),
    ],
)
def test_what_lies_on_the_rightmost_thing_is_not_on_the_right(
    text: str, cues: dict[str, int]
) -> None:
    assert said(text) == (Counter(cues), [])
