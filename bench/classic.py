"""The classic way to render picture and mask, as a baseline: two renders for each view.

The world is turned and dimmed in its node tree, Blender writes PNG files, the mask is cut out of
the second one, and JPEG XL (effort 7) is made of both afterwards.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import imagecodecs
from mathutils import Matrix

from farm.spec.camera import orbit_matrix
from farm.spec.recipes.sod import SodView
from farm.spec.task import RenderTask


class Classic:
    """A scene with one model under one HDRI, made anew from Blender's defaults."""

    def __init__(self, task: RenderTask, folder: Path, *, persistent: bool) -> None:
        self.task = task
        self.folder = folder
        bpy.ops.wm.read_factory_settings(use_empty=True)
        context: Any = bpy.context
        self.scene = context.scene
        self.background, self.mapping = self._add_world()
        self._add_model()
        self._set_up(persistent=persistent)
        camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.scene.collection.objects.link(camera)
        self.scene.camera = camera

    def render(self, view: SodView) -> None:
        """Render one view twice and encode both files."""
        assert self.scene.camera is not None
        self.scene.camera.matrix_world = Matrix(
            orbit_matrix(
                yaw_deg=view.camera.yaw_deg,
                pitch_deg=view.camera.pitch_deg,
                distance=view.camera.distance,
            )
        )
        self.mapping.inputs["Rotation"].default_value[2] = math.radians(view.light.rotation_deg)
        self.background.inputs["Strength"].default_value = view.light.strength
        self.scene.cycles.seed = view.seed
        picture = self._render(view.name, transparent=False, mode="RGB")
        cut_out = self._render(f"{view.name}-rgba", transparent=True, mode="RGBA")
        pixels = imagecodecs.png_decode(picture.read_bytes())
        mask = imagecodecs.png_decode(cut_out.read_bytes())[..., 3].copy()
        for folder, data in (("images", pixels), ("masks", mask)):
            encoded = imagecodecs.jpegxl_encode(data, lossless=True, effort=7)
            path = self.folder / folder / f"{view.name}.jxl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded)

    def _render(self, name: str, *, transparent: bool, mode: str) -> Path:
        path = self.folder / f"{name}.png"
        render = self.scene.render
        render.film_transparent = transparent
        render.image_settings.color_mode = mode
        render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        return path

    def _set_up(self, *, persistent: bool) -> None:
        settings = self.task.render
        render, cycles = self.scene.render, self.scene.cycles
        render.engine = "CYCLES"
        render.resolution_x, render.resolution_y = settings.resolution_px
        render.image_settings.file_format = "PNG"
        render.use_persistent_data = persistent
        self.scene.view_settings.view_transform = settings.view_transform
        cycles.device = "CPU"
        cycles.samples = settings.samples
        cycles.use_adaptive_sampling = False
        cycles.use_denoising = settings.denoise

    def _add_world(self) -> tuple[Any, Any]:
        world = bpy.data.worlds.new("world")
        self.scene.world = world
        world.use_nodes = True
        tree = world.node_tree
        assert tree is not None
        texture: Any = tree.nodes.new("ShaderNodeTexEnvironment")
        texture.image = bpy.data.images.load(self.task.of("hdrs")[0].path)
        mapping = tree.nodes.new("ShaderNodeMapping")
        coordinates = tree.nodes.new("ShaderNodeTexCoord")
        background = tree.nodes["Background"]
        tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
        tree.links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
        tree.links.new(texture.outputs["Color"], background.inputs["Color"])
        return background, mapping

    def _add_model(self) -> None:
        """Append the file's one mesh; it is centred and of size 1 already."""
        libraries: Any = bpy.data.libraries
        with libraries.load(self.task.of("models")[0].path) as (there, here):
            here.objects = there.objects
        for item in here.objects:
            self.scene.collection.objects.link(item)
