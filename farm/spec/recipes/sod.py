"""Salient object detection: one model under one HDRI per view, picture and mask."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from farm.spec.camera import Framing, OrbitCamera
from farm.spec.label import is_none
from farm.spec.randomise import Drawn, Finishes, OrbitJitter, Randomise, Sky
from farm.spec.recipes.base import AssetRole, Recipe
from farm.spec.recipes.base import Setup as BaseSetup
from farm.spec.render import ImageFormat
from farm.spec.view import Light
from farm.spec.view import View as BaseView

ROLES = (AssetRole("models", "model", "model"), AssetRole("hdrs", "hdr", "HDRI"))
FRAMING_NAMES: dict[Framing, str] = {"t": "tight", "m": "medium", "l": "loose"}


Front = Literal["-y", "+y", "+x", "-x"]
"""A side of a model, by the axis of its file as Blender reads it."""
TURNS_DEG: dict[Front, float] = {"+y": 0.0, "-x": -90.0, "-y": 180.0, "+x": 90.0}
"""Turn about the vertical, anticlockwise from above, that takes each side to +y: there the camera
stands at yaw 0."""


class SodRandomise(Randomise):
    """What is drawn anew for each view; what is not named stays as it is."""

    hdri: Sky | None = None
    """Of a grid: how the HDRI stands and shines."""
    camera: OrbitJitter | None = None
    """How cameras differ from what yaw and pitch say."""
    materials: Finishes | None = None
    """What becomes of the model's materials."""


class SodBase(Recipe):
    """What both modes share."""

    roles: ClassVar[tuple[AssetRole, ...]] = ROLES

    kind: Literal["sod"] = "sod"
    """Name of the recipe."""
    fit: bool = False
    """Frame by the projected bounds, so that thin and flat models fill the picture too."""
    file_lights: bool = False
    """Keep the lights that a model's file brings."""
    front: Front = Field(default="+y", exclude_if=lambda front: front == "+y")
    """Side of the model that the camera sees at yaw 0; most models face -y, and show their back."""
    randomise: SodRandomise | None = Field(default=None, exclude_if=is_none)
    """What is drawn anew for each view: some of lights, exposure, hdri, camera, materials; each has
    fields of its own."""


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


def _grid_unless_said(value: Any) -> Any:
    return {"mode": "grid", **value} if isinstance(value, dict) else value


RecipeSpec = Annotated[
    Annotated[SodGrid | SodAugmented, Field(discriminator="mode")],
    BeforeValidator(_grid_unless_said),
]


class SodSetup(BaseSetup):
    """What the views of one model under one HDRI share."""

    kind: Literal["sod"] = "sod"
    file_lights: bool = False
    """Keep the lights that the model's file brings."""
    front: Front = Field(default="+y", exclude_if=lambda front: front == "+y")
    """Side of the model that is turned to +y."""


class SodView(BaseView):
    """A model seen from a dome, under a turned and dimmed environment."""

    kind: Literal["sod"] = "sod"
    camera: OrbitCamera
    light: Light
    drawn: Drawn | None = Field(default=None, exclude_if=is_none)
    """What `randomise` drew beside camera and environment."""

    @property
    def caption(self) -> str:
        camera, light = self.camera, self.light
        return (
            f"yaw {camera.yaw_deg:g}°  ·  pitch {camera.pitch_deg:g}°"
            f"  ·  {FRAMING_NAMES[camera.framing]}"
            f"  ·  light {light.rotation_deg:g}°, strength {light.strength:g}"
        )

    @property
    def facets(self) -> dict[str, str]:
        return {"framing": FRAMING_NAMES[self.camera.framing]}


Setup = SodSetup
View = SodView
