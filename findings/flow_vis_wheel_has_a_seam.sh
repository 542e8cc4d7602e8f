#!/usr/bin/env bash
# `flow_vis` colours flow to the right with a seam: a turn of a millionth of a degree changes blue by 43 of 255.
#
# Versions: flow_vis 0.1, numpy 2.4.4, Python 3.13
# Behaviour: `flow_uv_to_colors` spreads the angle over 54 steps between the 55 colours of the wheel, from the first to the last,
#   and never mixes the last one with the first. Flow that points right by a hair up is (255, 0, 43), by a hair down (255, 0, 0):
#   an edge in a picture where the flow has none. In all other directions the colour changes evenly.
# Output seen:
#   right: blue differs by 43; elsewhere: by 1 at most
# Source: S. Baker et al., A Database and Evaluation Methodology for Optical Flow, https://vision.middlebury.edu/flow/floweval-ijcv2011.pdf
#   (its colour coding of flow: direction is coded as hue, length as saturation; hue goes around)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check flow_vis==0.1 numpy==2.4.4

"$folder/venv/bin/python" - <<'PY'
import sys

import flow_vis
import numpy as np


def colours(degrees):
    angles = np.radians(np.atleast_1d(degrees).astype(float))
    return flow_vis.flow_uv_to_colors(np.cos(angles)[None], np.sin(angles)[None])[0].astype(int)


def step(degrees):
    return int(np.abs(colours(degrees + 1e-6) - colours(degrees - 1e-6)).max())


right = step(0.0)
elsewhere = max(step(float(degrees)) for degrees in range(1, 360))
print(f"right: blue differs by {right}; elsewhere: by {elsewhere} at most")
sys.exit(0 if right >= 40 and elsewhere <= 1 else 1)
PY
