"""What people see of `make setup`: three lines, and the tools' own words only where they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOISE = "warning: this is between the package tools"
UV = f"""#!/bin/sh
echo "{NOISE}" >&2
case $1 in
--version) echo 'uv 9.9' ;;
venv) mkdir -p .venv/bin
    printf '#!/bin/sh\\nexit 1\\n' >.venv/bin/python
    cp .venv/bin/python .venv/bin/farm
    chmod +x .venv/bin/*
    echo "$PWD/.venv" >.venv/bin/activate ;;
pip) [ -e broken ] && echo 'no matching distribution' >&2 && exit 1; exit 0 ;;
esac
"""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it is for machines that render"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="it looks for this Python"),
]


@pytest.fixture
def setup(tmp_path):
    """Run the script in a folder of its own, with a uv that only talks."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text(UV)
    (tmp_path / "bin" / "uv").chmod(0o755)
    (tmp_path / "bin" / "python3.13").symlink_to(sys.executable)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tmp_path / "tools" / "setup.sh"],
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_setting_up_is_three_lines_and_then_none(setup):
    done = setup()

    assert (done.returncode, done.stderr) == (0, "")
    one, two, three = done.stdout.splitlines()
    assert one.startswith("1/3 Python: /")
    assert two.startswith("2/3 Packages: those of requirements.lock into .venv")
    assert three == "3/3 Ready: .venv/bin/farm"
    assert setup().stdout == ""


def test_where_it_fails_the_tools_words_are_shown(setup, tmp_path):
    (tmp_path / "broken").touch()

    done = setup()

    assert done.returncode == 2
    assert NOISE in done.stderr
    assert "no matching distribution" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: the packages could not be installed")
    assert "Ready" not in done.stdout
