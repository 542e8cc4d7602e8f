#!/usr/bin/env bash
# A copy of a Blender image that was filled by a script is black: `Image.copy()` leaves the pixels behind.
#
# Versions: bpy 5.2.3, Python 3.13
# Behaviour: an image is made with `bpy.data.images.new` and its pixels are set. `image.copy()` gives an image of the same size
#   whose pixels are those of a new one, black. Nothing warns. Once the image is packed, copies have its pixels.
# Output seen:
#   original: 0.502 0.251 0.753 1.000
#   copy: 0.000 0.000 0.000 1.000
#   copy once packed: 0.502 0.251 0.753 1.000
# Source: https://docs.blender.org/api/current/bpy.types.ID.html
#   (copy: create a copy of this data-block)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3

cd "$folder"

"$folder/venv/bin/python" - <<'PY' | grep -E '^(original|copy|expected)'
import sys

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
image = bpy.data.images.new("made", 8, 8)
image.pixels = [128 / 255, 64 / 255, 192 / 255, 1.0] * 64
image.update()


def first(of):
    return tuple(round(value, 3) for value in of.pixels[:4])


original, copied = first(image), first(image.copy())
image.pack()
packed = first(image.copy())
for name, values in (("original", original), ("copy", copied), ("copy once packed", packed)):
    print(f"{name}: {' '.join(f'{value:.3f}' for value in values)}")
if copied != (0.0, 0.0, 0.0, 1.0) or packed != original:
    print("expected: a black copy, and a true one once packed")
    sys.exit(1)
PY
