"""Salient object detection: one model under one HDRI per view, picture and mask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from farm.spec.asset import Asset
from farm.spec.base import Spec
from farm.spec.camera import Framing, Length, OrbitCamera
from farm.spec.draws import AnyDraw
from farm.spec.left_out import is_empty, is_none, usual
from farm.spec.passes import PassName
from farm.spec.randomise import Drawn, Finishes, OrbitJitter, Randomise, Sky, Within, as_draw
from farm.spec.recipes.base import AssetRole, Recipe
from farm.spec.recipes.base import Setup as BaseSetup
from farm.spec.render import ImageFormat
from farm.spec.rig_faults import faults, faults_of_frame
from farm.spec.rigs import RIGS, Angles, Frame, Rig, RigName, as_range
from farm.spec.view import Light
from farm.spec.view import View as BaseView

ROLES = (AssetRole("models", "model", "model"), AssetRole("hdrs", "hdr", "HDRI"))
FRAMING_NAMES: dict[Framing, str] = {"t": "tight", "m": "medium", "l": "loose"}


Grounded = Literal["none", "layer", "picture"]
Front = Literal["-y", "+y", "+x", "-x"]
"""A side of a model, by the axis of its file as Blender reads it."""
TURNS_DEG: dict[Front, float] = {"+y": 0.0, "-x": -90.0, "-y": 180.0, "+x": 90.0}
"""Turn about the vertical, anticlockwise from above, that takes each side to +y: there the camera
stands at yaw 0."""


DISTANCE = Within(1e-6, 1e9)
FOV_DEG = Within(0.1, 170.0)
Distance = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(DISTANCE)]
Fov = Annotated[AnyDraw, BeforeValidator(as_draw), AfterValidator(FOV_DEG)]
Elevation = Annotated[float, Field(ge=-90.0, le=90.0)]

DEFAULT_ELEVATIONS = (20.0,)
DEFAULT_AZIMUTHS = tuple(45.0 * step for step in range(8))
MOST_VIEWS = 100_000
"""Of a rig."""


class SodRandomise(Randomise):
    """What is drawn anew for each view; what is not named stays as it is."""

    hdri: Sky | None = None
    """Of a grid: how the HDRI stands and shines."""
    camera: OrbitJitter | None = None
    """How cameras differ from what yaw and pitch say."""
    materials: Finishes | None = None
    """What becomes of the model's materials."""


class SodBase(Recipe):
    """What all modes share."""

    roles: ClassVar[tuple[AssetRole, ...]] = ROLES

    kind: Literal["sod"] = "sod"
    """Name of the recipe."""
    fit: bool = False
    """Frame by the projected bounds, so that thin and flat models fill the picture too."""
    file_lights: bool = False
    """Keep the lights that a model's file brings."""
    front: Front = Field(default="+y", exclude_if=usual("+y"))
    """Side of the model that the camera sees at yaw 0; most models face -y, and show their back."""
    frame: Frame | None = Field(default=None, exclude_if=is_none)
    """Where the model stands, and how large: its longest side 1 (unit-cube), all of it within 1
    (unit-sphere) or 0.5 (unit-diagonal, by its box) of the middle of its box, or as its file says
    (file). Cameras look at the frame's origin, records are in its units. Left out: unit-cube; of a
    rig, the one that it was published for."""
    ground: Grounded = Field(default="none", exclude_if=usual("none"))
    """A plane under the model that is not seen and catches its shadow: as a pass of its own
    (`layer`), or also in the picture (`picture`)."""
    randomise: SodRandomise | None = Field(default=None, exclude_if=is_none)
    """What is drawn anew for each view: some of lights, exposure, hdri, camera, materials; each has
    fields of its own."""
    relight: bool = Field(default=False, exclude_if=is_empty)
    """Every view of a model under each HDRI, by the same camera: labels are rendered once. One
    dataset per model."""
    relight_turns: int = Field(default=1, ge=1, le=36, exclude_if=usual(1))
    """With `relight`: times that each HDRI is turned, evenly around."""
    mode: str

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if found := [f"recipe.{fault}" for fault in self.faults()]:
            raise PydanticCustomError("sentences", "{found}", {"found": found})
        return self

    def faults(self) -> Iterator[str]:
        """Yield what cannot be, each with the field that it is about."""
        yield from faults_of_frame(self)
        if self.relight_turns > 1 and not self.relight:
            yield "relight_turns: is for relight alone: add --relight (recipe.relight: true)"

    @property
    def has_ground(self) -> bool:
        return self.ground != "none"

    @property
    def passes_with_it(self) -> tuple[PassName, ...]:
        return ("shadow",) if self.has_ground else ()


class SodGrid(SodBase):
    """A regular grid of views, one dataset per (model, HDRI)."""

    mode: Literal["grid"] = "grid"
    """Regular steps of yaw and pitch."""
    yaw: int = Field(default=12, ge=1, le=360)
    """Yaw steps: 360/yaw degrees each, from 0."""
    pitch: int = Field(default=8, ge=1, le=90)
    """Pitch steps: 90/pitch degrees each, from 0."""


