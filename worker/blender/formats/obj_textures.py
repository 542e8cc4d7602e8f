"""Textures of an .obj as its materials mean them: Blender takes each for a colour, masks too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy
import numpy as np

from worker.blender.materials.textures import file_of, is_missing

NUMBERS = {"Roughness", "Metallic", "Sheen Weight", "Normal"}
"""Inputs of a Principled BSDF that textures of numbers feed."""
COUNTS = {"Roughness": -1, "Metallic": 0}
"""Which of the textures that Blender links to one input is that of `map_Pr` and `map_Pm`."""
WITH_ALPHA = {16, 32, 64, 128}
"""Bits per pixel of pictures that have an alpha channel."""
LOOKED_AT_PX = 4096 * 4096
"""Largest picture of which every alpha is looked at; of a larger one, it counts if it is there."""


def settle(materials: Iterable[bpy.types.Material]) -> None:
    """Let textures of numbers be read as they are, and masks without an alpha by their grey.

    Args:
        materials: What came with the file.
    """
    trees: list[Any] = [each.node_tree for each in materials if each.node_tree is not None]
    for tree in trees:
        thin_out(tree)
    nodes = [node for tree in trees for node in pictured(tree)]
    colours = {node.image for node in nodes if ends_of(node) - {"Alpha"} - NUMBERS}
    twins: dict[Any, Any] = {}
    for node in nodes:
        ends, image = ends_of(node), node.image
        if ends == {"Alpha"} and image not in colours and not has_alpha(image):
            unmask(node)
        elif not ends or not ends <= NUMBERS:
            continue
        if image in colours and image not in twins:
            twins[image] = bpy.data.images.load(str(file_of(image)), check_existing=False)
        node.image = twins.get(image, image)
        node.image.colorspace_settings.name = "Non-Color"


def thin_out(tree: Any) -> None:
    """Leave one texture to each input: `map_Pr` counts before `map_Ns`, `map_Pm` before `refl`."""
    for name, which in COUNTS.items():
        links = [link for link in tree.links if link.to_socket.name == name]
        for link in links:
            if link != links[which]:
                tree.links.remove(link)


def pictured(tree: Any) -> Iterator[Any]:
    """Yield the nodes that show a picture which is there."""
    for node in tree.nodes:
        shows = isinstance(node, bpy.types.ShaderNodeTexImage) and node.image is not None
        if shows and not is_missing(node.image):
            yield node


def ends_of(node: Any) -> set[str]:
    """Return the names of the inputs of a Principled BSDF that a texture feeds."""
    links = [link for socket in node.outputs for link in socket.links]
    return {
        "Normal" if link.to_node.bl_idname == "ShaderNodeNormalMap" else link.to_socket.name
        for link in links
    }


def has_alpha(image: Any) -> bool:
    """Tell whether a picture has an alpha channel that says anything."""
    if image.depth not in WITH_ALPHA:
        return False
    width, height = image.size
    if width * height > LOOKED_AT_PX:
        return True
    pixels = np.empty(width * height * image.channels, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    return bool(pixels[image.channels - 1 :: image.channels].min(initial=1.0) < 1.0)


def unmask(node: Any) -> None:
    """Let what a texture's alpha feeds be fed by its grey."""
    for link in list(node.outputs["Alpha"].links):
        node.id_data.links.new(node.outputs["Color"], link.to_socket)
