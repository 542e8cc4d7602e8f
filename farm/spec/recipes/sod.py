"""Salient object detection: one model under one HDRI per view, picture and mask."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from farm.spec.recipes.base import Recipe
from farm.spec.render import ImageFormat


class SodBase(Recipe):
    """What both modes share."""

    kind: Literal["sod"] = "sod"
    """Name of the recipe."""
    fit: bool = False
    """Frame by the projected bounds, so that thin and flat models fill the picture too."""
    file_lights: bool = False
    """Keep the lights that a model's file brings."""
    allow_empty_masks: bool = False
    """Keep views in which nothing of the model is to be seen, such as a sheet of paper from its
    edge; else they fail, each by its name."""


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