class SodAugmented(SodBase):
    """Random yaws, light and framing; one flat dataset."""

    default_format: ClassVar[ImageFormat] = "jxl"

    mode: Literal["augmented"] = "augmented"
    """Random yaw, HDRI rotation, strength and framing; every (model, HDRI) pair gets
    `pitch` x `yaw_per_pitch` views."""
    pitch: int = Field(default=10, ge=1, le=91)
    """Pitches, spread evenly over 0..90 degrees inclusive."""
    yaw_per_pitch: int = Field(default=4, ge=1, le=360)
    """Random yaws per pitch, no two alike."""
    hdr_switch: int = Field(default=4, ge=1)
    """In the order of the dataset, the HDRI changes after this many views of a model."""
    strength: tuple[float, float] = (0.7, 1.5)
    """Lowest and highest strength of the HDRI, in steps of 0.01; at most 9.99."""

    @field_validator("randomise")
    @classmethod
    def _has_one_sky(cls, value: SodRandomise | None) -> SodRandomise | None:
        if value is not None and value.hdri is not None:
            raise ValueError(
                "hdri: augmented views turn the HDRI already, by strength; name it for a grid alone"
            )
        return value

    @field_validator("strength")
    @classmethod
    def _a_range_of_strengths(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        if not 0.01 <= low <= high <= 9.99:
            raise ValueError(f"{low}..{high} is not a range between 0.01 and 9.99")
        return value


class SodRig(SodBase):
    """Cameras that stand around a model as 3D learning has them; one dataset per (model, HDRI)."""

    mode: Literal["rig"] = "rig"
    """Cameras around a model, by a rig's name or by angles; the same under every HDRI."""
    rig: RigName = "rings"
    """Where cameras stand: rings (by `elevations` and `azimuths`), spread over a sphere (fibonacci,
    hammersley, random), or as published under that name."""
    views: int | None = Field(default=None, ge=1, le=MOST_VIEWS)
    """How many cameras, where the rig does not say. Left out: 40, or the rig's usual number."""
    elevations: Angles | None = None
    """Degrees above the horizon, of rings: `0,20,-10`. Left out: 20."""
    azimuths: Angles | None = None
    """Degrees from the front, counter-clockwise from above, of rings: `0:360:45` goes from 0 to
    below 360 in steps of 45. Left out: these."""
    elevation_range: Annotated[tuple[Elevation, Elevation] | None, BeforeValidator(as_range)] = None
    """Lowest and highest elevation, `0..90`, of what is spread over a sphere. Left out: all of
    it."""
    distance: Distance | None = None
    """From the frame's origin, in its units: a number, or a range `1.5..2.2` that each view draws
    from. Left out: the rig's; where it has none, as far as all of the frame fills the picture."""
    fov_deg: Fov | None = None
    """Angle that the longer side of the picture spans; a number or a range. Left out: the rig's, or
    that of a lens of 50 mm on a sensor 36 mm wide, 39.6."""
    orthographic: Length | None = None
    """Rays that run side by side: what the longer side of the picture spans, in the frame's
    units."""
    stereo: Length | None = None
    """Distance between the two cameras of a pair that stands in place of each: the left one where
    the rig has it, the right one to its right, looking the same way."""
    front: Front = "-y"
    """Side of the model from which azimuths are counted; the front of glTF is -y. The model is not
    turned."""

    @field_validator("elevations")
    @classmethod
    def _above_or_below(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        for number in value or ():
            if not -90 <= number <= 90:
                raise ValueError(f"{number:g} is not within -90..90 degrees")
        return value

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        yield from faults(self)

    @property
    def as_sample(self) -> dict[str, JsonValue]:
        if not self.sides:
            return {"stereo": None}
        [azimuth, elevation], known = self.sides[0], self.known
        distance = self.distance or (None if self.fit else known.distance)
        fov_deg = self.fov_deg or (known.fov_deg if self.spans is None else None)
        return {
            "rig": "rings",
            "views": None,
            "azimuths": [azimuth],
            "elevations": [elevation],
            "distance": None if distance is None else distance.model_dump(mode="json"),
            "fov_deg": None if fov_deg is None else fov_deg.model_dump(mode="json"),
            "orthographic": self.spans,
            "frame": self.stands_in,
            "stereo": None,
        }

    @property
    def known(self) -> Rig:
        """What is published under its name."""
        return RIGS[self.rig]

    @property
    def sides(self) -> tuple[tuple[float, float], ...]:
        """Azimuths and elevations of cameras whose places are fixed."""
        if self.rig != "rings":
            return self.known.sides
        elevations, azimuths = self.elevations or DEFAULT_ELEVATIONS, self.azimuths
        return tuple(
            (azimuth, elevation)
            for elevation in elevations
            for azimuth in azimuths or DEFAULT_AZIMUTHS
        )

    @property
    def places(self) -> int:
        """How many places cameras stand at."""
        return len(self.sides) or self.views or self.known.views or 1

    @property
    def stands_in(self) -> Frame:
        """Its frame."""
        return self.frame or self.known.frame

    @property
    def spans(self) -> float | None:
        """What an orthographic camera spans; None of all others."""
        if self.orthographic is not None or self.fov_deg is not None or self.fit:
            return self.orthographic
        return self.known.orthographic


def mode_unless_said(value: Any) -> Any:
    """Let what only a rig has stand for the mode `rig`; what names no mode else is a grid."""
    if not isinstance(value, dict):
        return value
    own = next((name for name in SodRig.model_fields if name in value and name in OWN_OF_RIGS), "")
    mode = value.get("mode") or ("rig" if own else "grid")
    if found := [fault for name in value if (fault := fault_of_modes(str(name), mode))]:
        raise PydanticCustomError("sentences", "{found}", {"found": found})
    return {**value, "mode": mode}


def fault_of_modes(name: str, mode: Any) -> str:
    """Say what is wrong with a field that other modes have, and this one does not."""
    having = [other for other, fields in FIELDS_OF_MODES.items() if name in fields]
    if mode not in FIELDS_OF_MODES or mode in having or not having:
        return ""
    modes = f"mode {having[0]}" if len(having) == 1 else f"modes {' and '.join(having)}"
    remedy = "leave one of them out"
    if mode == "grid" and having == ["augmented"]:  # nobody need have said grid
        remedy = "leave it out, or add --augmented (recipe.mode: augmented)"
    return f"recipe.{name}: is of the {modes}, and this is {mode}: {remedy}"


FIELDS_OF_MODES: dict[Any, frozenset[str]] = {
    "grid": frozenset(SodGrid.model_fields),
    "augmented": frozenset(SodAugmented.model_fields),
    "rig": frozenset(SodRig.model_fields),
}
"""Fields of each mode."""
OWN_OF_RIGS = frozenset(SodRig.model_fields) - {*SodGrid.model_fields, *SodAugmented.model_fields}

RecipeSpec = Annotated[
    Annotated[SodGrid | SodAugmented | SodRig, Field(discriminator="mode")],
    BeforeValidator(mode_unless_said),
]


class SodSetup(BaseSetup):
    """What the views of one model under one HDRI share."""

    kind: Literal["sod"] = "sod"
    file_lights: bool = False
    """Keep the lights that the model's file brings."""
    front: Front = Field(default="+y", exclude_if=usual("+y"))
    """Side of the model that is turned to +y."""
    frame: Frame = Field(default="unit-cube", exclude_if=usual("unit-cube"))
    """Where the model stands, and how large."""
    ground: Grounded = Field(default="none", exclude_if=usual("none"))
    """Where the model's shadow on a plane under it goes."""


class Relit(Spec):
    """The place of a view among those that show the same under other lights."""

    pose: str
    """What all of them are called but for their light."""
    hdr: str
    """Short name of the HDRI, of those of its task."""
    siblings: tuple[str, ...] = ()
    """Names of the others."""


class SodView(BaseView):
    """A model seen from a dome, under a turned and dimmed environment."""

    kind: Literal["sod"] = "sod"
    camera: OrbitCamera
    light: Light
    drawn: Drawn | None = Field(default=None, exclude_if=is_none)
    """What `randomise` drew beside camera and environment."""
    relit: Relit | None = Field(default=None, exclude_if=is_none)
    """With `relight`: which light is its own."""

    @property
    def pose(self) -> str | None:
        return self.relit.pose if self.relit else None

    @property
    def siblings(self) -> tuple[str, ...]:
        return self.relit.siblings if self.relit else ()

    def with_siblings(self, siblings: tuple[str, ...]) -> Self:
        if self.relit is None:
            return self
        relit = self.relit.model_copy(update={"siblings": siblings})
        return self.model_copy(update={"relit": relit})

    def made_of(self, assets: tuple[Asset, ...]) -> tuple[Asset, ...]:
        if self.relit is None:
            return assets
        return tuple(each for each in assets if each.role != "hdrs" or each.id == self.relit.hdr)

    @property
    def caption(self) -> str:
        camera, light = self.camera, self.light
        flat = camera.orthographic_width is not None
        return (
            f"yaw {camera.yaw_deg:g}°  ·  pitch {camera.pitch_deg:g}°"
            f"  ·  {'orthographic' if flat else FRAMING_NAMES[camera.framing]}"
            f"  ·  light {light.rotation_deg:g}°, strength {light.strength:g}"
        )

    @property
    def facets(self) -> dict[str, str]:
        return {"framing": FRAMING_NAMES[self.camera.framing]}


Setup = SodSetup
View = SodView
