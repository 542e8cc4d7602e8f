"""What of a view may differ from the next one of the same things: their light, or themselves."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import BaseModel

from farm.spec.base import digest
from farm.spec.record import ViewRecord
from farm.spec.view import View

OF_THE_LIGHT = ("lamps", "exposure_ev")
"""Fields of what is drawn for a view that say how it is lit; the others are about things."""


class Look(NamedTuple):
    """How a view shows its things."""

    light: str
    """Hash of all that lights it, and of how bright its picture is."""
    things: str
    """Hash of what its things are like: the moment, and what became of their materials."""


def look_of(record: ViewRecord) -> Look:
    """Return how a view shows its things."""
    drawn = plain(getattr(record.view, "drawn", None)) or {}
    lit = {name: value for name, value in drawn.items() if name in OF_THE_LIGHT}
    rest = {name: value for name, value in drawn.items() if name not in OF_THE_LIGHT}
    skies = [asset.content for asset in record.assets if asset.kind == "hdr"]
    light = plain(getattr(record.view, "light", None))
    plays = is_scripted(record) or record.view.moment is not None
    moment = None if plays else record.view.frame
    return Look(digest(skies, light, lit, record.exposure_ev), digest(moment, rest))


def is_scripted(record: ViewRecord) -> bool:
    """Say whether a script made the view: what changes with its moment only poses tell."""
    return record.view.kind == "script"


def plain(value: Any) -> Any:
    """Return a model as it is written down; anything else as it is."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def in_words(view: View, skies: list[str]) -> str:
    """Return how a view is lit, for people."""
    light = plain(getattr(view, "light", None)) or {}
    words = [" and ".join(skies)] if skies else []
    if light:
        words.append(f"turned {light['rotation_deg']:g}°, strength {light['strength']:g}")
    return ", ".join(words) or "its own lamps"
