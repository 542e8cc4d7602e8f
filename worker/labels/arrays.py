"""Label passes as datasets have them, from the passes that Cycles has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.projection import depths, distances
from farm.soundness import lengths_of
from farm.spec.camera import Matrix4
from farm.spec.passes import PassName
from farm.spec.record import CameraRecord
from worker.images.multilayer import Passes
from worker.labels import layers, surface

Floats = NDArray[np.float32]
NOTHING_FROM = 1e9
"""Cycles' depth where there is nothing is 1e10."""

ROUNDING = 1e-6
"""Share of the picture's longer side that is lost in the numbers that Cycles takes flow from."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """What the labels of a view depend on besides the pixels."""

    camera: CameraRecord
    world_from_scene: Matrix4
    """From the renderer's coordinates to those in which the record speaks: a turn and a shift."""
    gain: float
    """Factor on light."""
    materials: int = 0
    """How many have a number; what has no material gets the next one."""
    exposure: float = 1.0
    """Factor on the picture alone."""
    shadowed: bool = False
    """The shadow on the ground is in the picture."""

    @property
    def brightness(self) -> float:
        """Factor on light that makes it that of the picture."""
        return self.gain * self.exposure

    @property
    def turn(self) -> NDArray[np.float64]:
        """The turn (3, 3) in `world_from_scene`."""
        return np.array(self.world_from_scene, dtype=np.float64)[:3, :3]


def label_array(name: PassName, passes: Passes, geometry: Geometry) -> NDArray[Any]:
    """Return a label pass.

    Returns:
        `index` and `material`: (H, W) uint16; `cryptomatte`: (H, W, channels) float32, in the
        order of `Passes.cryptomatte_channels`; others: float32, (H, W) or (H, W, channels).
    """
    return MAKERS[name](passes, geometry)


def depth(passes: Passes, geometry: Geometry) -> Floats:
    """Return the distance (H, W) along the camera's axis; infinite where there is nothing."""
    return depths(reach(passes), geometry.camera)


def distance(passes: Passes, geometry: Geometry) -> Floats:
    """Return the distance (H, W) along the rays; infinite where there is nothing."""
    return distances(reach(passes), geometry.camera)


def reach(passes: Passes) -> Floats:
    """Return Cycles' own depth (H, W), of which the lens says what it is."""
    z = passes.layers["Depth"][..., 0]
    return np.asarray(np.where(z < NOTHING_FROM, z, np.inf), dtype=np.float32)


def normal_world(passes: Passes, geometry: Geometry) -> Floats:
    """Return unit vectors (H, W, 3) in the record's world, (0, 0, 0) where there is nothing."""
    return unit(turned(passes.layers["Normal"], geometry.turn))


def normal(passes: Passes, geometry: Geometry) -> Floats:
    """Return unit vectors (H, W, 3) in the camera's frame: x right, y up, z towards it."""
    world_from_camera = np.array(geometry.camera.world_from_camera)[:3, :3]
    return unit(turned(passes.layers["Normal"], world_from_camera.T @ geometry.turn))


def normal_geometry(passes: Passes, geometry: Geometry) -> Floats:
    """Return unit vectors (H, W, 3) in the camera's frame, without bump and normal maps."""
    world_from_camera = np.array(geometry.camera.world_from_camera)[:3, :3]
    return unit(turned(surface.normal_in_scene(passes), world_from_camera.T @ geometry.turn))


def position(passes: Passes, geometry: Geometry) -> Floats:
    """Return points (H, W, 3) in the record's world, (0, 0, 0) where there is nothing."""
    scene = passes.layers["Position"]
    shift = np.array(geometry.world_from_scene)[:3, 3]
    there = any_of(scene != 0)[..., None]
    return np.asarray(turned(scene, geometry.turn) + shift * there, dtype=np.float32)


def index(passes: Passes, geometry: Geometry) -> NDArray[np.uint16]:
    """Return the numbers (H, W) of objects, 0 where there is nothing."""
    return seen_index(passes)


def seen_index(passes: Passes) -> NDArray[np.uint16]:
    """Return the same; it does not depend on where they are."""
    return np.rint(passes.layers["Object Index"][..., 0]).astype(np.uint16)


def material(passes: Passes, geometry: Geometry) -> NDArray[np.uint16]:
    """Return the numbers (H, W) of materials, 0 where there is nothing."""
    found = np.rint(passes.layers["Material Index"][..., 0]).astype(np.uint16)
    bare = (found == 0) & (passes.layers["Object Index"][..., 0] > 0)
    return np.where(bare, np.uint16(geometry.materials + 1), found)


def flow_forward(passes: Passes, geometry: Geometry) -> Floats:
    """Return where points (H, W, 2) will be in the next frame: pixels, x right, y down."""
    vector = passes.layers["Vector"]  # (previous - this, this - next), y up
    return settled(np.stack([-vector[..., 2], vector[..., 3]], axis=-1))


