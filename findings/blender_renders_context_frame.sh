#!/usr/bin/env bash
# Versions: bpy 5.2.3 (Blender 5.2.3 LTS), Python 3.13
# Behaviour: `bpy.ops.render.render(scene=NAME)` renders the scene of that name, but at the current frame of the scene
#   of the context, and sets the named scene to it. Its own frame, set before, is lost; with the named scene in the
#   context (`temp_override`) it stays.
# Output seen:
#   named: at frame 7, was at 10
#   in the context: at frame 10, was at 10
# Source: https://docs.blender.org/api/current/bpy.ops.render.html: `scene` is the "Scene to render, current scene if
#   not specified"; https://docs.blender.org/api/current/bpy.types.Scene.html: `frame_current` is the "Current frame"
#   of a scene, each of which has its own.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cat > "$folder/see.py" <<'EOF'
import contextlib
import sys

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.frame_set(7)
other = bpy.data.scenes.new("other")
other.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
other.collection.objects.link(other.camera)
other.render.engine, other.cycles.device, other.cycles.samples = "CYCLES", "CPU", 1
other.render.resolution_x = other.render.resolution_y = 8
rendered = []
bpy.app.handlers.render_post.append(lambda scene, _: rendered.append((scene.name, scene.frame_current)))
told = {"named": contextlib.nullcontext(), "in the context": bpy.context.temp_override(scene=other)}
for word, context in told.items():
    other.frame_set(10)
    with context:
        bpy.ops.render.render(scene="other")
    print(f"{word}: at frame {rendered[-1][1]}, was at 10")
sys.exit(rendered != [("other", 7), ("other", 10)])
EOF
"$folder/venv/bin/python" "$folder/see.py"
