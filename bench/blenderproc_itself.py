"""BlenderProc itself, as a baseline, in an environment of its own: Python 3.11 and bpy 4.

    USE_EXTERNAL_BPY_MODULE=1 PYTHONPATH=... python blenderproc_itself.py '{"scenes": [...], ...}'

Run by `bench/tabletop_speed.py --blenderproc`. It takes the same scenes as
`bench/blenderproc_steps.py`, through BlenderProc's public functions alone.
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

TABLE_M = (1.0, 0.7, 0.03)


def main() -> None:
    """Make the views of the scenes that the command line tells of."""
    asked = json.loads(sys.argv[1])
    bproc.init()
    for number, scene in enumerate(asked["scenes"]):
        if number:
            bproc.clean_up()
        make(scene, asked)


def make(scene: dict[str, Any], asked: dict[str, Any]) -> None:
    """Load, simulate, render each view with its segmentation, and write."""
    table = bproc.object.create_primitive("CUBE", scale=[side / 2 for side in TABLE_M])
    table.set_location([0.0, 0.0, -TABLE_M[2] / 2])
    table.set_cp("category_id", 1)
    table.enable_rigidbody(active=False, collision_shape="BOX")
    rng = np.random.default_rng(scene["seed"])
    for number, file in enumerate(scene["models"]):
        [thing] = bproc.loader.load_obj(file)
        x, y = rng.uniform(-0.3, 0.3, 2) * TABLE_M[:2]
        thing.set_location([x, y, 0.15 + 0.12 * number])
        thing.set_rotation_euler(rng.uniform(0, 2 * np.pi, 3))
        thing.set_cp("category_id", 2 + number)
        thing.enable_rigidbody(active=True, collision_shape="CONVEX_HULL")
    bproc.object.simulate_physics_and_fix_final_poses(
        min_simulation_time=2, max_simulation_time=4, check_object_interval=1
    )
    bproc.world.set_world_background_hdr_img(asked["hdr"])
    bproc.camera.set_resolution(asked["pixels"], asked["pixels"])
    bproc.renderer.set_max_amount_of_samples(asked["samples"])
    bproc.renderer.set_noise_threshold(0)
    bproc.renderer.set_denoiser("INTEL" if asked["denoise"] else None)
    bproc.renderer.set_light_bounces(
        diffuse_bounces=4, glossy_bounces=4, transmission_bounces=12, max_bounces=12
    )
    bproc.renderer.enable_depth_output(activate_antialiasing=False)
    for number, pose in enumerate(scene["cameras"]):
        bproc.utility.reset_keyframes()
        bproc.camera.add_camera_pose(np.array(pose))
        data = bproc.renderer.render()
        data.update(bproc.renderer.render_segmap(map_by=["instance", "class"]))
        bproc.writer.write_hdf5(str(Path(scene["folder"]) / f"{number:03d}"), data)


if __name__ == "__main__":
    main()
