#!/usr/bin/env bash
# imagecodecs' Radiance decoder takes pictures of any orientation and turns none of them upright.
#
# Versions: imagecodecs 2026.10.10, numpy 2.5.5, Python 3.13
# Behaviour: a Radiance file says how its scanlines lie: `-Y 2 +X 3` is upright, `+Y 2 +X 3` upside down,
#   `-Y 2 -X 3` mirrored, `+X 3 -Y 2` column by column. `rgbe_decode` accepts all of them and returns the
#   scanlines as they are stored: upside down, mirrored, or (columns, rows) with a shape of its own. Nothing
#   is raised or warned of, and the array does not tell which it was.
# Output seen: all four files hold the same picture, [[10, 20, 30], [40, 50, 60]]; read are
#   -Y 2 +X 3 -> [[10, 20, 30], [40, 50, 60]]
#   +Y 2 +X 3 -> [[40, 50, 60], [10, 20, 30]]
#   -Y 2 -X 3 -> [[30, 20, 10], [60, 50, 40]]
#   +X 3 -Y 2 -> [[10, 40], [20, 50], [30, 60]]
# Source: https://radsite.lbl.gov/radiance/refer/filefmts.pdf ("Radiance File Formats", Greg Ward: the
#   resolution string names the order of the scanlines and of the pixels in them, eight orientations in all)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check imagecodecs==2026.10.10 numpy==2.5.5

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import imagecodecs
import numpy as np

picture = np.zeros((2, 3, 4), np.uint8)
picture[..., :3] = np.array([[10, 20, 30], [40, 50, 60]])[..., None]
picture[..., 3] = 136  # mantissas stand for themselves
stored = {
    "-Y 2 +X 3": picture,
    "+Y 2 +X 3": picture[::-1],
    "-Y 2 -X 3": picture[:, ::-1],
    "+X 3 -Y 2": picture.transpose(1, 0, 2),
}
as_stored = True
for axes, pixels in stored.items():
    head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n{axes}\n".encode()
    found = imagecodecs.rgbe_decode(head + np.ascontiguousarray(pixels).tobytes())[..., 0]
    print(f"{axes} -> {found.astype(int).tolist()}")
    as_stored &= np.array_equal(found, pixels[..., 0])
sys.exit(0 if as_stored else "the decoder turns pictures upright, or refuses them")
PYTHON
