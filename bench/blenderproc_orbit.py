"""Views of one model by BlenderProc, in an environment of its own: Python 3.11 and bpy 4.5.

    USE_EXTERNAL_BPY_MODULE=1 PYTHONPATH=... python blenderproc_orbit.py '{"model": ..., ...}'

Run by `bench/blenderproc_speed.py`, through BlenderProc's public functions alone and as its
documentation advises: all cameras are registered first and rendered by one call, files stay where
the renderer writes them, and nothing is read back but the segmentation. With `"write"` it saves the
model that all ways load.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before numpy, which BlenderProc must find, too
    sys.path += [path for path in sys.path if path.endswith("site-packages")]

import blenderproc as bproc  # type: ignore[import-not-found]  # it has an environment of its own
import numpy as np


def main() -> None:
    """Make the views that the command line tells of, or the model."""
    asked = json.loads(sys.argv[1])
    bproc.init()
    if "write" in asked:
        write_model(asked["write"])
    else:
        make(asked)


def make(asked: dict[str, Any]) -> None:
    """Load, render all views, and write their files."""
    folder = Path(asked["folder"])
    for thing in bproc.loader.load_blend(asked["model"]):
        thing.set_cp("category_id", 1)
    bproc.world.set_world_background_hdr_img(asked["hdr"])
    bproc.camera.set_resolution(asked["pixels"], asked["pixels"])
    bproc.camera.set_intrinsics_from_blender_params(lens=asked["fov_rad"], lens_unit="FOV")
    bproc.renderer.set_max_amount_of_samples(asked["samples"])
    bproc.renderer.set_noise_threshold(0)
    bproc.renderer.set_denoiser("INTEL" if asked["denoise"] else None)
    bproc.renderer.set_cpu_threads(0)
    bproc.renderer.set_light_bounces(**asked["bounces"])
    bproc.renderer.set_output_format(view_transform="AgX")
    for pose in asked["cameras"]:
        bproc.camera.add_camera_pose(np.array(pose))
    if asked["labels"]:
        bproc.renderer.enable_depth_output(
            activate_antialiasing=False, output_dir=str(folder / "depth")
        )
        bproc.renderer.enable_normals_output(output_dir=str(folder / "normals"))
    bproc.renderer.render(output_dir=str(folder / "images"), return_data=False)
    found = bproc.renderer.render_segmap(map_by=["instance"])
    write_masks(folder / "masks", found["instance_segmaps"])


def write_masks(folder: Path, masks: list[np.ndarray]) -> None:
    """Write what the segmentation found, as PNG."""
    import cv2  # type: ignore[import-not-found]

    folder.mkdir(parents=True)
    for number, mask in enumerate(masks):
        cv2.imwrite(str(folder / f"{number:04d}.png"), (mask > 0).astype(np.uint8) * 255)


def write_model(path: str) -> None:
    """Save Suzanne, subdivided and scaled to 1, so that every Blender from 4 on can read it."""
    import bpy

    bpy.ops.mesh.primitive_monkey_add()
    context: Any = bpy.context
    monkey = context.object
    modifier = monkey.modifiers.new("subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = 2
    bpy.ops.object.modifier_apply(modifier=modifier.name)
    corners = np.array([tuple(corner) for corner in monkey.bound_box])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = 1 / float((high - low).max())
    monkey.scale = (scale, scale, scale)
    monkey.location = tuple(-(low + high) / 2 * scale)
    material = bpy.data.materials.new("clay")
    material.use_nodes = True
    monkey.data.materials.append(material)
    bpy.ops.wm.save_as_mainfile(filepath=path)


if __name__ == "__main__":
    main()
