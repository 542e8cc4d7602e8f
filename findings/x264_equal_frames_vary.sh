#!/usr/bin/env bash
# Versions: av 19.0.2 (FFmpeg 9.0.2 with libx264), numpy 2.3.5, Python 3.13
# Behaviour: with one thread and fixed options, libx264 makes different streams of the same four frames of 64 x 64, by what was
#   encoded before in the process. With `mbtree=0`, or at 640 x 480, the same frames are the same bytes.
# Output seen:
#   64x64 mbtree=1: 3 streams of the same frames
#   64x64 mbtree=0: 1
#   640x480 mbtree=1: 1
# Source: https://x264.org manual (`x264 --fullhelp`): `--non-deterministic: Slightly improve quality of SMP, at the cost of
#   repeatability`, so that without it, and without threads, encodes repeat.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.13 || ls "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 | tail -1)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==19.0.2 numpy==2.3.5

cat > "$folder/see.py" <<'EOF'
import hashlib
import io
import sys

import av
import numpy as np


def frames(width, height, seed):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    picture = coarse.repeat(8, 0).repeat(8, 1)
    return [np.roll(picture, 3 * at, axis=1) for at in range(4)]


def encoded(pictures, tree):
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as video:
        stream = video.add_stream("libx264", rate=24)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "threads": "1", "x264-params": f"mbtree={tree}"}
        for picture in pictures:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        video.mux(stream.encode(None))
    return hashlib.sha256(file.getvalue()).hexdigest()


def streams(width, height, tree):
    chance = np.random.default_rng(1)
    found = set()
    for _ in range(24):
        for seed in chance.integers(0, 99, chance.integers(0, 4)):
            encoded(frames(width, height, seed), tree)
        found.add(encoded(frames(width, height, 7), tree))
    return len(found)


small, without, large = streams(64, 64, 1), streams(64, 64, 0), streams(640, 480, 1)
print(f"64x64 mbtree=1: {small} streams of the same frames")
print(f"64x64 mbtree=0: {without}")
print(f"640x480 mbtree=1: {large}")
sys.exit(not (small > 1 and without == large == 1))
EOF
"$folder/venv/bin/python" "$folder/see.py"
