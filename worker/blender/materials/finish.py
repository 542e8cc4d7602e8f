"""How materials treat light, as far as their nodes tell it in numbers."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from worker.blender.materials.emission import active_nodes, emits
from worker.blender.materials.moving import moves
from worker.blender.materials.textures import file_of, is_missing
from worker.blender.materials.transparency import as_number, is_socket, source
from worker.finish import PLAIN, Finish
from worker.images.texture_means import MOST_PX, linear, texture_means

Numbers = NDArray[np.float64]

FLOATS = (".exr", ".hdr")
"""Textures that only Blender reads."""
DEEPEST = 8
"""Products within products that are read."""
LITTLE = 0.2
"""Most metal, glass or clearness that leaves a surface the colour that it scatters."""
SCATTERING = frozenset(
    {
        "ShaderNodeBsdfDiffuse", "ShaderNodeSubsurfaceScattering", "ShaderNodeBsdfTranslucent",
        "ShaderNodeBsdfSheen",
    }
)  # fmt: skip
MIXING = frozenset({"ShaderNodeMixShader", "ShaderNodeAddShader", "ShaderNodeGroup"})


class Finishes:
    """Reads how materials treat light; a texture that several inputs share is read once."""

    def __init__(self) -> None:
        self._means: dict[int, Numbers | None] = {}

    def of(self, material: bpy.types.Material) -> Finish:
        """Return how a material treats light; of what its nodes mix, only whether it scatters."""
        tree: Any = material.node_tree
        if tree is None:
            return PLAIN
        output = tree.get_output_node("CYCLES")
        shader = source(output.inputs["Surface"]) if output is not None else None
        if shader is None:
            return Finish()
        if shader.node.bl_idname == "ShaderNodeBsdfPrincipled":
            return self._of_principled(shader.node)
        if shader.node.bl_idname == "ShaderNodeBsdfDiffuse":
            return PLAIN
        return Finish(scatters=all(self._scatters(node) for node in active_nodes(tree)))

    def _of_principled(self, node: Any) -> Finish:
        """Return what the numbers of a Principled BSDF say."""
        return Finish(
            metallic=self._number_at(node.inputs["Metallic"]),
            transmission=self._number_at(node.inputs["Transmission Weight"]),
            roughness=self._number_at(node.inputs["Roughness"]),
            alpha=self._number_at(node.inputs["Alpha"]),
            scatters=self._scatters(node),
        )

    def _scatters(self, node: Any) -> bool:
        """Tell whether a node leaves a surface the colour that it scatters."""
        if emits(node):
            return False
        if node.bl_idname == "ShaderNodeBsdfPrincipled":
            alpha = self._number_at(node.inputs["Alpha"])
            hiding = [
                self._number_at(node.inputs["Metallic"]),
                self._number_at(node.inputs["Transmission Weight"]),
                0.0 if alpha is None else 1.0 - alpha,  # of a leaf, what is cut out is not seen
            ]
            return all(each is not None and each <= LITTLE for each in hiding)
        gives_shader = any(each.type == "SHADER" and each.enabled for each in node.outputs)
        return not gives_shader or node.bl_idname in SCATTERING | MIXING

    def _number_at(self, socket: Any, depth: int = 0) -> float | None:
        """Return what an input gets: its value, or the mean of the texture it is linked to.

        What other nodes decide is not known.
        """
        output = source(socket)
        if output is None:
            value = socket.default_value
            return None if is_socket(value) or moves(socket) else as_number(value)
        kind = output.node.bl_idname
        if kind == "ShaderNodeValue":
            return None if moves(output) else float(output.default_value)
        if kind == "ShaderNodeTexImage":
            return self._of_image(output)
        if kind == "ShaderNodeSeparateColor":
            return self._of_channel(output)
        if kind == "ShaderNodeMath" and depth < DEEPEST:
            return self._of_product(output, depth + 1)
        return None

    def _of_image(self, output: Any) -> float | None:
        """Return the mean of a texture; of a coloured one that of its luminance."""
        means = self._means_of(output.node.image)
        if means is None:
            return None
        if output.name == "Alpha":
            return float(means[3])
        return float(means[:3] @ (0.2126, 0.7152, 0.0722))

    def _of_channel(self, output: Any) -> float | None:
        """Return the mean of one channel of a texture, as glTF packs them."""
        node = output.node
        before = source(node.inputs[0])
        if node.mode != "RGB" or before is None or before.node.bl_idname != "ShaderNodeTexImage":
            return None
        means = self._means_of(before.node.image) if before.name == "Color" else None
        return None if means is None else float(means[list(node.outputs).index(output)])

    def _of_product(self, output: Any, depth: int) -> float | None:
        """Return a product, as importers write a texture with a factor."""
        if output.node.operation != "MULTIPLY":
            return None
        one, other = (self._number_at(socket, depth) for socket in output.node.inputs[:2])
        return None if one is None or other is None else one * other

    def _means_of(self, image: Any) -> Numbers | None:
        """Return the means (4,) of a texture's channels, linear; None where it cannot be read."""
        if image is None:
            return None
        if image.session_uid not in self._means:
            self._means[image.session_uid] = means_of(image)
        return self._means[image.session_uid]


def means_of(image: Any) -> Numbers | None:
    """Return the means (4,) of a texture's channels, linear; None where it cannot be read."""
    if image.source == "GENERATED":
        return means_of_pixels(image)
    if image.source != "FILE" or is_missing(image):
        return None
    if image.filepath.lower().endswith(FLOATS):
        means = means_of_pixels(image)
        image.buffers_free()  # Cycles reads files on its own
        return means
    data = image.packed_file.data if image.packed_file is not None else file_of(image).read_bytes()
    return texture_means(data, encoded=image.colorspace_settings.name == "sRGB")


def means_of_pixels(image: Any) -> Numbers | None:
    """Return the means (4,) of the channels of a texture that Blender has read, linear."""
    width, height = image.size
    if not 0 < width * height <= MOST_PX:
        return None
    flat = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(flat)
    values = flat.reshape(-1, image.channels).astype(np.float64)
    if image.colorspace_settings.name == "sRGB" and not image.is_float:
        values[:, :3] = linear(values[:, :3])
    means: Numbers = values.mean(axis=0)
    if image.channels == 4:
        return means
    grey = means[:3] if image.channels == 3 else np.repeat(means[:1], 3)
    return np.append(grey, 1.0)
