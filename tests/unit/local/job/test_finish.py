"""What a run says when it is over."""

from __future__ import annotations

from farm.dataset.records.collect import IllLitViews
from farm.local.job.finish import told_of_ill_lit, told_together


def test_environments_with_the_same_notes_are_told_together():
    aces, holes = ("colours converted from lin_ap0_scene",), ("3 of 9 pixels were replaced", "b")

    assert told_together({"a.exr": aces, "b.exr": holes, "c.exr": aces}) == [
        "a.exr and 1 more: colours converted from lin_ap0_scene",
        "b.exr: 3 of 9 pixels were replaced; b",
    ]


def test_black_and_white_views_are_named_with_what_to_do():
    found = {
        "vase_night": {"black": IllLitViews(views=7, names=tuple(f"view_{n}" for n in range(7)))},
        "vase_noon": {"clipped": IllLitViews(views=1, names=("view_3",))},
        "vase_dusk": {},
    }

    black, clipped = told_of_ill_lit(found, exposed=False)

    assert black.startswith("98 % or more of the model is black in 7 views (vase_night/view_0, ")
    assert black.endswith("and 2 more): unless it is to be, take --exposure auto (render.exposure)")
    assert "clipped to white in 1 view (vase_noon/view_3)" in clipped
    assert list(told_of_ill_lit({"vase": {}}, exposed=False)) == []
    [told] = told_of_ill_lit({"a": found["vase_noon"]}, exposed=True)
    assert told.endswith("take another exposure")
