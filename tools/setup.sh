#!/bin/sh
# Make .venv: Python 3.13, the locked packages, the project itself. Quick when nothing has changed.
# Says what it does in three lines; the words of the package tools are in setup.log, shown where they fail.
#
# Python: an installed 3.13, else one that uv downloads.
# Packages: uv where it is installed, else pip; uv is installed only where there is no Python 3.13.
set -eu
cd "$(dirname "$0")/.."

log=$PWD/setup.log

fail() {
    if [ -s "$log" ]; then
        tail -n 20 "$log" >&2
    fi
    echo "error: $*" >&2
    exit 2
}

# Run a package tool: its warnings are not for whoever only wants to try this.
quietly() { "$@" >>"$log" 2>&1; }

check_platform() {
    platform="$(uname -s)-$(uname -m)"
    case "$platform" in
    Linux-x86_64 | Darwin-arm64) ;;
    *) fail "Blender has no bpy package for $platform, so nothing can be rendered here: use Linux" \
        "on x86-64 or macOS on Apple silicon (pip install . gives the farm command alone)" ;;
    esac
    if [ "$platform" = Linux-x86_64 ] && ! getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
        fail "Blender's bpy package needs glibc, which this Linux lacks: use Debian, Ubuntu, Fedora" \
            "or another distribution with glibc"
    fi
}

# The interpreter behind a candidate, if it really is CPython 3.13: shims may be there and not work.
real_python() {
    "$1" -c '
import sys, sysconfig
import ensurepip, venv
fits = sys.version_info[:2] == (3, 13) and sys.implementation.name == "cpython"
if not fits or sysconfig.get_config_var("Py_GIL_DISABLED"):
    raise SystemExit(1)
print(getattr(sys, "_base_executable", None) or sys.executable)' 2>/dev/null
}

find_python() {
    for candidate in python3.13 python3 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 \
        /usr/local/bin/python3.13 /usr/bin/python3.13 /opt/homebrew/bin/python3.13 \
        "$HOME"/.local/share/uv/python/cpython-3.13*/bin/python3.13; do
        real_python "$candidate" && return 0
    done
    return 1
}

# The commands of a virtual environment know where it was made.
was_moved() { ! grep -qF "$PWD/.venv" .venv/bin/activate; }

make_venv() {
    if [ -n "$(real_python .venv/bin/python)" ] && ! was_moved; then
        return 0
    fi
    rm -rf .venv
    if [ -n "$uv" ]; then
        quietly "$uv" venv --python "${python:-3.13}" .venv
    else
        quietly "$python" -m venv .venv
    fi || fail "no virtual environment could be made with ${python:-a Python 3.13 that uv downloads}:" \
        "install Python 3.13 and run this again"
}

install_packages() {
    if [ -n "$uv" ]; then
        quietly "$uv" pip install --python .venv/bin/python --require-hashes -r requirements.lock &&
            quietly "$uv" pip install --python .venv/bin/python --no-deps --no-build-isolation -e . &&
            return 0
    fi
    pip=".venv/bin/python -m pip install --disable-pip-version-check"
    { .venv/bin/python -m pip --version >/dev/null 2>&1 || quietly .venv/bin/python -m ensurepip; } &&
        quietly $pip --require-hashes -r requirements.lock &&
        quietly $pip --no-deps --no-build-isolation -e . ||
        fail "the packages could not be installed: see above; with the network back, run this again"
}

stamp=.venv/.setup-stamp
wanted=$({ cat requirements.lock pyproject.toml tools/setup.sh && pwd; } | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x .venv/bin/farm ]; then
    exit 0
fi
check_platform
: >"$log"
python=$(find_python) || python=
uv=$(tools/uv.sh --find) || uv=
if [ -z "$python$uv" ]; then
    echo "1/3 Python: fetching 3.13 with uv, which goes into .venv-tools, as there is neither here"
    quietly tools/uv.sh --version || fail "uv could not be installed: see above"
    uv=.venv-tools/bin/uv
else
    echo "1/3 Python: ${python:-3.13, which $uv fetches}"
fi
make_venv
echo "2/3 Packages: those of requirements.lock into .venv (once, 1.3 GB, some minutes) ..."
install_packages
# As pip does with what it installs: else each of many processes compiles all anew where Python may not keep it.
quietly .venv/bin/python -m compileall -q farm worker scraper || :
echo "$wanted" >"$stamp"
echo "3/3 Ready: .venv/bin/farm"
