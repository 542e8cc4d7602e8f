#!/usr/bin/env bash
# Versions: opencv-python-headless 5.0.0.93 and 4.14.0.94, numpy 2.5.5, OpenEXR 3.5.3, Python 3.13
# Behaviour: the wheel of OpenCV 5.0 is built without OpenEXR. `cv2.imread` of a depth map in EXR returns None, without an error or a warning, and
#   `OPENCV_IO_ENABLE_OPENEXR=1`, which loaders of datasets set since OpenCV 4.5.4, changes nothing. The wheel of 4.14 reads the same file with it, and
#   raises an error that names the variable without it. So a loader that says `opencv-python` without a version trains on None, or fails far from the file.
# Output seen:
#   5.0.0: built with OpenEXR: NO; depth.exr: None
#   4.14.0: built with OpenEXR: build (ver 2.3.0); depth.exr: (2, 3) float32, equal to what was written
# Source: https://docs.opencv.org/4.x/d4/da8/group__imgcodecs.html ("OpenEXR Image files - *.exr"; imread "returns an empty matrix" where a file cannot
#   be read); https://github.com/opencv/opencv/issues/21326 (the variable)
set -euo pipefail

python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | head -1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 5.0.0.93 4.14.0.94; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install --quiet --disable-pip-version-check \
        "opencv-python-headless==$version" numpy==2.5.5 OpenEXR==3.5.3
done
cd "$folder"

cat >read.py <<'PY'
import os
import re

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"

import cv2
import numpy as np
import OpenEXR

depth = np.array([[0.5, 1.0, 1.5], [2.0, 250.0, 65504.0]], np.float32)
with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, {"Y": depth}) as file:
    file.write("depth.exr")
built = re.search(r"OpenEXR:\s*(.+)", cv2.getBuildInformation()).group(1)
read = cv2.imread("depth.exr", cv2.IMREAD_UNCHANGED)
if read is None:
    found = "None"
else:
    equal = "equal" if np.array_equal(read, depth) else "NOT equal"
    found = f"{read.shape} {read.dtype}, {equal} to what was written"
print(f"{cv2.__version__}: built with OpenEXR: {built}; depth.exr: {found}")
PY

seen=$(for version in 5.0.0.93 4.14.0.94; do "$folder/$version/bin/python" read.py; done)
echo "$seen"
expected="5.0.0: built with OpenEXR: NO; depth.exr: None
4.14.0: built with OpenEXR: build (ver 2.3.0); depth.exr: (2, 3) float32, equal to what was written"
[[ "$seen" == "$expected" ]] || { echo "this has changed" >&2; exit 1; }
