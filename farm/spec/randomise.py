"""`randomise:` of a recipe: what is drawn anew, from what; and what was drawn for a view.

Each value is drawn from a stream of its own, so that a new one changes no other.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from farm.spec.base import Spec
from farm.spec.draws import AnyDraw, ChoiceDraw, NormalDraw, UniformDraw, WholeDraw
from farm.spec.kelvin import HIGHEST_K, LOWEST_K
from farm.spec.left_out import is_empty, is_none
from farm.spec.quote import quoted

LampKind = Literal["area", "point", "spot"]
Shape = Literal["cube", "sphere", "cylinder", "cone", "torus"]
"""What the farm itself brings to distract."""
Per = Literal["scene", "view"]
"""How often something is drawn."""
Three = tuple[float, float, float]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

ALL = "all"
MOST_LAMPS = 20
MOST_DISTRACTORS = 50
HOW = "write it as 1..5, or as {kind: normal, mean: 3, std: 1}, or {kind: choice, values: [1, 5]}"
KINDS_BY_FIELDS = {
    "low": "uniform", "high": "uniform", "mean": "normal", "std": "normal", "values": "choice",
}  # fmt: skip


def as_draw(value: Any) -> Any:
    """Let `1..5`, a number, or two of them in a list, stand for what is drawn evenly."""
    said = value
    if isinstance(value, str):
        words = value.split("..", 1)
        value = words if len(words) > 1 else [value, value]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        value = [value, value]
    if isinstance(value, list | tuple):
        try:
            low, high = map(float, value)
        except (TypeError, ValueError):
            raise ValueError(f"{quoted(said)} is not a range: {HOW}") from None
        value = {"kind": "uniform", "low": low, "high": high}
    if isinstance(value, dict) and "kind" not in value:
        kinds = [kind for field, kind in KINDS_BY_FIELDS.items() if field in value]
        if not kinds:
            raise ValueError(f"{quoted(value)} is not a range: {HOW}")
        value = {"kind": kinds[0], **value}
    return with_numbers(value) if isinstance(value, dict) else value


def with_numbers(draw: dict[str, Any]) -> dict[str, Any]:
    """Return a draw whose ends, mean and width are single, finite numbers.

    Raises:
        ValueError: One is not.
    """
    for field in ("low", "high", "mean", "std"):
        try:
            number = float(draw.get(field, 0.0))
        except (TypeError, ValueError):
            raise ValueError(f"{quoted(draw[field])} is not a number: {HOW}") from None
        if not math.isfinite(number):
            raise ValueError(f"{number:g} is not a finite number: {HOW}")
    return draw


class Within(NamedTuple):
    """The numbers that make sense; what a normal draw has beyond them is cut off."""

    low: float
    high: float
    whole: bool = False

    def __call__(self, draw: AnyDraw) -> AnyDraw:
        """Return a draw whose numbers make sense.

        Raises:
            ValueError: They do not.
        """
        for number in numbers_of(draw):
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(f"{quoted(number)} is not a number: {HOW}")  # noqa: TRY004 - pydantic's
            if not self.low <= number <= self.high:
                raise ValueError(f"{number:g} is not within {self.low:g}..{self.high:g}")
            if self.whole and number != int(number) and not isinstance(draw, NormalDraw):
                raise ValueError(f"{number:g} is not a whole number")
        if self.whole and isinstance(draw, UniformDraw):
            low, high = numbers_of(draw)
            return WholeDraw(low=int(low), high=int(high))
        return draw

    def cut(self, number: float) -> float:
        """Return a number, or the nearest that makes sense."""
        return min(max(number, self.low), self.high)


def numbers_of(draw: AnyDraw) -> tuple[Any, ...]:
    """Return the numbers that say from where to where a draw goes."""
    if isinstance(draw, ChoiceDraw):
        return draw.values
    return (draw.mean,) if isinstance(draw, NormalDraw) else (draw.low, draw.high)


FEW = Within(0, MOST_LAMPS, whole=True)
SOME = Within(0, MOST_DISTRACTORS, whole=True)
POWER_W = Within(0.0, 1e6)
KELVIN = Within(LOWEST_K, HIGHEST_K)
ANGLE_DEG = Within(-3600.0, 3600.0)
ELEVATION_DEG = Within(-90.0, 90.0)
LENGTH_M = Within(0.001, 10_000.0)
OFFSET_M = Within(-10_000.0, 10_000.0)
SPOT_DEG = Within(1.0, 179.0)
STRENGTH = Within(0.0, 1000.0)
EV = Within(-20.0, 20.0)
FOCAL_MM = Within(1.0, 5000.0)
PART = Within(0.0, 1.0)
FACTOR = Within(0.01, 100.0)

Lamps = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(FEW)]
Things = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(SOME)]
Power = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(POWER_W)]
Kelvin = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(KELVIN)]
Angle = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(ANGLE_DEG)]
Elevation = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(ELEVATION_DEG)]
Length = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(LENGTH_M)]
Offset = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(OFFSET_M)]
Spot = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(SPOT_DEG)]
Strength = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(STRENGTH)]
Stops = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(EV)]
Focal = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(FOCAL_MM)]
Part = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(PART)]
Factor = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(FACTOR)]


def uniform(low: float, high: float) -> UniformDraw:
    """Return what is drawn evenly."""
    return UniformDraw(low=low, high=high)


class Lights(Spec):
    """Lamps that shine beside the environment; each of its own kind, power, colour and place."""

    count: Lamps = WholeDraw(low=1, high=3)
    """How many lamps a view has."""
    kinds: Annotated[tuple[LampKind, ...], Field(min_length=1)] = ("area", "point", "spot")
    """Kinds of lamps, each as likely as the others."""
    power_w: Power = uniform(5.0, 40.0)
    """Watts, as Blender has them; 60 W at 1.5 m are about as bright as an HDRI."""
    kelvin: Kelvin = uniform(2500.0, 8000.0)
    """Colour temperature: 2700 is warm, 6500 is white; it does not change how bright a lamp is."""
    azimuth_deg: Angle = uniform(0.0, 360.0)
    """Where it is, from +x, anticlockwise from above."""
    elevation_deg: Elevation = uniform(20.0, 80.0)
    """Above the table, or the horizon."""
    distance_m: Length = uniform(1.0, 2.5)
    """From the middle, in units of the view's world."""
    size_m: Length = uniform(0.05, 0.5)
    """Side of an area, radius of a point or spot: the larger, the softer its shadows."""
    spot_deg: Spot = uniform(30.0, 90.0)
    """Opening of a spot."""


