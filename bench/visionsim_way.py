"""The way of visionsim 0.1 to render sequences, as a baseline: its steps, written for Blender 5.

    python -m bench.visionsim_way '{"sequences": [...], "width": 320, ...}'

Its own code builds a compositor as Blender had it before version 5. Its steps are kept: the file is
opened anew for each sequence, persistent data is on, and each frame is shown, then rendered with
`write_still`, while the compositor writes depth, normals that it turns into the camera's frame by
three dot products, both flows as RGBA and the index of objects as ZIP-compressed EXR, and beside
each a preview as PNG. Its remote procedure calls are left out, in its favour.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

PREVIEW_COMPRESSION = 90
NUMBER = "#" * 6
"""Stands for the frame's number in names of files."""


@dataclass(frozen=True)
class Sequence:
    """Frames of a scene, ends included, and the folder that gets them."""

    scene: str
    start: int
    end: int
    folder: str


def main() -> None:
    """Render the sequences that the command line tells of."""
    asked = json.loads(sys.argv[1])
    for sequence in asked.pop("sequences"):
        render(Sequence(**sequence), **asked)


def render(  # noqa: PLR0913 - what there is to choose
    sequence: Sequence,
    *,
    width: int,
    height: int,
    samples: int,
    denoise: bool,
    noise_threshold: float | None,
) -> None:
    """Open the scene and render the frames."""
    bpy.ops.wm.read_factory_settings()
    bpy.ops.wm.open_mainfile(filepath=sequence.scene)
    context: Any = bpy.context
    scene, root = context.scene, Path(sequence.folder)
    set_up(scene, width=width, height=height)
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.use_denoising = "CPU", samples, denoise
    cycles.use_adaptive_sampling = noise_threshold is not None
    if noise_threshold is not None:
        cycles.adaptive_threshold = noise_threshold
    rows = Compositor(scene, root).rows
    frames = [
        render_frame(scene, root, rows, frame) for frame in range(sequence.start, sequence.end + 1)
    ]
    (root / "transforms.json").write_text(json.dumps({"frames": frames}, indent=2))


def set_up(scene: Any, *, width: int, height: int) -> None:
    """Set what visionsim sets whatever is asked for."""
    render = scene.render
    render.use_compositing = render.use_persistent_data = True
    render.film_transparent = False
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.image_settings.file_format = "PNG"
    render.image_settings.color_depth = "8"
    scene.frame_start, scene.frame_end = 0, 1_048_574
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_normal = True
    layer.use_pass_vector = layer.use_pass_object_index = True
    indices = np.arange(len(bpy.data.objects))
    np.random.default_rng(1234).shuffle(indices)
    for index, item in zip(indices.tolist(), bpy.data.objects, strict=True):
        item.pass_index = index + 1


def render_frame(scene: Any, root: Path, rows: Iterable[Any], frame: int) -> dict[str, Any]:
    """Render a frame and return what `transforms.json` tells of it."""
    scene.frame_set(frame)
    pose = np.array(scene.camera.matrix_world)
    for node, row in zip(rows, pose[:3, :3].T, strict=True):  # visionsim has drivers for it
        node.inputs[1].default_value = row.tolist()
    name = f"frames/frame_{frame:06}.png"
    scene.render.filepath = str(root / name)
    bpy.ops.render.render(write_still=True)
    return {"file_path": name, "transform_matrix": pose.tolist()}


