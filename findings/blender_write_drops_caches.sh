#!/usr/bin/env bash
# `bpy.data.libraries.write` leaves out what was baked into the caches of objects, and keeps the scene's own.
#
# Versions: bpy 5.2.3, Python 3.13
# Behaviour: cloth and rigid bodies are baked into memory (`is_baked`, frames in memory). In a file that
#   `bpy.data.libraries.write` makes of the scene, the cache of the rigid body world is baked as before, and that of the
#   cloth is empty and not baked. `wm.save_as_mainfile(copy=True)` keeps both. Nothing is raised or warned of.
# Output seen:
#   save_as_mainfile: cloth True, rigid body world True
#   libraries.write: cloth False, rigid body world True
# Source: https://docs.blender.org/api/current/bpy.types.BlendDataLibraries.html#bpy.types.BlendDataLibraries.write
#   ("Write data-blocks into a blend file."; "Indirectly referenced data-blocks will be expanded and written too.")
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cd "$folder"

"$folder/venv/bin/python" - <<'PY' | grep -E '^(save|libraries|expected)'
import sys

import bpy


def a_sheet(name, height):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    item = bpy.data.objects.new(name, mesh)
    item.location.z = height
    bpy.context.scene.collection.objects.link(item)
    return item


def baked_in(path):
    bpy.ops.wm.open_mainfile(filepath=path)
    scene = next(scene for scene in bpy.data.scenes if scene.rigidbody_world)
    cloth = scene.objects["flag"].modifiers["Cloth"].point_cache
    return cloth.is_baked, scene.rigidbody_world.point_cache.is_baked


bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.frame_end = 5
a_sheet("flag", 2).modifiers.new("Cloth", "CLOTH").point_cache.frame_end = 5
bpy.ops.rigidbody.world_add()
scene.rigidbody_world.collection = bpy.data.collections.new("bodies")
scene.rigidbody_world.collection.objects.link(a_sheet("body", 4))
scene.rigidbody_world.point_cache.frame_end = 5
bpy.ops.ptcache.bake_all(bake=True)
bpy.ops.wm.save_as_mainfile(filepath="whole.blend", copy=True)
bpy.data.libraries.write("written.blend", {scene})

whole, written = baked_in("whole.blend"), baked_in("written.blend")
print("save_as_mainfile: cloth {}, rigid body world {}".format(*whole))
print("libraries.write: cloth {}, rigid body world {}".format(*written))
if (whole, written) != ((True, True), (False, True)):
    print("expected something else")
    sys.exit(1)
PY
