"""How pictures are rendered and stored, whatever the recipe."""

from __future__ import annotations

import math
import operator
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from farm.spec.base import Spec
from farm.spec.left_out import is_none, usual
from farm.spec.quote import quoted

ImageFormat = Literal["png", "jxl"]
ViewTransform = Literal["AgX", "Filmic", "Standard"]
Engine = Literal["cycles", "eevee"]
Background = Literal["traced", "looked_up"]
Quality = Literal["plain", "draft", "standard", "reference", "auto"]
Pack = Literal["files", "webdataset", "parquet"]
Prefilter = Literal["accurate", "fast"]
"""How the denoiser cleans what guides it: `accurate`, Blender's own choice, takes longer."""

RESOLUTION_MIN_PX = 64
RESOLUTION_MAX_PX = 8192
MOST_STOPS = 20.0
HIGH_RESOLUTION_PX = 2048
"""From this size (the longer side) on, denoising and 128 samples are the default."""


def parse_resolution(value: Any) -> Any:
    """Turn `640`, `"640"`, `"1280x720"` or `[1280, 720]` into (width, height), pixels.

    Raises:
        ValueError: Not of these forms, or a side outside 64..8192.
    """
    sides = value.lower().replace(" ", "").split("x") if isinstance(value, str) else value
    sides = list(sides) if isinstance(sides, list | tuple) else [sides]
    if len(sides) == 1:
        sides *= 2
    try:
        width, height = map(_whole, sides)
    except (TypeError, ValueError):
        raise ValueError(
            f"{quoted(value)} is neither a number such as 640 nor WxH such as 1280x720"
        ) from None
    for side in (width, height):
        if side > RESOLUTION_MAX_PX:
            raise ValueError(f"{quoted(side)} is more than {RESOLUTION_MAX_PX}")
        if side < RESOLUTION_MIN_PX:
            raise ValueError(f"{quoted(side)} is less than {RESOLUTION_MIN_PX}")
    return (width, height)


def _whole(side: Any) -> int:
    if isinstance(side, bool):
        raise TypeError(side)
    return int(side) if isinstance(side, str) else operator.index(side)


Resolution = Annotated[
    tuple[int, int],
    BeforeValidator(parse_resolution, json_schema_input_type=int | str | tuple[int, int]),
]


def parse_exposure(value: Any) -> Any:
    """Turn `none`, `auto`, `1.5` or `"-0.5"` into an exposure; 0 stops are none.

    Raises:
        ValueError: Not of these forms, or not within 20 stops.
    """
    word = value.strip().lower() if isinstance(value, str) else value
    if word in ("none", "auto"):
        return word
    try:
        stops = math.nan if isinstance(word, bool) else float(word)
    except (TypeError, ValueError):
        stops = math.nan
    if not abs(stops) <= MOST_STOPS:
        raise ValueError(
            f"{quoted(value)} is neither none nor auto nor a number of stops within "
            f"-{MOST_STOPS:g}..{MOST_STOPS:g}, such as -1.5"
        )
    return stops or "none"


Exposure = Annotated[
    Literal["none", "auto"] | float,
    BeforeValidator(parse_exposure, json_schema_input_type=Literal["none", "auto"] | float),
]


