#!/usr/bin/env bash
# Hair dynamics whose bake ends before about frame 100 are not rendered at all; freed, the same cache renders them.
#
# Versions: bpy 5.2.3, Python 3.13
# Behaviour: hair with `use_hair_dynamics` and 5 steps is baked into memory until some frame. Frame 6 of a bake until 70 is
#   rendered without any hair (the strands of the render have no points), of one until 80 with it: a bake must reach the frame
#   100 x (1 - 1 / hair_step), in which Blender counts hair as grown but for its last key. Nothing is raised or warned of.
#   After `ptcache.free_bake`, which keeps the frames in memory, the hair of the short bake is there, as it was baked.
# Output seen:
#   baked until 12: nothing; freed: tip at 1.73
#   baked until 70: nothing; freed: tip at 1.73
#   baked until 80: tip at 1.73; freed: tip at 1.73
# Source: https://docs.blender.org/manual/en/latest/physics/baking.html (a bake keeps the result of the simulation for each frame of its range)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 numpy==2.5.1

cd "$folder"

"$folder/venv/bin/python" - <<'PY' | grep -E '^(baked until|expected)'
import sys

import bpy
import numpy as np


class Look(bpy.types.RenderEngine):
    """A renderer that looks where the tips of the hair are, and draws nothing."""

    bl_idname = "LOOK"
    bl_label = "Look"
    tip = None

    def render(self, depsgraph):
        head = bpy.context.scene.objects["head"].evaluated_get(depsgraph)
        hair = head.particle_systems[0]
        last = 1 << hair.settings.render_step
        tips = [hair.co_hair(head, particle_no=at, step=last) for at in range(len(hair.particles))]
        Look.tip = float(np.mean(tips, axis=0)[2])


bpy.utils.register_class(Look)


def tip():
    bpy.context.scene.frame_set(6)
    bpy.ops.render.render()
    return f"tip at {Look.tip:.2f}" if Look.tip else "nothing"


def look(end):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "LOOK"
    scene.camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    scene.collection.objects.link(scene.camera)
    mesh = bpy.data.meshes.new("head")
    mesh.from_pydata([(-0.6, -0.6, 1), (0.6, -0.6, 1), (0.6, 0.6, 1), (-0.6, 0.6, 1)], [], [(0, 1, 2, 3)])
    head = bpy.data.objects.new("head", mesh)
    head.rotation_euler.y = 0.3
    scene.collection.objects.link(head)
    hair = head.modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system
    hair.settings.type, hair.settings.count, hair.settings.hair_length = "HAIR", 12, 0.8
    hair.use_hair_dynamics = True
    hair.point_cache.frame_end = end
    for frame in range(1, 13):
        scene.frame_set(frame)
    with bpy.context.temp_override(object=head, active_object=head, point_cache=hair.point_cache):
        bpy.ops.ptcache.bake(bake=True)
        baked = tip()
        bpy.ops.ptcache.free_bake()
    freed = tip()
    print(f"baked until {end}: {baked}; freed: {freed}")
    return baked, freed


short, middle, long = look(12), look(70), look(80)
is_so = short[0] == middle[0] == "nothing" != long[0] and short[1] == middle[1] == long[0]
print("" if is_so else "expected: something else than the header says")
sys.exit(not is_so)
PY
