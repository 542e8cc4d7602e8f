#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13, numpy 2.3.4
# Behaviour: `bpy.ops.wm.obj_import` leaves the textures of `map_Pr`, `map_Pm` and `map_Bump` in the colour space sRGB,
#   so that numbers are decoded as if they were colours: Cycles renders a roughness of 128 of 255 as 0.22, not 0.50.
#   Blender's own exporter writes such maps from textures that are Non-Color.
# Output seen:
#   rough.png sRGB, metal.png sRGB, bent.png sRGB
#   light of the roughness texture: 0.216 (as numbers it is 0.502)
# Source: http://exocortex.com/blog/extending_wavefront_mtl_to_support_pbr (map_Pr and map_Pm are the parameters roughness
#   and metallic themselves); https://docs.blender.org/manual/en/latest/render/color_management.html (Non-Color: for
#   images that contain no colour data, such as normal maps).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 numpy==2.3.4

cat > "$folder/see.py" <<'END'
import os
import sys

import bpy
import numpy as np

folder = sys.argv[1]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
for name, colour in (("rough", (0.5020,) * 3), ("metal", (0.5020,) * 3), ("bent", (0.5, 0.5, 1.0))):
    image = bpy.data.images.new(name, 4, 4, is_data=True)
    image.pixels.foreach_set(np.tile(np.float32((*colour, 1)), 16))
    image.filepath_raw, image.file_format = os.path.join(folder, f"{name}.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
with open(os.path.join(folder, "tile.mtl"), "w") as file:
    file.write("newmtl paint\nKd 1 1 1\nmap_Pr rough.png\nmap_Pm metal.png\nmap_Bump -bm 1 bent.png\n")
with open(os.path.join(folder, "tile.obj"), "w") as file:
    file.write("mtllib tile.mtl\nv -1 0 1\nv 1 0 1\nv 1 0 -1\nv -1 0 -1\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n")
    file.write("usemtl paint\nf 1/1 2/2 3/3 4/4\n")
bpy.ops.wm.obj_import(filepath=os.path.join(folder, "tile.obj"))
names = ("rough.png", "metal.png", "bent.png")
spaces = [bpy.data.images[name].colorspace_settings.name for name in names]
print(", ".join(f"{name} {space}" for name, space in zip(names, spaces)))

tree = bpy.data.materials["paint"].node_tree
shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
[link] = shader.inputs["Roughness"].links
light = tree.nodes.new("ShaderNodeEmission")
tree.links.new(link.from_socket, light.inputs["Color"])
tree.links.new(light.outputs[0], tree.get_output_node("CYCLES").inputs["Surface"])
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
camera.location = (0, 0, 2)
camera.data.type, camera.data.ortho_scale = "ORTHO", 1
scene.collection.objects.link(camera)
scene.camera = camera
scene.render.engine = "CYCLES"
scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 1, False
scene.render.resolution_x = scene.render.resolution_y = 8
scene.render.filepath = os.path.join(folder, "seen.exr")
scene.render.image_settings.file_format = "OPEN_EXR"
bpy.ops.render.render(write_still=True)
seen = bpy.data.images.load(scene.render.filepath)
value = seen.pixels[4 * 36]
print(f"light of the roughness texture: {value:.3f} (as numbers it is {128 / 255:.3f})")
sys.exit(spaces != ["sRGB"] * 3 or abs(value - 0.216) > 0.002)
END
"$folder/venv/bin/python" "$folder/see.py" "$folder" | grep -e "sRGB" -e "light of" -e "Non-Color"