class Sky(Spec):
    """How the HDRI stands and shines."""

    turn_deg: Angle = uniform(0.0, 360.0)
    """About the vertical."""
    strength: Strength = uniform(0.4, 1.5)
    """Factor on its light; 0: lamps alone."""


class Exposure(Spec):
    """How bright the finished picture is; labels stay as they are."""

    ev: Stops = NormalDraw(mean=0.0, std=0.5)
    """Stops: 1 is twice as bright, -1 half."""


class DomeCamera(Spec):
    """Where cameras stand around a table, in place of what `camera:` says."""

    azimuth_deg: Angle = uniform(0.0, 360.0)
    """From +x, anticlockwise from above."""
    elevation_deg: Elevation = uniform(15.0, 75.0)
    """Above the table: 90 looks straight down."""
    distance_m: Length = uniform(0.8, 1.8)
    """From the point that is looked at."""
    roll_deg: Angle = NormalDraw(mean=0.0, std=8.0)
    """Turn of the picture."""
    focal_length_mm: Focal = uniform(28.0, 60.0)
    """On a sensor 36 mm wide."""
    look_at_m: Offset = NormalDraw(mean=0.0, std=0.04)
    """Shift of that point from the middle of the table, along x and along y."""


class OrbitJitter(Spec):
    """How a camera that looks at one model differs from what its yaw and pitch say."""

    distance: Factor = uniform(0.9, 1.2)
    """Factor on its distance."""
    roll_deg: Angle = NormalDraw(mean=0.0, std=8.0)
    """Turn of the picture."""
    focal_length_mm: Focal = uniform(35.0, 85.0)
    """On a sensor 36 mm wide; the distance follows, so that the model stays as large."""
    look_at: Offset = NormalDraw(mean=0.0, std=0.03)
    """Shift of what is looked at, to the right and up in the picture, in sizes of the model."""


class Finishes(Spec):
    """What becomes of the materials of a model."""

    share: Share = 0.5
    """Share of views in which they change."""
    hue_deg: Angle | None = uniform(-180.0, 180.0)
    """Turn of their colours; null: as they are."""
    roughness: Part | None = uniform(0.05, 0.95)
    """In place of their own; null: as it is."""
    metallic: Part | None = ChoiceDraw(values=(0.0, 0.0, 0.0, 1.0))
    """In place of their own; null: as it is."""


class Materials(Finishes):
    """What becomes of the materials of objects; twins stay alike."""

    share: Share = 0.5
    """Share of objects whose materials change."""
    swap: Share = 0.0
    """Of these objects, the share that get the materials of another object of the scene."""
    per: Per = "scene"
    """All views of a scene have the same, or each its own."""


