#!/bin/sh
# Run uv wherever it is; where it is nowhere, install it into .venv-tools first.
#   tools/uv.sh ARGUMENTS...   run it
#   tools/uv.sh --find         print where it is, or fail; install nothing
set -eu
cd "$(dirname "$0")/.."

works() { "$1" --version >/dev/null 2>&1; } # a version manager's shim may be there and not work

find_uv() {
    pyenv_versions="${PYENV_ROOT:-$HOME/.pyenv}/versions"
    for candidate in uv .venv-tools/bin/uv "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv" \
        "$pyenv_versions"/*/bin/uv; do
        if works "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

install_uv() {
    for python in python3 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        works "$python" || continue
        "$python" -m venv .venv-tools >/dev/null 2>&1 || continue
        .venv-tools/bin/python -m pip install --quiet --disable-pip-version-check uv >&2 && return 0
    done
    echo "error: uv is not installed and could not be: it needs a Python 3 with pip and a package" \
        "index; install uv by hand (https://docs.astral.sh/uv) and run this again" >&2
    return 1
}

if [ "${1:-}" = "--find" ]; then
    find_uv
    exit
fi
uv=$(find_uv) || { install_uv && uv=.venv-tools/bin/uv; }
exec "$uv" "$@"
