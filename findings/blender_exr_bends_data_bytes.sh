#!/usr/bin/env bash
# Blender bends the numbers of an 8-bit image of non-colour data when it saves it as OpenEXR.
#
# Versions: bpy 5.2.3, openexr 3.5.3, Python 3.13
# Behaviour: an image of bytes whose colour space is Non-Color (`is_data` is true), such as a roughness map, is saved as
#   OpenEXR through the curve of sRGB: 0.5 becomes 0.216. Read back as Non-Color it stays so. The same image of floats keeps
#   its numbers, and so does either kind as PNG.
# Output seen:
#   bytes, is_data True, OPEN_EXR: 0.502 is written as 0.216
#   floats, is_data True, OPEN_EXR: 0.502 is written as 0.502
#   bytes, is_data True, PNG: 0.502 is written as 0.502
# Source: https://docs.blender.org/api/current/bpy.types.ColorManagedInputColorspaceSettings.html
#   (is_data: treat image as non-color data without color management, like normal or displacement maps)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bpy==5.2.3 openexr==3.5.3

cd "$folder"

"$folder/venv/bin/python" - <<'PY' | grep -E '^(bytes|floats|expected)'
import os
import sys

import bpy
import OpenEXR

bpy.ops.wm.read_factory_settings(use_empty=True)
LEVEL = 128 / 255


def written(path, kind):
    """Return the first number of a file, as a reader without colour management has it."""
    if kind == "OPEN_EXR":
        with OpenEXR.File(path, separate_channels=True) as file:
            return float(file.channels()["R"].pixels.ravel()[0])
    image = bpy.data.images.load(path)
    image.colorspace_settings.name = "Non-Color"
    return image.pixels[0]


seen = {}
for number, (floats, kind) in enumerate(((False, "OPEN_EXR"), (True, "OPEN_EXR"), (False, "PNG"))):
    image = bpy.data.images.new(f"data{number}", 4, 4, float_buffer=floats, is_data=True)
    image.pixels = [LEVEL, LEVEL, LEVEL, 1.0] * 16
    image.file_format = kind
    image.filepath_raw = os.path.abspath(f"{number}.{'png' if kind == 'PNG' else 'exr'}")
    image.save()
    seen[floats, kind] = written(image.filepath_raw, kind)
    print(
        f"{'floats' if floats else 'bytes'}, is_data {image.colorspace_settings.is_data}, {kind}: "
        f"{LEVEL:.3f} is written as {seen[floats, kind]:.3f}"
    )

bent = abs(seen[False, "OPEN_EXR"] - 0.2159) < 0.002
kept = abs(seen[True, "OPEN_EXR"] - LEVEL) < 0.002 and abs(seen[False, "PNG"] - LEVEL) < 0.002
if not (bent and kept):
    print("expected: bytes bent in OpenEXR alone")
    sys.exit(1)
PY
