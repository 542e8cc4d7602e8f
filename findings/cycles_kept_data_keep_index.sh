#!/usr/bin/env bash
# With persistent data, a changed `pass_index` does not reach the object index pass of instances.
#
# Versions: bpy 5.2.3, openexr 3.5.3 and numpy 2.3.5 (to read the pass), Python 3.13
# Behaviour: with `render.use_persistent_data`, an object that an instanced collection shows keeps the index that it
#   had in the first render, when only its `pass_index` is changed before the second one. The same object linked to
#   the scene itself gets the new index, and so does the instance if nothing is kept. Nothing is raised or warned of.
# Output seen:
#   kept, instance: 3 then 3
#   kept, object itself: 3 then 5
#   not kept, instance: 3 then 5
# Source: https://docs.blender.org/api/current/bpy.types.RenderSettings.html#bpy.types.RenderSettings.use_persistent_data
#   ("Keep render data around for faster re-renders and animation renders, at the cost of increased memory usage":
#   speed and memory are all that it should change)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 openexr==3.5.3 numpy==2.3.5

cd "$folder"
"$folder/venv/bin/python" - <<'PY' | grep -E '^(kept|not kept|expected)'
import os
import sys

import OpenEXR

import bpy


def index_seen(scene):
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(scene.render.filepath, separate_channels=True) as file:
        channels = {name: channel.pixels for part in file.parts for name, channel in part.channels.items()}
    [name] = [name for name in channels if "Object Index" in name]
    return round(float(channels[name].max()))


def indices(*, kept, instance):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    mesh = bpy.data.meshes.new("sheet")
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    sheet = bpy.data.objects.new("sheet", mesh)
    shelf = bpy.data.collections.new("shelf")
    if instance:
        shelf.objects.link(sheet)
        shows = bpy.data.objects.new("shows", None)
        shows.instance_type, shows.instance_collection = "COLLECTION", shelf
        scene.collection.objects.link(shows)
    else:
        scene.collection.objects.link(sheet)
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.location.z = 4.0
    scene.collection.objects.link(scene.camera)
    scene.render.engine = "CYCLES"
    scene.render.use_persistent_data = kept
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.image_settings.media_type = "MULTI_LAYER_IMAGE"
    scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.image_settings.color_depth = "32"
    scene.render.filepath = os.path.abspath("render.exr")
    scene.view_layers[0].use_pass_object_index = True
    sheet.pass_index = 3
    first = index_seen(scene)
    sheet.pass_index = 5
    return first, index_seen(scene)


found = {
    "kept, instance": indices(kept=True, instance=True),
    "kept, object itself": indices(kept=True, instance=False),
    "not kept, instance": indices(kept=False, instance=True),
}
for name, (first, second) in found.items():
    print(f"{name}: {first} then {second}")
if list(found.values()) != [(3, 3), (3, 5), (3, 5)]:
    print("expected the old number in the first alone: this version behaves in another way")
    sys.exit(1)
PY
