#!/usr/bin/env bash
# Versions: pycolmap 4.2.1, NumPy 2.5.5, Python 3.13
# Behaviour: A model that pycolmap writes as text and reads again has other image names where they hold a space: `images.txt`
#   has the whole name, and reading keeps its first word, without an error or a warning. Two images can then have one name.
#   Written as binary, the names come back whole.
# Output seen:
#   binary: ['front view 2.png', 'front view.png']
#   text: ['front', 'front']
# Source: https://colmap.github.io/format.html: text files are an option beside binary ones for the same sparse model, and NAME is
#   the last field of an image's line in images.txt.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pycolmap==4.2.1 numpy==2.5.5

cat > "$folder/see.py" <<'EOF'
import pathlib
import sys

import pycolmap

NAMES = ["front view.png", "front view 2.png"]
folder = pathlib.Path(sys.argv[1])
model = pycolmap.Reconstruction()
lens = [80, 80, 32, 24]
model.add_camera_with_trivial_rig(
    pycolmap.Camera(model="PINHOLE", width=64, height=48, params=lens, camera_id=1)
)
for number, name in enumerate(NAMES, start=1):
    pose = pycolmap.Rigid3d(pycolmap.Rotation3d([0, 0, 0, 1]), [0, 0, number])
    image = pycolmap.Image(name=name, camera_id=1, image_id=number)
    model.add_image_with_trivial_frame(image, pose)
found = {}
for kind in ("binary", "text"):
    place = folder / kind
    place.mkdir()
    getattr(model, f"write_{kind}")(str(place))
    read = pycolmap.Reconstruction(str(place))
    found[kind] = sorted(image.name for image in read.images.values())
    print(f"{kind}: {found[kind]}")
sys.exit(found != {"binary": sorted(NAMES), "text": ["front", "front"]})
EOF
"$folder/venv/bin/python" "$folder/see.py" "$folder"
