"""Attributes of measured objects: yes, no, or unknown (None)."""

from __future__ import annotations

from math import acos, degrees

import numpy as np

from farm.dataset.proof.measured import COLOURLESS, Measured, materials_of
from farm.dataset.proof.vocabulary import folded, is_called
from farm.spec.expression import PARTLY_HIDDEN, SIZE_RATIO

SURE_SHARE, SURE_RIVAL = 0.5, 0.35
"""Least share of pixels of a colour that a thing surely has, and most of any other."""
POSSIBLE_SHARE = 0.1
"""Least share of a colour that it may be said to have."""
MOST_UPRIGHT_DEG, LYING_DEG = 30.0, (60.0, 120.0)
"""Angles between an object's own up and the world's."""
HIDDEN_SLACK = 0.02
LARGER = (1 + SIZE_RATIO) / 2
"""Factor between sizes from which on one counts as larger: half of what is said."""
MEASURED_MATERIALS = frozenset({"metal", "glass", "shiny", "see-through"})
"""Materials that are measured; all others come from words."""


def has_noun(thing: Measured, noun: str) -> bool | None:
    """Say whether a thing is called so."""
    return is_called(thing.label.words, noun)


def terms_of(thing: Measured) -> tuple[str | None, frozenset[str] | None]:
    """Return the colour that a thing surely has, and all that it may be said to have.

    The latter is None where nothing is known. Without an albedo pass both are the record's.
    """
    if thing.shares is None:
        said = thing.label.attributes.colour if thing.label.attributes else None
        known = said is not None and not COLOURLESS & {*materials_of(thing.label)}
        return (said, frozenset({said})) if known and said else (None, None)
    ranked = sorted(thing.shares.items(), key=lambda each: -each[1])
    (term, share), rival = ranked[0], sum(each for _, each in ranked[1:2])
    sure = term if share >= SURE_SHARE and rival <= SURE_RIVAL else None
    return sure, frozenset(each for each, part in ranked if part >= POSSIBLE_SHARE)


def has_colour(thing: Measured, term: str) -> bool | None:
    """Say whether a thing has a colour."""
    sure, possible = terms_of(thing)
    if sure == term:
        return True
    return None if possible is None or term in possible else False


def has_other_colour(thing: Measured, term: str) -> bool | None:
    """Say whether a thing has another colour."""
    holds = has_colour(thing, term)
    if holds is not False:
        return None if holds is None else False
    return True


def has_material(thing: Measured, material: str) -> bool | None:
    """Say whether a thing is of a material: measured, or confirmed by a person."""
    words = thing.label.words
    if material in materials_of(thing.label):
        return True
    if material in MEASURED_MATERIALS:
        return False
    if words is None or not words.confirmed:
        return None
    if words.material is not None:
        return words.material.casefold() == material.casefold()
    return None if not COLOURLESS & {*materials_of(thing.label)} else False


def has_pose(thing: Measured, pose: str) -> bool | None:
    """Say whether a thing stands or lies so: as recorded, and as its own up is turned."""
    said = thing.label.attributes.pose if thing.label.attributes else None
    holds = (
        tilt_deg(thing) <= MOST_UPRIGHT_DEG
        if pose == "upright"
        else LYING_DEG[0] <= tilt_deg(thing) <= LYING_DEG[1]
    )
    if said == pose:
        return True if holds else None
    return None if holds and said is None else False


def tilt_deg(thing: Measured) -> float:
    """Return the angle between an object's own up and the world's."""
    return degrees(acos(float(np.clip(thing.box.axes[2, 2], -1.0, 1.0))))


def is_partly_hidden(thing: Measured) -> bool | None:
    """Say whether other things hide a part of a thing."""
    share = thing.visible_fraction
    if share is None:
        return None
    least, most = PARTLY_HIDDEN
    if least - HIDDEN_SLACK <= share <= most + HIDDEN_SLACK:
        return True
    return False if share > most else None


def shares_attribute(thing: Measured, anchor: Measured, what: str) -> bool | None:
    """Say whether two things share a colour, a material or a noun."""
    if what == "colour":
        return same_colour(thing, anchor)
    if what == "noun":
        return same_noun(thing, anchor)
    mine, other = made_of(thing), made_of(anchor)
    if mine is None or other is None:
        return None
    return bool(mine & other)


def same_colour(thing: Measured, anchor: Measured) -> bool | None:
    """Say whether two things have one colour."""
    (sure, possible), (its, its_possible) = terms_of(thing), terms_of(anchor)
    if sure is not None and sure == its:
        return True
    if possible is None or its_possible is None or possible & its_possible:
        return None
    return False


def same_noun(thing: Measured, anchor: Measured) -> bool | None:
    """Say whether two things are called the same: exactly, not by what kind they are of."""
    mine, other = thing.label.words, anchor.label.words
    if mine is None or other is None or not (mine.confirmed and other.confirmed):
        return None
    return bool({*map(folded, mine.nouns)} & {*map(folded, other.nouns)})


def made_of(thing: Measured) -> frozenset[str] | None:
    """Return what a thing is made of; None where that is not known."""
    words = thing.label.words
    found = {*materials_of(thing.label)} & COLOURLESS
    if words is not None and words.confirmed and words.material:
        found.add(words.material.casefold())
    return frozenset(found) or None
