#!/usr/bin/env bash
# OpenEXR's Python reads an uncompressed file line by line and channel by channel: a system call for each.
#
# Versions: openexr 3.5.3 (Python bindings), numpy 2.3.5, Python 3.13, Linux
# Behaviour: `OpenEXR.File(name)` reads a scanline file without compression by one read for each channel of each
#   line: 640 lines of 8 channels of floats, 13 MB, take more than 5,000 reads of 2,560 bytes each. With ZIP, which packs 16
#   lines into a chunk, the same picture takes fewer than 100. So what is to be read quickest, because nothing has to be
#   unpacked, is read in the smallest pieces, which costs much where a read is dear (a network, FUSE, a sandbox).
# Output seen:
#   NO_COMPRESSION: 5765 reads for 640 lines of 8 channels
#   ZIP_COMPRESSION: 85 reads for 640 lines of 8 channels
# Source: https://openexr.com/en/latest/OpenEXRFileLayout.html#scan-line-blocks
#   (an uncompressed scan line block is one line with all its channels, contiguous in the file: one read would do)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openexr==3.5.3 numpy==2.3.5

cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import sys
from pathlib import Path

import numpy as np
import OpenEXR

LINES, CHANNELS = 640, "ABGRXYZV"


def reads() -> int:
    """System calls of this process that read, so far."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(told["syscr"])


pixels = np.random.default_rng(0).random((LINES, 640), dtype=np.float32)
found = {}
for compression in (OpenEXR.NO_COMPRESSION, OpenEXR.ZIP_COMPRESSION):
    name = f"{compression.name}.exr"
    header = {"compression": compression, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, dict.fromkeys(CHANNELS, pixels)) as file:
        file.write(name)
    before = reads()
    with OpenEXR.File(name, separate_channels=True) as file:
        there = file.channels()
        assert all(np.array_equal(there[each].pixels, pixels) for each in CHANNELS)
    found[compression.name] = reads() - before
    print(f"{compression.name}: {found[compression.name]} reads for {LINES} lines of {len(CHANNELS)} channels")

sys.exit(not (found["NO_COMPRESSION"] > LINES * len(CHANNELS) and found["ZIP_COMPRESSION"] < 400))
PY
