"""What a run says when it is over."""

from __future__ import annotations

from farm.local.finish import told_together


def test_environments_with_the_same_notes_are_told_together():
    aces, holes = ("colours converted from lin_ap0_scene",), ("3 of 9 pixels were replaced", "b")

    assert told_together({"a.exr": aces, "b.exr": holes, "c.exr": aces}) == [
        "a.exr and 1 more: colours converted from lin_ap0_scene",
        "b.exr: 3 of 9 pixels were replaced; b",
    ]
