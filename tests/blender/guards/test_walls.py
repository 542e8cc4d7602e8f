"""The renderer as a worker opens it: behind walls, and still able to render."""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker.sandbox import landlock, seccomp

OPEN = """
import os, subprocess, sys
from pathlib import Path
from farm.settings import load_settings
from worker.attempt.renderer import open_blender

outside, inside = Path(sys.argv[1]), Path(sys.argv[2])
settings = load_settings(
    device="cpu", scratch=inside / "scratch", storage=str(inside / "storage"),
    cache=inside / "cache", read_wall=sys.argv[3],
)
open_blender(settings)  # which renders the known frame
for verb in (
    lambda: (outside / "made").touch(),
    lambda: subprocess.run(["/bin/true"]),
    lambda: os.kill(os.getppid(), 0),
    (outside / "there").read_bytes,
    lambda: (inside / "storage" / "made").touch(),
    lambda: (inside / "scratch" / "made").touch(),
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
@pytest.mark.parametrize("read_wall", ["require", "off"])
def test_a_renderer_is_behind_walls_before_it_reads_a_strangers_file(tmp_path, read_wall):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    temporary = inside / "temporary"
    outside.mkdir()
    (outside / "there").touch()
    for name in ("temporary", "scratch", "storage"):
        (inside / name).mkdir(parents=True)
    command = [sys.executable, "-c", OPEN, str(outside), str(inside), read_wall]
    done = subprocess.run(
        ["env", f"TMPDIR={temporary}", *command],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip

    said = [line for line in done.stdout.splitlines() if line.startswith("SAID")]
    beside = ["SAID done"] * 2 if read_wall == "off" else ["SAID refused"] * 2
    assert said == ["SAID refused"] * 3 + beside + ["SAID done"], done.stderr
    assert "stay outside" not in done.stderr
