"""What Cycles itself has of some objects, were nothing else there: all others are taken away."""

from __future__ import annotations

from collections.abc import Collection

import bpy
import numpy as np

from worker.blender.session import BlenderSession
from worker.images.multilayer import read_index

SURFACED = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME"}


def alone(blender: BlenderSession, indices: Collection[int]) -> np.ndarray:
    """Return the silhouette (H, W) of objects by their numbers, as the scene stands."""
    others = [
        item
        for item in bpy.data.objects
        if item.type in SURFACED and item.pass_index not in indices and not item.hide_render
    ]
    for item in others:
        item.hide_render = True
    try:
        return read_index(blender.render_index()) > 0
    finally:
        for item in others:
            item.hide_render = False
