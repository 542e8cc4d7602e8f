#!/usr/bin/env bash
# Versions: bpy 5.2.3, numpy 2.5.5, Python 3.13
# Behaviour: where an empty shows a collection, the Object Info node gives a shader two answers about the same object: `Object Index` is that of the object
#   within, `Color` (and `Alpha`) that of the empty. So a material that is painted by the colour of its object, as imports of CAD and kit-bashed scenes
#   are, renders white as an instance, although the object stands there in its colour, and although its pass index stays its own.
# Output seen:
#   by itself:      colour [0.8, 0.1, 0.0], index 7
#   as an instance: colour [1.0, 1.0, 1.0], index 7
# Source: https://docs.blender.org/manual/en/latest/render/shader_nodes/input/object_info.html ("Color: Object color", "Object Index: Object pass index",
#   nothing said of instances)
set -euo pipefail

python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | head -1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check bpy==5.2.3 numpy==2.5.5
cd "$folder"

cat >render.py <<'PY'
import sys

import bpy
import numpy as np

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
scene.render.resolution_x = scene.render.resolution_y = 8
scene.render.image_settings.file_format = "OPEN_EXR"
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
camera.data.type, camera.data.ortho_scale, camera.location = "ORTHO", 1.0, (0, 0, 5)
scene.collection.objects.link(camera)
scene.camera = camera

mesh = bpy.data.meshes.new("square")
mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
square = bpy.data.objects.new("square", mesh)
square.color, square.pass_index = (0.8, 0.1, 0.0, 1.0), 7
material = bpy.data.materials.new("by object")
material.use_nodes = True
nodes, links = material.node_tree.nodes, material.node_tree.links
nodes.clear()
info, glow, end = (nodes.new(f"ShaderNode{kind}") for kind in ("ObjectInfo", "Emission", "OutputMaterial"))
links.new(glow.outputs[0], end.inputs["Surface"])
mesh.materials.append(material)
parts = bpy.data.collections.new("parts")
parts.objects.link(square)
empty = bpy.data.objects.new("empty", None)


def seen(output):
    for link in list(material.node_tree.links):
        if link.to_node == glow:
            links.remove(link)
    links.new(info.outputs[output], glow.inputs["Color"])
    scene.render.filepath = f"{sys.path[0]}/{output}.exr"
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.array(image.pixels[:], np.float32).reshape(8, 8, 4)
    bpy.data.images.remove(image)
    return [round(float(value), 2) for value in pixels[4, 4, :3]]


found = []
for name in ("by itself:     ", "as an instance:"):
    if name.startswith("by"):
        scene.collection.children.link(parts)
    else:
        scene.collection.children.unlink(parts)
        empty.instance_type, empty.instance_collection = "COLLECTION", parts
        scene.collection.objects.link(empty)
    colour, index = seen("Color"), round(seen("Object Index")[0])
    found.append((colour, index))
    print(f"SEEN {name} colour {colour}, index {index}")
sys.exit(0 if found == [([0.8, 0.1, 0.0], 7), ([1.0, 1.0, 1.0], 7)] else 1)
PY

"$folder/venv/bin/python" render.py >log 2>&1 && code=0 || code=$?
grep -o "SEEN .*" log | cut -c6- || tail -5 log
exit "$code"
