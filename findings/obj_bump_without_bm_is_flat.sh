#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: `bpy.ops.wm.obj_import` gives the Normal Map node of `map_Bump` a strength of 0 where the line has no `-bm`:
#   the map is there and has no effect. With `-bm 1` the strength is 1.
# Output seen:
#   map_Bump bent.png: strength 0
#   map_Bump -bm 1 bent.png: strength 1
# Source: http://brahma.pub/Assets/ObjViewer/mtl_file_format.html (-bm is one of the options of `bump`, by which values that
#   are stored in the texture are multiplied).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'END'
import os
import sys

import bpy

folder = sys.argv[1]
bpy.ops.wm.read_factory_settings(use_empty=True)


def picture(name, kind, colour):
    image = bpy.data.images.new(name, 4, 4)
    image.pixels.foreach_set((*colour, 1.0) * 16)
    scene = bpy.context.scene
    scene.render.image_settings.file_format = kind
    scene.render.image_settings.color_mode = "RGB"
    image.save_render(os.path.join(folder, name), scene=scene)
    bpy.data.images.remove(image)


def bring(materials):
    with open(os.path.join(folder, "tile.mtl"), "w") as file:
        file.write("".join(f"newmtl {name}\n{lines}\n" for name, lines in materials.items()))
    with open(os.path.join(folder, "tile.obj"), "w") as file:
        file.write("mtllib tile.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nvt 0 0\nvt 1 0\nvt 1 1\n")
        file.write("".join(f"usemtl {name}\nf 1/1 2/2 3/3\n" for name in materials))
    bpy.ops.wm.obj_import(filepath=os.path.join(folder, "tile.obj"))


picture("bent.png", "PNG", (0.8, 0.5, 0.9))
LINES = {"plain": "map_Bump bent.png", "scaled": "map_Bump -bm 1 bent.png"}
bring({name: f"Kd 1 1 1\n{line}" for name, line in LINES.items()})
found = []
for name, line in LINES.items():
    nodes = bpy.data.materials[name].node_tree.nodes
    node = next(node for node in nodes if node.type == "NORMAL_MAP")
    found.append(node.inputs["Strength"].default_value)
    print(f"{line}: strength {found[-1]:g}")
sys.exit(found != [0.0, 1.0])
END
"$folder/venv/bin/python" "$folder/see.py" "$folder" | grep "strength"
