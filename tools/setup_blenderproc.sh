#!/bin/sh
# Make .venv-blenderproc: BlenderProc's public source and what it needs, for benchmarks alone. Quick when it is there.
#
# Its releases run inside a Blender of their own; its main branch runs on the bpy package, up to Blender 4, on Python 3.11.
# BLENDERPROC_PYTHON names that Python where it is not found; BLENDERPROC_SOURCE, a folder with the source where GitHub is
# out of reach.
set -eu
cd "$(dirname "$0")/.."

commit=a80f75d89681ecd1cb876371139a8132d0987e3d
packages="bpy==4.5.15 numpy==1.26.4 pyyaml imageio gitpython scikit-image pypng scipy matplotlib pytz h5py pillow \
opencv-contrib-python-headless scikit-learn python-dateutil rich trimesh progressbar"

wanted=$(cksum <tools/setup_blenderproc.sh)
if [ "$(cat .venv-blenderproc/.setup-stamp 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
python=
for candidate in ${BLENDERPROC_PYTHON:-python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.11*/bin/python}; do
    if "$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "error: BlenderProc needs Python 3.11, which is not here; BLENDERPROC_PYTHON=... names one" >&2
    exit 2
fi
rm -rf .venv-blenderproc
"$python" -m venv .venv-blenderproc
mkdir .venv-blenderproc/source
if [ -n "${BLENDERPROC_SOURCE:-}" ]; then
    cp -r "$BLENDERPROC_SOURCE/blenderproc" .venv-blenderproc/source/
else
    url=https://github.com/DLR-RM/BlenderProc/archive/$commit.tar.gz
    "$python" -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=60).read())' \
        "$url" 2>/dev/null >.venv-blenderproc/source.tar.gz || {
        echo "error: $url cannot be read; BLENDERPROC_SOURCE=... names a folder with the source" >&2
        exit 2
    }
    tar -xzf .venv-blenderproc/source.tar.gz -C .venv-blenderproc/source --strip-components 1
fi
# shellcheck disable=SC2086 # one word for each package
.venv-blenderproc/bin/python -m pip install --quiet --disable-pip-version-check $packages
echo "$wanted" >.venv-blenderproc/.setup-stamp
