import os
import subprocess
import sys

import pytest

WITHOUT = """
import sys
for name in ("billiard", "bpy", "celery", "fastapi", "kombu", "redis", "uvicorn", "fsspec"):
    sys.modules[name] = None
sys.argv = ["farm", *sys.argv[1:]]
from farm.cli.main import main
main()
"""


@pytest.mark.parametrize(
    "command", ["api", "dispatcher", "flower", "recover", "samples", "up", "worker"]
)
def test_a_laptop_is_told_what_to_install(command, tmp_path):
    arguments = [command, "x"] if command == "samples" else [command]

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)},
        check=False,
    )

    assert done.returncode == 2
    assert "which is not installed: pip install 'viewfarm[" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_laptop_is_told_what_looks_into_scenes(tmp_path):
    (tmp_path / "room.blend").write_bytes(b"BLENDER-v300")

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "scenes", "room.blend"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        check=False,
    )

    assert done.returncode == 2
    assert "needs Blender: pip install 'viewfarm[worker]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_with_a_page_says_what_serves_it_before_it_reads_any_file(tmp_path):
    arguments = ["render", "--models", "x.glb", "--hdrs", "y.exr", "--page"]

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)},
        check=False,
    )

    assert done.returncode == 2
    assert "the page needs" in done.stderr
    assert "pip install 'viewfarm[worker]'" in done.stderr
    assert list(tmp_path.iterdir()) == []
