#!/usr/bin/env bash
# `ptcache.bake_all` leaves hair dynamics unbaked; `ptcache.bake` of the same cache bakes them.
#
# Versions: bpy 5.2.3, Python 3.13
# Behaviour: hair with `use_hair_dynamics`, in a file that was saved and opened again. `ptcache.bake_all(bake=True)`
#   finishes, and the cache of the hair stays empty, `is_baked` False. `ptcache.bake(bake=True)` with this cache
#   in the context bakes it. Nothing is raised or warned of.
# Output seen:
#   bake_all: FINISHED, 0 frames in memory, is_baked False
#   bake: FINISHED, 5 frames in memory, is_baked True
# Source: https://docs.blender.org/api/current/bpy.ops.ptcache.html#bpy.ops.ptcache.bake_all ("Bake all physics")
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cd "$folder"

"$folder/venv/bin/python" - <<'PY' | grep -E '^(bake_all|bake|expected):?.*(is_baked|something)'
import sys

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
mesh = bpy.data.meshes.new("head")
mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
head = bpy.data.objects.new("head", mesh)
bpy.context.scene.collection.objects.link(head)
hair = head.modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system
hair.settings.type, hair.settings.count = "HAIR", 5
hair.use_hair_dynamics = True
bpy.ops.wm.save_as_mainfile(filepath="hair.blend")
bpy.ops.wm.open_mainfile(filepath="hair.blend")

head = bpy.data.objects["head"]
cache = head.particle_systems[0].point_cache
cache.frame_end = 5
[outcome] = bpy.ops.ptcache.bake_all(bake=True)
frames = cache.info.split(" (")[0]
all_of_them = cache.is_baked
print(f"bake_all: {outcome}, {frames}, is_baked {all_of_them}")
with bpy.context.temp_override(object=head, active_object=head, point_cache=cache):
    [outcome] = bpy.ops.ptcache.bake(bake=True)
print(f"bake: {outcome}, {cache.info.split(' (')[0]}, is_baked {cache.is_baked}")
if (all_of_them, cache.is_baked, frames) != (False, True, "0 frames in memory"):
    print("expected something else")
    sys.exit(1)
PY