class RenderSettings(Spec):
    """Size, quality and file format of the pictures; fields left out follow from the rest."""

    resolution: Resolution = (640, 640)
    """Pixels, 64 to 8192: one number for a square, or WxH."""
    quality: Quality = Field(default="plain", exclude_if=usual("plain"))
    """What the fields below are where they are left out: `plain`, as they say; `draft`, `standard`,
    `reference`, for a first look, for training, and to measure others by; `auto`, for each model
    what is quickest at no more error than `plain`."""
    samples: int | None = Field(default=None, ge=1, le=65536)
    """Cycles samples per pixel; left out: by `quality`, of plain 64, or 128 from 2048 px up."""
    denoise: bool | None = None
    """Denoise the picture (never the labels); left out: by `quality`, of plain from 2048 px up."""
    noise_threshold: float | None = Field(default=None, gt=0.0, le=1.0, exclude_if=is_none)
    """Noise at which a pixel of the picture gets no more samples, such as 0.05 (Cycles' adaptive
    sampling); left out: all pixels get all samples."""
    format: ImageFormat | None = None
    """`png` or `jxl` (JPEG XL, lossless); left out: the recipe's choice."""
    bit_depth: Literal[8, 16] = 8
    """Bits per channel of the pictures and masks."""
    view_transform: ViewTransform = "AgX"
    """From scene-linear light to sRGB, the same for all views."""
    exposure: Exposure = Field(default="none", exclude_if=usual("none"))
    """Stops by which pictures are brighter than their light makes them: a number, or `auto`: of
    each HDRI as many as make a grey ball under it as bright as under a white sky of strength 1."""
    previews: bool = True
    """Write 8-bit pictures of labels, too, for people to look at."""
    pack: Pack = Field(default="files", exclude_if=usual("files"))
    """How views are kept: `files`, each by itself; or all files of some views in one, for large
    jobs, of stores that bill each object or take only so many: `webdataset`, in a tar file, or
    `parquet`, as rows of a table that Hugging Face's `datasets` and its Hub read."""
    engine: Engine = Field(default="cycles", exclude_if=usual("cycles"))
    """What makes the picture: `cycles`, or `eevee`, which is quick on a GPU and less exact. Labels
    and mask are by Cycles in any case."""
    background: Background | None = Field(default=None, exclude_if=is_none)
    """Where a picture shows the HDRI alone: `traced` by Cycles like the rest, or `looked_up` in the
    HDRI itself, which has no noise; then only the rectangle around the models is rendered. Models
    of which that rectangle is not surely known are traced. Left out: by `quality`, of plain
    traced."""

    @model_validator(mode="before")
    @classmethod
    def _usual_background_is_left_out(cls, data: Any) -> Any:
        """Let who says what is usual ask for the same as who says nothing."""
        if not isinstance(data, dict) or data.get("quality", "plain") != "plain":
            return data
        usual = data.get("background") == "traced"
        return {name: data[name] for name in data if name != "background"} if usual else data

    @model_validator(mode="after")
    def _eevee_has_no_noise(self) -> Self:
        """EEVEE has neither a denoiser nor a measure of noise, and draws what is behind itself.

        Raises:
            ValueError: One of these is asked of it.
        """
        if self.engine == "eevee":
            asked = {name: getattr(self, name) for name in ("denoise", "noise_threshold")}
            asked["background"] = self.background == "looked_up"
            asked["quality"] = self.quality != "plain"
            for name in (name for name, value in asked.items() if value):
                raise ValueError(f"{name} is for engine: cycles; leave it out with eevee")
        return self

    @model_validator(mode="after")
    def _auto_chooses(self) -> Self:
        """What is measured is not also said.

        Raises:
            ValueError: It is.
        """
        if self.quality == "auto":
            for name in ("samples", "denoise"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"{name} is what quality: auto finds out; leave it out, or take another "
                        "quality, such as standard"
                    )
        return self


class ResolvedRender(Spec):
    """`RenderSettings` with every choice made: what a worker gets."""

    resolution_px: tuple[int, int]
    """(width, height)."""
    samples: int
    denoise: bool
    format: ImageFormat
    bit_depth: Literal[8, 16]
    view_transform: ViewTransform
    previews: bool = True
    pack: Pack = Field(default="files", exclude_if=usual("files"))
    noise_threshold: float | None = Field(default=None, exclude_if=is_none)
    engine: Engine = Field(default="cycles", exclude_if=usual("cycles"))
    background: Background = Field(default="traced", exclude_if=usual("traced"))
    exposure: Exposure = Field(default="none", exclude_if=usual("none"))
    quality: Quality = Field(default="plain", exclude_if=usual("plain"))
    prefilter: Prefilter = Field(default="accurate", exclude_if=usual("accurate"))


class Preset(NamedTuple):
    """What a quality stands for."""

    samples: int
    denoise: bool
    background: Background
    prefilter: Prefilter = "accurate"


def preset_of(quality: Quality, *, high: bool) -> Preset:
    """Return what a quality stands for in pictures of up to 2047 px, or in higher ones.

    Those of `auto` are those of `standard`, where nothing can be measured. High pictures are
    denoised with all samples even when plain: `standard` saves their background alone.
    """
    plain = Preset(128 if high else 64, high, "traced")
    if quality == "plain":
        return plain
    if quality == "draft":
        return Preset(16, denoise=True, background="looked_up", prefilter="fast")
    if quality == "reference":
        return Preset(1024, denoise=False, background="looked_up")
    if high:
        return plain._replace(background="looked_up")
    return Preset(48, denoise=True, background="looked_up", prefilter="fast")


def resolve_render(settings: RenderSettings, *, default_format: ImageFormat) -> ResolvedRender:
    """Make the choices that `settings` leaves open."""
    high = max(settings.resolution) >= HIGH_RESOLUTION_PX
    preset = preset_of(settings.quality, high=high)
    denoised = preset.denoise and settings.engine == "cycles"
    return ResolvedRender(
        resolution_px=settings.resolution,
        samples=settings.samples or preset.samples,
        denoise=denoised if settings.denoise is None else settings.denoise,
        format=settings.format or default_format,
        bit_depth=settings.bit_depth,
        view_transform=settings.view_transform,
        previews=settings.previews,
        pack=settings.pack,
        noise_threshold=settings.noise_threshold,
        engine=settings.engine,
        background=settings.background or preset.background,
        exposure=settings.exposure,
        quality=settings.quality,
        prefilter=preset.prefilter,
    )