class Compositor:
    """Writes the passes and their previews beside the picture."""

    def __init__(self, scene: Any, root: Path) -> None:
        self.root = root
        groups: Any = bpy.data.node_groups
        self.tree = groups.new("passes", "CompositorNodeTree")
        scene.compositing_node_group = self.tree
        self.tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        layers = self._node("CompositorNodeRLayers").outputs
        self._link(layers["Image"], self._node("NodeGroupOutput").inputs[0])
        self._write("depths/depth", layers["Depth"], "FLOAT", exr="BW")
        self._write("depths/debug_depth", self._normalized(layers["Depth"]), "FLOAT", png="BW")
        self.rows: list[Any] = []
        """Nodes that take the rows of the camera's rotation."""
        normal = self._turned(layers["Normal"])
        self._write("normals/normal", normal, "VECTOR", exr="RGB")
        self._write("normals/debug_normal", self._coloured(normal), "RGBA", png="RGB")
        self._write("flows/flow", layers["Vector"], "RGBA", exr="RGBA")
        self._write("flows/debug_fwd_flow", self._wheel(layers["Vector"]), "RGBA", png="RGB")
        index = layers["Object Index"]
        self._write("segmentations/segmentation", index, "FLOAT", exr="BW")
        self._write("segmentations/debug_segmentation", self._hue(index), "RGBA", png="RGB")

    def _write(self, path: str, socket: Any, kind: str, *, exr: str = "", png: str = "") -> None:
        folder, _, stem = path.partition("/")
        node = self._node("CompositorNodeOutputFile")
        node.directory, node.file_name = str(self.root / folder), ""
        node.format.media_type = "IMAGE"
        node.format.file_format = "OPEN_EXR" if exr else "PNG"
        node.format.color_mode = exr or png
        node.format.color_depth = "32" if exr else "8"
        node.format.color_management = "OVERRIDE"
        if exr:
            node.format.exr_codec = "ZIP"
            node.format.linear_colorspace_settings.name = "Non-Color"
        else:
            node.format.compression = PREVIEW_COMPRESSION
            node.format.view_settings.view_transform = "Raw"
        node.file_output_items.new(kind, f"{stem}_{NUMBER}")
        self._link(socket, node.inputs[0])

    def _turned(self, normal: Any) -> Any:
        """Return normals in the camera's frame."""
        joined = self._node("ShaderNodeCombineXYZ")
        for axis in range(3):
            row = self._node("ShaderNodeVectorMath", "DOT_PRODUCT")
            self._link(normal, row.inputs[0])
            self._link(row.outputs["Value"], joined.inputs[axis])
            self.rows.append(row)
        return joined.outputs[0]

    def _coloured(self, normal: Any) -> Any:
        parts, joined = (
            self._node("ShaderNodeSeparateXYZ"),
            self._node("CompositorNodeCombineColor"),
        )
        self._link(normal, parts.inputs[0])
        for axis in range(3):
            half = self._node("ShaderNodeMath", "MULTIPLY_ADD")
            half.use_clamp = True
            half.inputs[1].default_value = half.inputs[2].default_value = 0.5
            self._link(parts.outputs[axis], half.inputs[0])
            self._link(half.outputs[0], joined.inputs[axis])
        return joined.outputs[0]

    def _wheel(self, vector: Any) -> Any:
        """Return the flow's direction as hue, its length as brightness."""
        parts = self._node("CompositorNodeSeparateColor")
        self._link(vector, parts.inputs[0])
        x, y = parts.outputs[0], parts.outputs[1]
        angle = self._math("ARCTAN2", y, x)
        hue = self._math("MULTIPLY_ADD", angle, 0.5 / np.pi, 0.5)
        length = self._math("SQRT", self._math("ADD", self._squared(x), self._squared(y)))
        return self._hsv(hue, self._normalized(length))

    def _hue(self, index: Any) -> Any:
        """Return the number of an object as hue; where there is none, black."""
        seen = self._math("ADD", index, 0.0)
        seen.node.use_clamp = True
        return self._hsv(self._math("DIVIDE", index, float(len(bpy.data.objects))), seen)

    def _hsv(self, hue: Any, brightness: Any) -> Any:
        node = self._node("CompositorNodeCombineColor")
        node.mode = "HSV"
        node.inputs[1].default_value = 1.0
        self._link(hue, node.inputs[0])
        self._link(brightness, node.inputs[2])
        return node.outputs[0]

    def _squared(self, socket: Any) -> Any:
        return self._math("POWER", socket, 2.0)

    def _normalized(self, socket: Any) -> Any:
        node = self._node("CompositorNodeNormalize")
        self._link(socket, node.inputs[0])
        return node.outputs[0]

    def _math(self, operation: str, *values: Any) -> Any:
        node = self._node("ShaderNodeMath", operation)
        for value, socket in zip(values, node.inputs, strict=False):
            if isinstance(value, float):
                socket.default_value = value
            else:
                self._link(value, socket)
        return node.outputs[0]

    def _node(self, kind: str, operation: str = "") -> Any:
        node = self.tree.nodes.new(kind)
        if operation:
            node.operation = operation
        return node

    def _link(self, source: Any, target: Any) -> None:
        self.tree.links.new(source, target)


if __name__ == "__main__":
    main()
