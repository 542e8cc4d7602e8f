"""What `randomise:` draws, each value from a stream of its own."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from farm.expand.drawing import draw_number
from farm.expand.streams import stream_of
from farm.spec import randomise as spec
from farm.spec.asset import Asset
from farm.spec.draws import AnyDraw
from farm.spec.randomise import (
    Distractors,
    Exposure,
    Finishes,
    Lamp,
    Lights,
    Materials,
    Paint,
    Sky,
    Surfaces,
    TablePaint,
    Three,
    Within,
)
from farm.spec.view import Light

DIGITS = 4
"""Digits after the point of what is drawn: messages stay short, and records can be read."""


Value = TypeVar("Value")


class Dice(NamedTuple):
    """Random streams of one view, or of one scene: one for each aspect."""

    seed: int
    numbers: tuple[int, ...]
    """Of the assets of which it is made."""
    place: int

    def rng(self, aspect: str) -> np.random.Generator:
        """Return the stream of an aspect."""
        return stream_of(self.seed, self.numbers, place=self.place, aspect=aspect)

    def number(self, what: AnyDraw, within: Within, aspect: str) -> float:
        """Draw a number that makes sense."""
        return round(draw_number(what, within, self.rng(aspect)), DIGITS)

    def whole(self, what: AnyDraw, within: Within, aspect: str) -> int:
        """Draw a whole number."""
        return int(self.number(what, within, aspect))

    def happens(self, share: float, aspect: str) -> bool:
        """Draw whether something is so, in a share of all cases."""
        return float(self.rng(aspect).random()) < share

    def one_of(self, values: Sequence[Value], aspect: str) -> Value:
        """Draw one of some values."""
        return values[int(self.rng(aspect).integers(len(values)))]


def lamps_of(lights: Lights, dice: Dice) -> Iterator[Lamp]:
    """Draw the lamps of a view; one more changes none of those before it."""
    for number in range(dice.whole(lights.count, spec.FEW, "lights count")):
        yield lamp_of(lights, dice, f"lights {number}")


def lamp_of(lights: Lights, dice: Dice, name: str) -> Lamp:
    """Draw one lamp."""
    kind = dice.one_of(lights.kinds, f"{name} kind")
    spot = dice.number(lights.spot_deg, spec.SPOT_DEG, f"{name} spot")
    return Lamp(
        kind=kind,
        at_m=on_dome(
            azimuth_deg=dice.number(lights.azimuth_deg, spec.ANGLE_DEG, f"{name} azimuth"),
            elevation_deg=dice.number(
                lights.elevation_deg, spec.ELEVATION_DEG, f"{name} elevation"
            ),
            distance=dice.number(lights.distance_m, spec.LENGTH_M, f"{name} distance"),
        ),
        power_w=dice.number(lights.power_w, spec.POWER_W, f"{name} power"),
        kelvin=dice.number(lights.kelvin, spec.KELVIN, f"{name} kelvin"),
        size_m=dice.number(lights.size_m, spec.LENGTH_M, f"{name} size"),
        spot_deg=spot if kind == "spot" else None,
    )


def on_dome(*, azimuth_deg: float, elevation_deg: float, distance: float) -> Three:
    """Return a point around the origin."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    level = distance * math.cos(elevation)
    return (
        round(level * math.cos(azimuth), DIGITS),
        round(level * math.sin(azimuth), DIGITS),
        round(distance * math.sin(elevation), DIGITS),
    )


def light_of(sky: Sky, dice: Dice) -> Light:
    """Draw how the environment of a view stands and shines."""
    return Light(
        rotation_deg=dice.number(sky.turn_deg, spec.ANGLE_DEG, "light turn"),
        strength=dice.number(sky.strength, spec.STRENGTH, "light strength"),
    )


def exposure_of(exposure: Exposure, dice: Dice) -> float:
    """Draw the stops of a view's exposure."""
    return dice.number(exposure.ev, spec.EV, "exposure ev")


