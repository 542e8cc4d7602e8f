"""The world: one HDR environment, or none, that lights the models and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from farm.errors import AssetError, StorageError
from farm.spec.asset import Asset
from worker.assets.check import check_asset
from worker.blender.scratch import LastMade
from worker.panorama.backdrop import Floats, Panorama, View, even
from worker.panorama.correct import Picture, Shelf, corrected
from worker.panorama.metering import stops_for

log = logging.getLogger(__name__)

IMPORTANCE_MAP_PX = 2048
"""Width of the map by which Cycles aims its rays at what is bright. Its own choice, 4096, takes
three times as long to build (about a second on a CPU, per HDRI) for 0.5 % less noise."""
SUN_THRESHOLD = 10.0
"""Light from which on EEVEE takes it for a sun's, which casts shadows; Blender's default, in units
of the environment's own light."""
MOST_TEXELS = 1 << 26
"""Larger pictures are not looked up: their numbers would take more than a gigabyte."""
WHITE = (1.0, 1.0, 1.0, 1.0)


class Environment:
    """The world of the session's own scene: which picture it shows, and how strongly."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._world = add_world(scene)
        self._shown: tuple[tuple[str, str], bpy.types.Image] | None = None
        self._notes: tuple[str, ...] = ()
        self._panorama: Panorama | None = None
        self._even = True
        self._stops: dict[str, float] = {}
        self._last_made = LastMade()
        self.shelf: Shelf = self._last_made
        """Keeps corrected pictures."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was corrected of the picture that shines, and what was found."""
        return () if self._even else self._notes

    @property
    def image(self) -> bpy.types.Image | None:
        """The picture that is shown."""
        return self._shown[1] if self._shown else None

    def load(self, asset: Asset) -> None:
        """Show the picture of an environment, unless it is shown already.

        Raises:
            AssetError: It is not an HDR environment, or damaged.
        """
        key = (asset.sha256, asset.path)
        if self._shown is None or self._shown[0] != key:
            self._bring(asset, key)
        self._even = False
        shine(self._world, picture=True)

    def shine_evenly(self) -> None:
        """Shine white from everywhere; the picture of before is not seen."""
        self._even = True
        shine(self._world, picture=False)

    def _bring(self, asset: Asset, key: tuple[str, str]) -> None:
        check_asset(asset)
        self._shown = self._panorama = None  # its picture may go as soon as there is another
        picture = self._corrected(asset)
        image = load_picture(picture.path, asset.path)
        set_picture(self._world, image)
        self._shown, self._notes = (key, image), picture.notes

    def _corrected(self, asset: Asset) -> Picture:
        """Return the picture of an environment as its header means it."""
        try:
            return corrected(asset, self.shelf)
        except StorageError as error:
            if asset.in_library or self.shelf is self._last_made:
                raise
            log.warning("a corrected environment was not cached: %s", error)
        return corrected(asset, self._last_made)

    def set_strength(self, strength: float) -> None:
        """Multiply the light of the picture."""
        set_strength(self._world, strength)

    @property
    def strength(self) -> float:
        """What the light of the picture is multiplied by in the scene."""
        tree: Any = self._world.node_tree
        return float(tree.nodes["background"].inputs["Strength"].default_value)

    def backdrop(self, view: View) -> Callable[[], Floats] | None:
        """Return what makes the environment as a camera sees it, on any thread and also after the
        scene has changed; None where its picture is too large to be looked up.
        """
        strength = np.float32(self.strength)
        if self._even or self._shown is None:
            return lambda: even(float(strength), view.size_px)
        image: Any = self._shown[1]
        width, height = image.size
        if width * height > MOST_TEXELS:
            return None
        panorama = self._panorama = self._panorama or Panorama(texels_of(image))
        return lambda: panorama.seen(view) * strength

    def metered(self) -> float:
        """Return by how many stops pictures are to be brighter, so that all environments light a
        grey ball alike; each is measured once.
        """
        if self._even or self._shown is None:
            return 0.0
        (sha256, _), image = self._shown
        if sha256 not in self._stops:
            self._stops[sha256] = stops_for(texels_of(image))
        return self._stops[sha256]

    def close(self) -> None:
        """Remove what was made of the last picture."""
        self._last_made.close()


def add_world(scene: bpy.types.Scene) -> bpy.types.World:
    """Give `scene` a world that is white, and has a place for the picture of an environment."""
    world = bpy.data.worlds.new("environment")
    scene.world = world
    sampling: Any = world
    sampling.cycles.sampling_method = "MANUAL"
    sampling.cycles.sample_map_resolution = IMPORTANCE_MAP_PX
    tree: Any = world.node_tree
    tree.nodes.clear()
    picture = tree.nodes.new("ShaderNodeTexEnvironment")
    picture.name = "picture"
    background = tree.nodes.new("ShaderNodeBackground")
    background.name = "background"
    background.inputs["Color"].default_value = WHITE
    output = tree.nodes.new("ShaderNodeOutputWorld")
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    return world


def shine(world: bpy.types.World, *, picture: bool) -> None:
    """Light by the environment's picture, or evenly; a change costs Cycles most of a second."""
    tree: Any = world.node_tree
    colour = tree.nodes["background"].inputs["Color"]
    if colour.is_linked == picture:
        return
    if picture:
        tree.links.new(tree.nodes["picture"].outputs["Color"], colour)
    else:
        tree.links.remove(colour.links[0])


def load_picture(path: Path, asset: str) -> bpy.types.Image:
    """Load the picture of an environment, which `asset` names, and make sure that it is decoded.

    Raises:
        AssetError: It cannot be.
    """
    image: Any
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise AssetError(asset, "Blender cannot load it") from error
    if not all(image.size):  # Cycles would show pink and say nothing
        bpy.data.images.remove(image)
        raise AssetError(asset, "its pixels cannot be decoded: the file is damaged")
    image.colorspace_settings.name = "Linear Rec.709"
    image.buffers_free()  # Cycles reads the file itself
    loaded: bpy.types.Image = image
    return loaded


def texels_of(image: Any) -> Floats:
    """Return the linear pixels (H, W, 3) of a picture, the top row first."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    image.buffers_free()
    return np.ascontiguousarray(pixels.reshape(height, width, 4)[::-1, :, :3])


def set_picture(world: bpy.types.World, image: bpy.types.Image) -> None:
    """Show `image` and free the one that was shown before."""
    tree: Any = world.node_tree
    node = tree.nodes["picture"]
    before, node.image = node.image, image
    if before is not None and before != image:
        bpy.data.images.remove(before)


def set_strength(world: bpy.types.World, strength: float) -> None:
    """Multiply the environment's light; only on a change, as it costs Cycles most of a second."""
    tree: Any = world.node_tree
    socket = tree.nodes["background"].inputs["Strength"]
    if socket.default_value != strength:
        socket.default_value = strength
        world.sun_threshold = SUN_THRESHOLD * strength
