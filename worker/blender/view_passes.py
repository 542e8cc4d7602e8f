"""What Cycles must deliver for the passes of a task, and with how many samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from farm.spec.passes import AVERAGED, CARRIED, CUTOUTS, LIT, PICTURES, PassName

TOLD = ("surface_told", "object_index", "material_index")
"""Where the nodes of materials tell of surfaces, and where there are any."""
CYCLES_PASSES: dict[PassName, tuple[str, ...]] = {
    "rgb": ("environment",),
    "mask": (),
    "depth": ("z",),
    "distance": ("z",),
    "normal": ("normal",),
    "normal_world": ("normal",),
    "index": ("object_index",),
    "material": ("object_index", "material_index"),
    "flow_forward": ("vector",),
    "flow_backward": ("vector",),
    "flow_forward_valid": ("vector", "object_index", "z"),
    "flow_backward_valid": ("vector", "object_index", "z"),
    "position": ("position",),
    "albedo": ("diffuse_color",),
    "diffuse": ("diffuse_direct", "diffuse_indirect", "diffuse_color"),
    "specular": ("glossy_direct", "glossy_indirect", "glossy_color"),
    "cryptomatte": ("cryptomatte_object", "cryptomatte_material"),
    "uv": ("uv",),
    "tracks": ("z",),
    "blur": ("environment",),
    "rolling_shutter": ("environment",),
    "events": ("environment",),
    "amodal": ("object_index",),
    "linear": ("environment",),
    **dict.fromkeys(CUTOUTS, ("environment",)),
    "shadow": (),
    **dict.fromkeys(CARRIED, ("z", "object_index")),
    "base_color": ("surface_base", "surface_shares", *TOLD),
    "roughness": ("surface_finish", "surface_shares", *TOLD),
    "metallic": ("surface_finish", "surface_shares", *TOLD),
    "emission": ("surface_light", *TOLD),
    "transmission": ("surface_finish", "surface_shares", *TOLD),
    "opacity": TOLD,
    "normal_geometry": ("surface_normal", "normal", *TOLD),
    "surface_valid": ("surface_shares", *TOLD),
}
"""The passes of a view layer that each of ours is made of; `Combined` is always there."""
CHANNELS = {
    "z": 1, "environment": 3, "normal": 3, "object_index": 1, "material_index": 1, "vector": 4,
    "position": 3, "uv": 3, "diffuse_color": 3, "diffuse_direct": 3, "diffuse_indirect": 3,
    "glossy_color": 3, "glossy_direct": 3, "glossy_indirect": 3, "cryptomatte_object": 12,
    "cryptomatte_material": 12, "surface_base": 4, "surface_finish": 4, "surface_light": 4,
    "surface_normal": 4, "surface_shares": 4, "surface_told": 1,
}  # fmt: skip
"""Numbers per pixel of each; `Combined` has four."""
AOVS: dict[str, Literal["COLOR", "VALUE"]] = {
    "surface_base": "COLOR", "surface_finish": "COLOR", "surface_light": "COLOR",
    "surface_normal": "COLOR", "surface_shares": "COLOR", "surface_told": "VALUE",
}  # fmt: skip
"""Those that nodes of materials fill, see `materials.surface`, and their types."""
CENTRE_OF_MANY = frozenset({"z", "object_index", "material_index", "position"})
"""Cycles takes these from its first sample, which goes through the pixel's centre, however many
there are; all others it averages."""
MASK_SAMPLES = 16
"""Samples of the mask, at most, where Cycles does not make the picture as well."""
STICKY = frozenset({"vector", "cryptomatte_object", "cryptomatte_material", "uv"})
"""With data that it keeps from render to render, Cycles takes no notice when these go on or off:
flow would be that of things which come from nowhere, numbers of a cryptomatte that is no longer
asked for would be written over other passes, and meshes without a texture would have no uv."""
HIGHEST_INDEX = 32767
"""Blender numbers no more objects or materials."""
OPAQUE_FROM = 0.5
"""What is less opaque at a point is looked through by labels: a leaf is labelled, and not what its
picture has beside the leaf."""
HARDLY_OPAQUE = 1e-3
"""Where all materials are wholly solid or wholly clear, Cycles need only tell these apart."""


@dataclass(frozen=True)
class Sampling:
    """One call of Cycles: what it delivers, and how well."""

    cycles_passes: frozenset[str]
    samples: int
    denoise: bool
    lit: bool
    """Light matters: paths go on after what they meet first."""
    clear_cut: bool = False
    """Materials let all through or nothing, by `OPAQUE_FROM`."""
    noise_threshold: float | None = None
    """Noise at which a pixel gets no more samples; None: it gets all."""
    sharp: bool = False
    """All is in focus, although the camera has a depth of field."""
    named: bool = False
    """What the numbers of its cryptomatte mean is told as well."""

    @property
    def channels(self) -> int:
        """Numbers per pixel that it writes."""
        return 4 + sum(CHANNELS[name] for name in self.cycles_passes)


def plan_samplings(  # noqa: PLR0913 - what there is to know of a picture
    passes: Iterable[PassName],
    *,
    samples: int,
    denoise: bool,
    noise_threshold: float | None = None,
    see_through: bool = False,
    blurred: bool = False,
) -> tuple[Sampling, ...]:
    """Return what Cycles must be asked for to give `passes`: once, or once more for labels.

    Labels hold what is at the centre of each pixel. Where only they are wanted, one sample gives
    all of them. Beside a picture of many samples Cycles keeps those in `CENTRE_OF_MANY` exact, but
    averages normals, flow and texture coordinates, which at an edge are then of no surface: these
    come from one more sample of the same scene. So do all labels where the model is `see_through`:
    Cycles draws lots whether a sample ends at a surface that is half clear, labels must not. And so
    they do where the camera's depth of field leaves the picture `blurred`: a sample, the first one,
    too, then goes through some place of the aperture.
    """
    by_lot = see_through or blurred
    averaged = AVERAGED.intersection(passes)
    if not averaged:
        labels = needs(passes)
        return (label_sampling(labels, see_through=see_through, blurred=blurred),)
    centre = needs(set(passes) - AVERAGED)
    spoilt = samples > 1 and not centre <= CENTRE_OF_MANY
    apart = centre if spoilt or by_lot else frozenset()
    sticky = STICKY & (centre | needs(averaged))
    picture = Sampling(
        needs(averaged) | sticky | (centre - apart),
        samples,
        denoise=denoise and not PICTURES.isdisjoint(averaged),
        lit=not LIT.isdisjoint(averaged),
        noise_threshold=noise_threshold if samples > 1 else None,
        named="cryptomatte" in averaged,
    )
    if not apart:
        return (picture,)
    labels = apart | sticky
    return (picture, label_sampling(labels, see_through=see_through, blurred=blurred))


def plan_without_picture(
    passes: Iterable[PassName], *, samples: int, see_through: bool, blurred: bool
) -> tuple[Sampling, ...]:
    """Return what Cycles must be asked for where another engine makes the picture: all else.

    Light of a kind takes all samples, as it does beside a picture; what is a mean without light,
    such as the mask, takes `MASK_SAMPLES` at most.
    """
    left = tuple(name for name in passes if name not in PICTURES)
    dark = LIT.isdisjoint(left)
    return plan_samplings(
        left,
        samples=min(samples, MASK_SAMPLES) if dark else samples,
        denoise=False,
        see_through=see_through,
        blurred=blurred,
    )


def picture_alone(sampling: Sampling) -> Sampling:
    """Return what gives the same picture as `sampling`, without the labels beside it."""
    cycles_passes = needs(("rgb",)) | (sampling.cycles_passes & STICKY)
    return replace(sampling, cycles_passes=cycles_passes, named=False)


def environment_alone(sampling: Sampling) -> Sampling:
    """Return what gives the environment as `sampling` has it, of a view in which nothing stands."""
    return replace(picture_alone(sampling), denoise=False, noise_threshold=None)


def index_alone(sampling: Sampling, *, see_through: bool, blurred: bool) -> Sampling:
    """Return what tells which object each pixel shows beside `sampling`, as its labels have it."""
    kept = sampling.cycles_passes & STICKY
    return label_sampling(needs(("index",)) | kept, see_through=see_through, blurred=blurred)


def label_sampling(cycles_passes: frozenset[str], *, see_through: bool, blurred: bool) -> Sampling:
    """Return the one sample that labels are made of."""
    return Sampling(
        cycles_passes, 1, denoise=False, lit=False, clear_cut=see_through, sharp=blurred
    )


def needs(passes: Iterable[PassName]) -> frozenset[str]:
    """Return the passes of a view layer that `passes` are made of."""
    return frozenset(each for name in passes for each in CYCLES_PASSES[name])


def set_view_layer(layer: Any, cycles_passes: frozenset[str], *, clear_cut: bool) -> None:
    """Switch on these passes of a view layer, and no others."""
    layer.pass_alpha_threshold = HARDLY_OPAQUE if clear_cut else OPAQUE_FROM
    set_aovs(layer, cycles_passes & AOVS.keys())
    for name in CHANNELS.keys() - AOVS.keys():
        if getattr(layer, f"use_pass_{name}") != (name in cycles_passes):
            setattr(layer, f"use_pass_{name}", name in cycles_passes)


def set_aovs(layer: Any, wanted: frozenset[str]) -> None:
    """Let a view layer have these passes that materials fill, and none beside them."""
    for aov in list(layer.aovs):
        if aov.name not in wanted:
            layer.aovs.remove(aov)
    for name in sorted(wanted - {aov.name for aov in layer.aovs}):
        aov = layer.aovs.add()
        aov.name, aov.type = name, AOVS[name]