class Surfaces(Spec):
    """How the table looks: a picture of the role `textures`, or one colour."""

    textured: Share = 1.0
    """Share that show a picture, where there are any."""
    size_m: Length = uniform(0.3, 1.0)
    """Metres of the table that a picture is wide."""
    turn_deg: Angle = uniform(0.0, 360.0)
    """How it is turned on the table."""
    hue_deg: Angle = uniform(0.0, 360.0)
    """Of a colour."""
    saturation: Part = uniform(0.0, 0.6)
    """Of a colour."""
    value: Part = uniform(0.15, 0.85)
    """Of a colour: 1 is as bright as it can be."""
    roughness: Part = uniform(0.25, 0.9)
    """Of both."""
    per: Per = "scene"
    """All views of a scene have the same table, or each its own."""


class Distractors(Spec):
    """Things beside the objects that no sentence names, of category `distractor`."""

    count: Things = WholeDraw(low=1, high=4)
    """How many a scene has."""
    shapes: tuple[Shape, ...] = ("cube", "sphere", "cylinder", "cone", "torus")
    """Shapes that come without a file."""
    models: Share = 0.5
    """Share that are models of the role `distractors`, where there are any."""
    size_m: Length = uniform(0.02, 0.07)
    """Of a shape, from side to side, in steps of 5 mm; models are as large as their files say."""
    floating: Share = 0.25
    """Share that hang in the air, where they hide what is behind; others settle as objects do."""
    height_m: Length = uniform(0.2, 0.45)
    """Of those that hang, above the table."""
    hue_deg: Angle = uniform(0.0, 360.0)
    """Of a shape's colour."""
    saturation: Part = uniform(0.2, 0.9)
    """Of its colour."""
    value: Part = uniform(0.1, 0.9)
    """Of its colour."""
    roughness: Part = uniform(0.1, 0.9)
    """Of a shape."""
    metallic: Part = ChoiceDraw(values=(0.0, 0.0, 0.0, 1.0))
    """Of a shape."""


class Randomise(Spec):
    """Base of what recipes randomise: the light, and how bright pictures are."""

    lights: Lights | None = None
    """Lamps that shine beside the environment."""
    exposure: Exposure | None = None
    """How bright the finished picture is."""

    @model_validator(mode="before")
    @classmethod
    def _by_names(cls, value: Any) -> Any:
        """Let `lights,camera`, or `all`, stand for these groups as they are by default.

        What names every group was written down by a program: there, null is none.
        """
        if isinstance(value, dict) and cls.model_fields.keys() <= value.keys():
            return value
        return groups_of(value, tuple(cls.model_fields))


def groups_of(value: Any, known: tuple[str, ...]) -> Any:
    """Return the groups of what is randomised that names, or fields, stand for."""
    if isinstance(value, str):
        names = [name.strip() for name in value.split(",") if name.strip()]
        return {name: {} for name in (known if names == [ALL] else names)}
    if not isinstance(value, dict):
        return value
    groups = {name: {} if group is None else group for name, group in value.items()}
    named = groups.pop("kind", None)  # of `--set` over a flag
    return {**groups_of(named, known), **groups} if isinstance(named, str) else groups


class Lamp(Spec):
    """A lamp as it was drawn."""

    kind: LampKind
    at_m: Three
    """In the view's world; it shines towards the origin."""
    power_w: float = Field(ge=0.0)
    kelvin: float = Field(ge=LOWEST_K, le=HIGHEST_K)
    size_m: float = Field(gt=0.0)
    spot_deg: float | None = Field(default=None, exclude_if=is_none)


class Paint(Spec):
    """What becomes of the materials of a thing; None: they keep it."""

    prop: int
    """Place among the scene's things."""
    hue_deg: float | None = Field(default=None, exclude_if=is_none)
    """Turn of its colours."""
    colour: Three | None = Field(default=None, exclude_if=is_none)
    """In place of its colours; linear Rec.709."""
    roughness: float | None = Field(default=None, exclude_if=is_none)
    metallic: float | None = Field(default=None, exclude_if=is_none)
    swap: int | None = Field(default=None, exclude_if=is_none)
    """Another thing, whose materials it gets."""


class TablePaint(Spec):
    """How the table looks."""

    texture: int | None = Field(default=None, exclude_if=is_none)
    """Place among the task's assets of a picture."""
    size_m: float = 1.0
    """Metres of the table that the picture is wide."""
    turn_deg: float = 0.0
    colour: Three | None = Field(default=None, exclude_if=is_none)
    """Where there is no picture; linear Rec.709."""
    roughness: float = 0.5


class Drawn(Spec):
    """What was drawn for a view beside its camera and its environment."""

    lamps: tuple[Lamp, ...] = Field(default=(), exclude_if=is_empty)
    exposure_ev: float | None = Field(default=None, exclude_if=is_none)
    paints: tuple[Paint, ...] = Field(default=(), exclude_if=is_empty)
    surface: TablePaint | None = Field(default=None, exclude_if=is_none)

    @property
    def exposure_gain(self) -> float:
        """Factor on the finished picture."""
        return float(2.0 ** (self.exposure_ev or 0.0))