def paints_of(materials: Finishes, dice: Dice, objects: Sequence[Asset]) -> Iterator[Paint]:
    """Draw what becomes of the materials of a scene's objects; twins stay alike."""
    kinds = list(dict.fromkeys(objects))
    for asset in kinds:
        name = f"materials {asset.content}"
        if not dice.happens(materials.share, f"{name} share"):
            continue
        paint = paint_of(materials, dice, asset, kinds)
        for place, each in enumerate(objects):
            if each == asset:
                swap = None if paint.swap is None else objects.index(kinds[paint.swap])
                yield paint.model_copy(update={"prop": place, "swap": swap})


def paint_of(materials: Finishes, dice: Dice, asset: Asset, kinds: Sequence[Asset]) -> Paint:
    """Draw what becomes of the materials of one object; another one to swap with is of `kinds`."""
    name = f"materials {asset.content}"
    others = [place for place, other in enumerate(kinds) if other != asset]
    swap = materials.swap if isinstance(materials, Materials) else 0.0
    if others and dice.happens(swap, f"{name} swap"):
        return Paint(prop=0, swap=dice.one_of(others, f"{name} other"))
    hue, roughness, metallic = materials.hue_deg, materials.roughness, materials.metallic
    return Paint(
        prop=0,
        hue_deg=None if hue is None else dice.number(hue, spec.ANGLE_DEG, f"{name} hue"),
        roughness=None
        if roughness is None
        else dice.number(roughness, spec.PART, f"{name} roughness"),
        metallic=None if metallic is None else dice.number(metallic, spec.PART, f"{name} metallic"),
    )


def table_of(
    surface: Surfaces, dice: Dice, textures: Sequence[Asset]
) -> tuple[TablePaint, Asset | None]:
    """Draw how a table looks; return the picture that it shows beside, if it shows one."""
    roughness = dice.number(surface.roughness, spec.PART, "surface roughness")
    colour = colour_of(
        dice,
        surface.hue_deg,
        saturation=surface.saturation,
        value=surface.value,
        name="surface",
    )
    if not (textures and dice.happens(surface.textured, "surface textured")):
        return TablePaint(colour=colour, roughness=roughness), None
    paint = TablePaint(
        size_m=dice.number(surface.size_m, spec.LENGTH_M, "surface size"),
        turn_deg=dice.number(surface.turn_deg, spec.ANGLE_DEG, "surface turn"),
        roughness=roughness,
    )
    return paint, dice.one_of(textures, "surface texture")


def distractor_paint(distractors: Distractors, dice: Dice, name: str, prop: int) -> Paint:
    """Draw the paint of a shape."""
    return Paint(
        prop=prop,
        colour=colour_of(
            dice,
            distractors.hue_deg,
            saturation=distractors.saturation,
            value=distractors.value,
            name=name,
        ),
        roughness=dice.number(distractors.roughness, spec.PART, f"{name} roughness"),
        metallic=dice.number(distractors.metallic, spec.PART, f"{name} metallic"),
    )


def colour_of(
    dice: Dice, hue_deg: AnyDraw, *, saturation: AnyDraw, value: AnyDraw, name: str
) -> Three:
    """Draw a colour by hue, saturation and value, as pickers have them; return linear Rec.709."""
    hue = dice.number(hue_deg, spec.ANGLE_DEG, f"{name} hue")
    picked = colorsys.hsv_to_rgb(
        hue / 360.0 % 1.0,
        dice.number(saturation, spec.PART, f"{name} saturation"),
        dice.number(value, spec.PART, f"{name} value"),
    )
    red, green, blue = (round(linear(part), DIGITS) for part in picked)
    return red, green, blue


def linear(encoded: float) -> float:
    """Return the light of a number of sRGB."""
    return encoded / 12.92 if encoded <= 0.04045 else float(((encoded + 0.055) / 1.055) ** 2.4)