def flow_backward(passes: Passes, geometry: Geometry) -> Floats:
    """Return where points (H, W, 2) were in the frame before: pixels, x right, y down."""
    vector = passes.layers["Vector"]
    return settled(np.stack([vector[..., 0], -vector[..., 1]], axis=-1))


def albedo(passes: Passes, geometry: Geometry) -> Floats:
    """Return the share of light (H, W, 3) that surfaces scatter, linear."""
    return passes.layers["Diffuse Color"]


def diffuse(passes: Passes, geometry: Geometry) -> Floats:
    """Return the light (H, W, 3) that surfaces scatter, linear."""
    return light(passes, "Diffuse", geometry.gain)


def specular(passes: Passes, geometry: Geometry) -> Floats:
    """Return the light (H, W, 3) that surfaces reflect, linear."""
    return light(passes, "Glossy", geometry.gain)


def uv(passes: Passes, geometry: Geometry) -> Floats:
    """Return texture coordinates (H, W, 2), as the model has them."""
    return passes.layers["UV"][..., :2]


def cryptomatte(passes: Passes, geometry: Geometry) -> Floats:
    """Return ids and their coverages (H, W, channels)."""
    return np.concatenate([passes.layers[name] for name in passes.cryptomatte_layers], axis=-1)


def linear(passes: Passes, geometry: Geometry) -> layers.Halves:
    """Return the picture (H, W, 3) before its view transform."""
    return layers.halves(passes.picture(gain=geometry.brightness, shadowed=geometry.shadowed))


def shadow(passes: Passes, geometry: Geometry) -> layers.Halves:
    """Return the share of light (H, W, 3) that the shadow on the ground leaves."""
    return layers.halves(passes.shadow)


def foreground_linear(passes: Passes, geometry: Geometry) -> Floats:
    """Return the light (H, W, 4) of all but the environment, and the share that it covers."""
    return layers.foreground(passes, gain=geometry.brightness)


def background_linear(passes: Passes, geometry: Geometry) -> Floats:
    """Return the light (H, W, 3) of the environment alone."""
    return layers.background(passes, gain=geometry.brightness)


MAKERS: dict[PassName, Callable[[Passes, Geometry], NDArray[Any]]] = {
    "depth": depth,
    "distance": distance,
    "normal": normal,
    "normal_world": normal_world,
    "index": index,
    "material": material,
    "flow_forward": flow_forward,
    "flow_backward": flow_backward,
    "position": position,
    "albedo": albedo,
    "diffuse": diffuse,
    "specular": specular,
    "cryptomatte": cryptomatte,
    "uv": uv,
    "linear": linear,
    "foreground_linear": foreground_linear,
    "background_linear": background_linear,
    "shadow": shadow,
    "base_color": lambda passes, _geometry: surface.base_color(passes),
    "roughness": lambda passes, _geometry: surface.finish("roughness", passes),
    "metallic": lambda passes, _geometry: surface.finish("metallic", passes),
    "transmission": lambda passes, _geometry: surface.finish("transmission", passes),
    "emission": lambda passes, _geometry: surface.emission(passes),
    "opacity": lambda passes, _geometry: surface.opacity(passes),
    "normal_geometry": normal_geometry,
    "surface_valid": lambda passes, _geometry: surface.surface_valid(passes),
}
"""All that are no pictures."""


def light(passes: Passes, kind: str, gain: float) -> Floats:
    """Return the light of one kind (H, W, 3), which Cycles keeps apart from the colour."""
    layers = passes.layers
    shining = layers[f"{kind} Direct"] + layers[f"{kind} Indirect"]
    return np.asarray(shining * layers[f"{kind} Color"] * np.float32(gain), dtype=np.float32)


def settled(flow: Floats) -> Floats:
    """Return a flow (H, W, 2) in which what moves by no more than Cycles rounds stands still."""
    return np.where(np.abs(flow) > ROUNDING * max(flow.shape[:2]), flow, np.float32(0.0))


def any_of(channels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of which pixels (H, W) any channel (H, W, channels) is true; numpy's own `any` takes five
    times as long for so few channels."""
    found = channels[..., 0].copy()
    for at in range(1, channels.shape[-1]):
        found |= channels[..., at]
    return found


def turned(vectors: Floats, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply a (3, 3) turn to vectors (H, W, 3)."""
    return vectors.astype(np.float64) @ turn.T


def unit(vectors: NDArray[np.float64]) -> Floats:
    """Return vectors (H, W, 3) with the length 1; those without any stay as they are."""
    lengths = lengths_of(vectors)[..., None]
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    return vectors.astype(np.float32)
