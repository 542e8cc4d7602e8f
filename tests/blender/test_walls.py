"""The renderer as a worker opens it: behind walls, and still able to render."""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker import landlock, seccomp

OPEN = """
import os, subprocess, sys
from pathlib import Path
from farm.settings import load_settings
from worker.tasks import open_blender

outside, inside = Path(sys.argv[1]), Path(sys.argv[2])
settings = load_settings(
    device="cpu", scratch=inside, storage=str(inside / "storage"), cache=inside / "cache"
)
open_blender(settings)  # which renders the known frame
for verb in (
    lambda: (outside / "made").touch(),
    lambda: subprocess.run(["/bin/true"]),
    lambda: os.kill(os.getppid(), 0),
    lambda: (inside / "storage" / "made").touch(),
):
    try:
        verb()
        print("SAID done", flush=True)
    except PermissionError:
        print("SAID refused", flush=True)
os._exit(0)
"""


@pytest.mark.skipif(
    landlock.version() < landlock.SIGNALS or not seccomp.offered(),
    reason="this system has no Landlock of version 6, or no filter that we know",
)
def test_a_renderer_is_behind_walls_before_it_reads_a_strangers_file(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    temporary = inside / "temporary"
    outside.mkdir()
    temporary.mkdir(parents=True)
    command = [sys.executable, "-c", OPEN, str(outside), str(inside)]
    done = subprocess.run(
        ["env", f"TMPDIR={temporary}", *command],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip

    said = [line for line in done.stdout.splitlines() if line.startswith("SAID")]
    assert said == ["SAID refused"] * 3 + ["SAID done"], done.stderr
