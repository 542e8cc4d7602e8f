#!/usr/bin/env bash
# Versions: blender-asset-tracer 1.23 (the newest of 1.x), zstandard 0.25.0, bpy 5.2.3, Python 3.13
# Behaviour: `bat list` of a .blend that links an object from another .blend does not list the textures of that object's
#   material, where Blender 5 wrote the files. The linked file alone, and the same material in the file itself, are
#   listed whole. For files of Blender 5.0 and newer, BAT looks for the node tree of every data-block under
#   `compositing_node_group`, which only scenes have: materials, worlds and lights keep theirs under `nodetree`, so what
#   comes by a link is followed to its material and no further.
# Output seen:
#   chair.blend: ['leg.blend', 'own.png']
#   leg.blend:   ['leg.png']
#   leg.png, which the linked object shows, is not among the dependencies of chair.blend
# Source: https://projects.blender.org/blender/blender-asset-tracer, README ("BAT parses Blend files and produces dependency information";
#   its function _expand_generic_nodetree_id); https://developer.blender.org/docs/release_notes/5.0/python_api/ ("scene.node_tree"
#   became "scene.compositing_node_group"; materials, worlds and lights keep "node_tree")
set -euo pipefail

python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | head -1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    blender-asset-tracer==1.23 zstandard==0.25.0 bpy==5.2.3
cd "$folder"

cat >make.py <<'PY'
import pathlib

import bpy


def box(scene, name, picture):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.load(str(pathlib.Path(picture).resolve()))
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new(name, mesh))


for picture in ("leg.png", "own.png"):
    image = bpy.data.images.new(picture, 4, 4)
    image.filepath_raw, image.file_format = str(pathlib.Path(picture).resolve()), "PNG"
    image.save()
for name, picture in (("leg", "leg.png"), ("chair", "own.png")):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    box(bpy.context.scene, name, picture)
    if name == "chair":
        with bpy.data.libraries.load(str(pathlib.Path("leg.blend").resolve()), link=True) as (source, target):
            target.objects = source.objects
        bpy.context.scene.collection.objects.link(target.objects[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(pathlib.Path(f"{name}.blend").resolve()))
PY
"$folder/venv/bin/python" make.py >/dev/null

cat >look.py <<'PY'
import json
import pathlib
import subprocess
import sys


def listed(name):
    done = subprocess.run(
        [sys.executable, "-m", "blender_asset_tracer", "list", "--json", str(pathlib.Path(name).resolve())],
        capture_output=True, text=True, check=True,
    )
    return sorted(pathlib.Path(path).name for paths in json.loads(done.stdout).values() for path in paths)


chair, leg = listed("chair.blend"), listed("leg.blend")
print("chair.blend:", chair)
print("leg.blend:  ", leg)
if chair != ["leg.blend", "own.png"] or leg != ["leg.png"]:
    sys.exit("this is not the behaviour that was seen")
print("leg.png, which the linked object shows, is not among the dependencies of chair.blend")
PY
"$folder/venv/bin/python" look.py
