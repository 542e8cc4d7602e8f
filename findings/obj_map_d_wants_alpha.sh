#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: `bpy.ops.wm.obj_import` links the alpha of a `map_d` texture to the material's alpha. A picture without an
#   alpha channel, such as a JPEG, has an alpha of 1 everywhere: the mask has no effect, and leaves are whole cards.
# Output seen:
#   mask.jpg (24 bits per pixel): its Alpha feeds Alpha
# Source: https://github.com/mrdoob/three.js/blob/r170/examples/jsm/loaders/MTLLoader.js (map_d is the alpha map, and that is
#   a grey picture: https://threejs.org/docs/#api/en/materials/MeshPhongMaterial.alphaMap);
#   http://brahma.pub/Assets/ObjViewer/mtl_file_format.html (map_d: a scalar texture that is multiplied by d; -imfchan l).
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


picture("mask.jpg", "JPEG", (0.2, 0.2, 0.2))
bring({"leaf": "Kd 0 1 0\nmap_d mask.jpg"})
tree = bpy.data.materials["leaf"].node_tree
node = next(node for node in tree.nodes if node.type == "TEX_IMAGE")
feeds = [(link.from_socket.name, link.to_socket.name) for link in tree.links if link.from_node == node]
print(f"{node.image.name} ({node.image.depth} bits per pixel): its {feeds[0][0]} feeds {feeds[0][1]}")
sys.exit(feeds != [("Alpha", "Alpha")] or node.image.depth != 24)
END
"$folder/venv/bin/python" "$folder/see.py" "$folder" | grep "feeds"
