"""Words and phrases of the grammar, shared by what writes sentences and what reads them."""

from __future__ import annotations

RELATIONS: dict[str, tuple[str, ...]] = {
    "left": ("to the left of",),
    "right": ("to the right of",),
    "front": ("in front of",),
    "behind": ("behind",),
    "on": ("on", "on top of", "on top of"),
    "in": ("in", "inside"),
}
"""How it is said that a thing lies so from another."""
MOST: dict[str, tuple[str, ...]] = {
    "largest": ("largest", "biggest"),
    "smallest": ("smallest",),
    "tallest": ("tallest",),
    "leftmost": ("leftmost",),
    "rightmost": ("rightmost",),
    "frontmost": ("frontmost",),
    "rearmost": ("rearmost",),
}
"""Adjectives for the one of several that is most so."""
MORE: dict[str, tuple[str, ...]] = {
    "largest": ("larger", "bigger"),
    "smallest": ("smaller",),
    "tallest": ("taller",),
}
"""Adjectives for the one of two that is more so."""
FARTHEST: dict[str, tuple[str, ...]] = {
    "leftmost": ("farthest to the left", "on the far left"),
    "rightmost": ("farthest to the right", "on the far right"),
    "frontmost": ("at the very front", "closest to the front"),
    "rearmost": ("at the very back", "farthest to the back"),
}
"""What follows the noun, of one of several."""
FARTHER: dict[str, tuple[str, ...]] = {
    "leftmost": ("on the left",),
    "rightmost": ("on the right",),
    "frontmost": ("in the front", "at the front"),
    "rearmost": ("in the back", "at the back"),
}
"""What follows the noun, of one of two."""
ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ROW_SIDES = {"left": "left", "right": "right", "front": "front", "behind": "back"}
"""By the side that a row is counted from, its word."""
SHARED = {
    "colour": (
        "of the same colour as", "{that} {has} the same colour as",
        "{that} {is} the same colour as",
    ),
    "noun": ("of the same kind as", "of the same type as"),
    "material": (
        "made of the same material as", "of the same material as",
        "{that} {is} made of the same material as",
    ),
}  # fmt: skip
"""How it is said that a thing shares something with another."""
NOT_COLOUR = (
    "{that} {is} not {colour}", "{that} {isnt} {colour}", "{which} {is} not {colour}",
    "of a colour other than {colour}",
)  # fmt: skip
POSES = {
    "upright": (("upright", ""), ("", "standing upright"), ("", "{that} {is} upright")),
    "lying": (("", "lying on {its} side"), ("", "{that} {is} lying on {its} side")),
}
"""How a pose is said: before the noun, or after it."""
HIDDEN = (
    ("partly hidden", ""), ("partially hidden", ""), ("", "{that} {is} partly hidden"),
    ("", "{that} {is} partly out of sight"),
)  # fmt: skip

