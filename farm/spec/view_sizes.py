"""Sizes of the files of views, estimated before anything is rendered."""

from __future__ import annotations

from farm.spec.job import Job
from farm.spec.passes import PASSES, PassName
from farm.spec.render import ImageFormat

# Bytes per pixel: the mean of what the sample models and the BlenderKit-like ones took, 8 bits.
BYTES_PER_PX: dict[tuple[PassName, ImageFormat], float] = {
    ("rgb", "png"): 1.35,
    ("mask", "png"): 0.03,
    ("rgb", "jxl"): 0.85,
    ("mask", "jxl"): 0.015,
    ("blur", "png"): 1.2,
    ("blur", "jxl"): 0.75,
    ("rolling_shutter", "png"): 1.35,
    ("rolling_shutter", "jxl"): 0.85,
    ("background", "png"): 1.2,
    ("background", "jxl"): 0.8,
}
LABEL_BYTES_PER_PX: dict[PassName, float] = {
    "depth": 0.7,
    "distance": 0.7,
    "normal": 1.5,
    "normal_world": 1.5,
    "index": 0.025,
    "material": 0.025,
    "flow_forward": 0.3,
    "flow_backward": 0.3,
    "flow_forward_valid": 0.03,
    "flow_backward_valid": 0.03,
    "position": 2.0,
    "albedo": 0.5,
    "diffuse": 1.7,
    "specular": 1.6,
    "cryptomatte": 0.4,
    "uv": 0.7,
    "events": 1.0,
    "base_color": 0.6,
    "roughness": 0.2,
    "metallic": 0.1,
    "emission": 0.1,
    "transmission": 0.1,
    "opacity": 0.1,
    "normal_geometry": 1.5,
    "surface_valid": 0.025,
    "scene_flow_forward": 1.5,
    "scene_flow_backward": 1.5,
    "scene_flow_forward_world": 0.6,
    "scene_flow_backward_world": 0.6,
    "occlusion_forward": 0.02,
    "occlusion_backward": 0.02,
    "out_of_frame_forward": 0.01,
    "out_of_frame_backward": 0.01,
    "linear": 4.0,
    "foreground": 0.9,
    "foreground_linear": 3.5,
    "background_linear": 9.0,
    "shadow": 1.5,
}
"""Mean of five sample models that fill the picture; the flow of a still one is smaller."""
PLAYING_BYTES_PER_PX: dict[PassName, float] = {
    "depth": 1.5,
    "distance": 3.5,
    "position": 6.5,
    "flow_forward": 4.5,
    "flow_backward": 4.5,
}
"""The same of scenes, which have no empty space around them and are passed by a camera."""
PREVIEW_BYTES = 10_000
ARRAYS_BYTES: dict[PassName, float] = {"tracks": 10_000, "amodal": 4_000}
"""Of a file of arrays, with as many rows as is usual: no size of a picture changes it."""


def view_bytes(job: Job) -> float:
    """Estimate the files of one view; a stream stores none."""
    if job.stream is not None:
        return 0.0
    return sum(pass_bytes(name, job) for name in job.spec.passes)


def pass_bytes(name: PassName, job: Job) -> float:
    """Estimate the files of a pass of one view."""
    width, height = job.render.resolution_px
    if PASSES[name].kind == "picture":
        deep = 2.2 if job.render.bit_depth == 16 else 1.0
        return BYTES_PER_PX[name, job.render.format] * deep * width * height
    if name in ARRAYS_BYTES:
        return ARRAYS_BYTES[name]
    plays = any(role.kind == "scene" for role in job.spec.recipe.roles)
    per_px = (PLAYING_BYTES_PER_PX if plays else {}).get(name, LABEL_BYTES_PER_PX[name])
    return per_px * width * height + PREVIEW_BYTES * job.render.previews
