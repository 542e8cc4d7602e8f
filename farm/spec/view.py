"""One picture to take."""

from __future__ import annotations

from farm.spec.base import Spec
from farm.spec.camera import OrbitCamera


class Light(Spec):
    """How the HDR environment stands and shines."""

    rotation_deg: float = 0.0
    """Turn of the environment about +Z (Blender's `Mapping.Rotation.z`)."""
    strength: float = 1.0
    """Factor on the environment's radiance."""


class View(Spec):
    """One picture to take: camera, light, seed; every number is final."""

    index: int
    """Place in the dataset's order."""
    name: str
    """Stem of the view's files, the same in every pass's folder."""
    camera: OrbitCamera
    light: Light
    seed: int
    """Cycles' sampling seed, 0..2^31-1."""
