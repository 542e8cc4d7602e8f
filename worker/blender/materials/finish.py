"""How materials treat light, as far as their nodes tell it in numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from worker.blender.materials.emission import active_nodes, emits
from worker.blender.materials.textures import is_missing
from worker.blender.materials.transparency import as_number, is_socket, source
from worker.finish import PLAIN, Finish

MOST_PX = 1 << 20
"""Pixels of a texture from which on a smaller copy of it is read."""
SMALL_PX = 512
"""Longer side of that copy."""
LITTLE = 0.2
"""Most metal, glass or clearness that leaves a surface the colour that it scatters."""
SCATTERING = frozenset(
    {
        "ShaderNodeBsdfDiffuse", "ShaderNodeSubsurfaceScattering", "ShaderNodeBsdfTranslucent",
        "ShaderNodeBsdfSheen",
    }
)  # fmt: skip
MIXING = frozenset({"ShaderNodeMixShader", "ShaderNodeAddShader", "ShaderNodeGroup"})


def finish_of(material: bpy.types.Material) -> Finish:
    """Return how a material treats light; of what its nodes mix, only whether it scatters."""
    tree: Any = material.node_tree
    if tree is None:
        return PLAIN
    output = tree.get_output_node("CYCLES")
    shader = source(output.inputs["Surface"]) if output is not None else None
    if shader is None:
        return Finish()
    if shader.node.bl_idname == "ShaderNodeBsdfPrincipled":
        return of_principled(shader.node)
    if shader.node.bl_idname == "ShaderNodeBsdfDiffuse":
        return PLAIN
    return Finish(scatters=all(scatters(node) for node in active_nodes(tree)))


def of_principled(node: Any) -> Finish:
    """Return what the numbers of a Principled BSDF say."""
    return Finish(
        metallic=number_at(node.inputs["Metallic"]),
        transmission=number_at(node.inputs["Transmission Weight"]),
        roughness=number_at(node.inputs["Roughness"]),
        alpha=number_at(node.inputs["Alpha"]),
        scatters=scatters(node),
    )


def scatters(node: Any) -> bool:
    """Tell whether a node leaves a surface the colour that it scatters."""
    if emits(node):
        return False
    if node.bl_idname == "ShaderNodeBsdfPrincipled":
        alpha = number_at(node.inputs["Alpha"])
        hiding = [
            number_at(node.inputs["Metallic"]),
            number_at(node.inputs["Transmission Weight"]),
            0.0 if alpha is None else 1.0 - alpha,  # a leaf's: what is cut out is not looked at
        ]
        return all(each is not None and each <= LITTLE for each in hiding)
    gives_shader = any(each.type == "SHADER" and each.enabled for each in node.outputs)
    return not gives_shader or node.bl_idname in SCATTERING | MIXING


def number_at(socket: Any) -> float | None:
    """Return what an input gets: its value, or the mean of the texture that it is linked to."""
    output = source(socket)
    if output is None:
        value = socket.default_value
        return None if is_socket(value) else as_number(value)
    reader = READERS.get(output.node.bl_idname)
    return reader(output) if reader is not None else None


def of_value(output: Any) -> float | None:
    """Return what a Value node gives."""
    return float(output.default_value)


def of_image(output: Any) -> float | None:
    """Return the mean of a texture; of a coloured one that of its luminance."""
    means = means_of(output.node.image)
    if means is None:
        return None
    if output.name == "Alpha":
        return float(means[3])
    return float(means[:3] @ (0.2126, 0.7152, 0.0722))


def of_channel(output: Any) -> float | None:
    """Return the mean of one channel of a texture, as glTF packs them."""
    node = output.node
    before = source(node.inputs[0])
    if node.mode != "RGB" or before is None or before.node.bl_idname != "ShaderNodeTexImage":
        return None
    means = means_of(before.node.image) if before.name == "Color" else None
    return None if means is None else float(means[list(node.outputs).index(output)])


def of_product(output: Any) -> float | None:
    """Return a product, as importers write a texture with a factor."""
    if output.node.operation != "MULTIPLY":
        return None
    one, other = (number_at(socket) for socket in output.node.inputs[:2])
    return None if one is None or other is None else one * other


READERS: dict[str, Callable[[Any], float | None]] = {
    "ShaderNodeValue": of_value,
    "ShaderNodeTexImage": of_image,
    "ShaderNodeSeparateColor": of_channel,
    "ShaderNodeMath": of_product,
}
"""By kind of node; what others give is not known."""


def means_of(image: Any) -> NDArray[np.float64] | None:
    """Return the means (4,) of a texture's channels, linear; None where it cannot be read."""
    if image is None or image.source not in ("FILE", "GENERATED") or is_missing(image):
        return None
    width, height = image.size
    if width * height == 0:
        return None
    if width * height <= MOST_PX:
        return means_of_pixels(image)
    small = image.copy()
    try:
        factor = SMALL_PX / max(width, height)
        small.scale(max(1, round(width * factor)), max(1, round(height * factor)))
        return means_of_pixels(small)
    finally:
        bpy.data.images.remove(small)


def means_of_pixels(image: Any) -> NDArray[np.float64]:
    """Return the means (4,) of the channels of a texture, linear."""
    flat = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(flat)
    values = flat.reshape(-1, image.channels)
    if (
        image.colorspace_settings.name == "sRGB" and not image.is_float
    ):  # whose pixels are as its file has them
        low = values[:, :3] / 12.92
        high = ((values[:, :3] + 0.055) / 1.055) ** 2.4
        values[:, :3] = np.where(values[:, :3] <= 0.04045, low, high)
    means = values.mean(axis=0, dtype=np.float64)
    if image.channels == 4:
        return means
    grey = means[:3] if image.channels == 3 else np.repeat(means[:1], 3)
    return np.append(grey, 1.0)