ALSO_RELATIONS: dict[str, tuple[str, ...]] = {
    side: (
        f"{side} of", f"on the {side} of", f"at the {side} of", f"to the {side} side of",
        f"on the {side} side of", f"to the {side}-hand side of", f"on the {side}-hand side of",
        f"to the {side} hand side of", f"on the {side} hand side of", f"just {side} of",
        f"just to the {side} of", f"over to the {side} of", f"immediately to the {side} of",
    )
    for side in ("left", "right")
} | {
    "front": ("just in front of", "right in front of", "directly in front of"),
    "behind": ("in back of", "just behind", "right behind", "directly behind"),
    "on": ("atop", "upon", "on the top of", "right on top of"),
    "in": ("inside of", "within"),
}  # fmt: skip
"""Other ways of saying so, which are read alone."""
ALSO_MOST: dict[str, tuple[str, ...]] = {
    "largest": ("largest-sized", "greatest"),
    "smallest": ("littlest", "tiniest"),
    "tallest": ("highest",),
    "leftmost": ("left-most", "left-hand", "left", "far-left"),
    "rightmost": ("right-most", "right-hand", "right", "far-right"),
    "frontmost": ("front-most", "front", "foremost"),
    "rearmost": ("rear-most", "backmost", "back-most", "hindmost", "rear", "back"),
}
ALSO_MORE: dict[str, tuple[str, ...]] = {"smallest": ("littler",)}
ALSO_FARTHEST: dict[str, tuple[str, ...]] = {
    side + "most": (
        f"furthest to the {side}", f"farthest {side}", f"furthest {side}", f"most to the {side}",
        f"at the far {side}", f"to the far {side}", f"at the very {side}", f"to the very {side}",
        f"on the very {side}", f"on the {side}-hand side", f"on the {side} side", f"at the {side}",
        f"to the {side}",
    )
    for side in ("left", "right")
} | {
    "frontmost": (
        "nearest the front", "closest to the very front", "farthest forward", "furthest forward",
        "farthest to the front", "furthest to the front", "nearest to the front",
    ),
    "rearmost": (
        "farthest back", "furthest back", "furthest to the back", "closest to the back",
        "nearest to the back", "nearest the back", "at the far back", "in the very back",
    ),
}  # fmt: skip
ALSO_SHARED = {
    "colour": (
        "in the same colour as", "with the same colour as", "the same colour as",
        "having the same colour as",
        "matching in colour with", "{that} shares its colour with",
        "{that} share their colour with",
        "sharing its colour with", "{that} matches the colour of", "matching the colour of",
        "coloured the same as", "coloured like", "whose colour is the same as that of",
        "whose colour is the same as", "whose colour matches that of",
    ),
    "noun": (
        "of the same sort as", "{that} {is} of the same kind as", "{that} {is} of the same type as",
        "{that} {is} the same kind of thing as", "{that} {is} the same type of thing as",
        "{that} {is} the same kind of object as", "{that} {is} the same type of object as",
        "{that} {is} the same sort of thing as", "the same kind as", "the same type as",
    ),
    "material": (
        "out of the same material as", "made from the same material as",
        "made out of the same material as", "{that} {is} made from the same material as",
        "{that} {is} of the same material as", "with the same material as",
    ),
}  # fmt: skip
ALSO_NOT_COLOUR = (
    "with a colour other than {colour}", "in a colour other than {colour}",
    "whose colour {is} not {colour}", "whose colour {isnt} {colour}", "{which} {isnt} {colour}",
    "in any colour but {colour}",
    "of any colour but {colour}", "that's not {colour}", "not coloured {colour}",
    "{that} {is} not coloured {colour}", "but not the {colour} one", "but not the {colour} ones",
    "except the {colour} one", "except the {colour} ones", "except for the {colour} one",
    "except for the {colour} ones", "other than the {colour} one", "other than the {colour} ones",
    "{that} {is} anything but {colour}", "{that} {is} any colour but {colour}",
)  # fmt: skip
ALSO_POSES = {
    "upright": ("standing up", "standing upright", "{that} {is} standing", "{that} {is} upright",
                "{that} {is} standing upright", "{that} {is} standing up", "{that} stands upright"),
    "lying": ("lying down", "lying on {its} side", "{that} {is} lying down", "on {its} side",
              "{that} {is} lying on {its} side", "{that} {is} on {its} side",
              "{that} lies on {its} side", "{that} has fallen over", "{that} has tipped over"),
}  # fmt: skip
ALSO_POSES_BEFORE = {"upright": ("standing", "upright"), "lying": ("lying", "toppled", "fallen")}
ALSO_HIDDEN = (
    "partially obscured",
    "partly obscured",
    "half-hidden",
    "half hidden",
    "partly covered",
    "partially covered",
    "partly concealed",
    "partially concealed",
    "partly occluded",
    "partially occluded",
    "partly hidden",
    "partially hidden",
)
ALSO_MATERIALS = {
    "metal": ("metal", "metallic"),
    "glass": ("glass",),
    "shiny": ("shiny", "glossy", "gleaming"),
    "see-through": ("see-through", "transparent", "see through"),
}
ALSO_COLOURS = {"gray": "grey", "violet": "purple"}
