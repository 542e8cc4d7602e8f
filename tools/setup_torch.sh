#!/bin/sh
# Make .venv-torch: PyTorch, the project with its [torch] and [server] parts, and pytest; some gigabytes.
# Quick when nothing has changed. Apart from .venv, so that nobody who renders has to have PyTorch.
#
# Python: the first of those below for which pip finds a PyTorch; TORCH_PYTHON names another.
# Which build of PyTorch, such as one without CUDA, is for pip's own settings (PIP_EXTRA_INDEX_URL ...).
set -eu
cd "$(dirname "$0")/.."

wanted=$({ cat pyproject.toml tools/setup_torch.sh && pwd; } | cksum)
if [ "$(cat .venv-torch/.setup-stamp 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
install() {
    .venv-torch/bin/python -m pip install --quiet --disable-pip-version-check \
        -e '.[torch,server]' pytest pytest-timeout && echo "$wanted" >.venv-torch/.setup-stamp
}

if [ -e .venv-torch/.setup-stamp ] && install; then # only what has changed
    exit 0
fi
for python in ${TORCH_PYTHON:-python3.11 python3.12 python3.13 python3}; do
    "$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    echo "Installing PyTorch and the project into .venv-torch on $python (once, takes minutes) ..."
    rm -rf .venv-torch
    "$python" -m venv .venv-torch
    install && exit 0
    echo "There is no PyTorch for $python, or the network is away; trying another Python ..." >&2
done
echo "error: PyTorch could not be installed: see above; TORCH_PYTHON=... names another Python" >&2
exit 2
