#!/usr/bin/env bash
# OpenEXR's Python writes the wrong pixels of a subsampled channel.
#
# Versions: openexr 3.5.3 (Python bindings), numpy 2.3.5, Python 3.13
# Behaviour: `Channel(name, pixels, 2, 2)` must be given an array as large as the picture (one of the
#   subsampled size is refused: "channel shapes differ"). Of it the file does not hold every second pixel
#   of every second row, but the values that stand first in the array, one after another, as if they
#   were subsampled already. Nothing is raised or warned of; a constant channel comes out right.
# Output seen:
#   given  : [[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]]
#   wanted : [[0, 2], [20, 22]]
#   in file: [[0, 1], [2, 3]]
# Source: https://openexr.com/en/latest/TechnicalIntroduction.html#image-channels-and-sampling-rates
#   (a channel with sampling rates s_x, s_y has data for the pixels whose x and y are multiples of them)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openexr==3.5.3 numpy==2.3.5

cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import struct
import sys

import numpy as np
import OpenEXR

down, across = np.mgrid[0:4, 0:4]
given = (10 * down + across).astype(np.float32)
header = {"compression": OpenEXR.NO_COMPRESSION, "type": OpenEXR.scanlineimage}
channels = {"Y": np.ones((4, 4), np.float32), "RY": OpenEXR.Channel("RY", given, 2, 2)}
OpenEXR.File(header, channels).write("chroma.exr")

# Read by hand, without the library: an uncompressed row holds its channels in alphabetical order.
data = open("chroma.exr", "rb").read()
at = 8
while data[at]:
    at = data.index(b"\0", data.index(b"\0", at) + 1) + 1
    at += 4 + struct.unpack_from("<i", data, at)[0]
offsets = struct.unpack_from("<4Q", data, at + 1)
stored = [list(map(int, struct.unpack_from("<2f", data, offsets[row] + 8))) for row in (0, 2)]

wanted = given[::2, ::2].astype(int).tolist()
print("given  :", given.astype(int).tolist())
print("wanted :", wanted)
print("in file:", stored)
sys.exit(0 if stored == [[0, 1], [2, 3]] else 1)
PY
