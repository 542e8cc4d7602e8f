#!/usr/bin/env bash
# Versions: bpy 5.2.3, Python 3.13
# Behaviour: a rigid body falls, frame by frame. In the frame after the first one of its cache, its `pass_index` is set (or its
#   `color`, its `hide_render`, a material): nothing that has to do with physics. The viewport's depsgraph has the body
#   where it is, and a render of the same frame draws it where it was when it was made a rigid body: at the origin, 4 units
#   below, although its own location was set to z = 4 before the simulation began. The simulation loses a step as well.
#   Any change of the object marks the cache of the whole world as outdated, and the render's depsgraph, which meets the
#   world for the first time, then makes Bullet's bodies anew. Without the change, the render agrees.
# Output seen:
#   nothing changed:  frame 2 evaluated 3.991, rendered 3.991; frame 3 evaluated 3.964
#   pass_index set:   frame 2 evaluated 3.991, rendered 0.000; frame 3 evaluated 3.991
# Source: https://docs.blender.org/manual/en/latest/physics/baking.html ("The result of a simulation is automatically cached to
#   memory when the animation is played, so that the next time it runs, it can be replayed more quickly by reading the
#   results from the memory"); https://docs.blender.org/api/current/bpy.types.Object.html ("pass_index: Index number for
#   the 'Object Index' render pass")
set -euo pipefail

python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | head -1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check bpy==5.2.3
cd "$folder"

cat >fall.py <<'PY'
import sys

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
scene, rendered = bpy.context.scene, []


class Look(bpy.types.RenderEngine):
    """Draws nothing, and notes where things are in the depsgraph of the render."""

    bl_idname, bl_label = "LOOK", "Look"

    def render(self, depsgraph):
        rendered.extend(
            each.object.matrix_world.translation.z
            for each in depsgraph.object_instances
            if each.object.type == "MESH"
        )


bpy.utils.register_class(Look)
scene.render.engine = "LOOK"
scene.render.resolution_x = scene.render.resolution_y = 16
scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(scene.camera)
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
bpy.ops.rigidbody.object_add()


def height():
    return cube.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world.translation.z


scene.frame_set(1)
cube.location.z = 4.0
bpy.context.view_layer.update()
scene.frame_set(2)
if "change" in sys.argv:
    cube.pass_index = 3
bpy.context.view_layer.update()
second = height()
bpy.ops.render.render()
scene.frame_set(3)
print("TOLD", f"{second:.3f}", f"{rendered[0]:.3f}", f"{height():.3f}")
PY
told() { "$folder/venv/bin/python" fall.py "$@" 2>/dev/null | grep '^TOLD' | cut -d' ' -f2-; }
read -r second drawn third < <(told)
echo "nothing changed:  frame 2 evaluated $second, rendered $drawn; frame 3 evaluated $third"
read -r second_changed drawn_changed third_changed < <(told change)
echo "pass_index set:   frame 2 evaluated $second_changed, rendered $drawn_changed; frame 3 evaluated $third_changed"
[[ "$second $drawn $third" == "3.991 3.991 3.964" ]]
[[ "$second_changed $drawn_changed $third_changed" == "3.991 0.000 3.991" ]]
