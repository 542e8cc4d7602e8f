"""`--engine eevee` as a user runs it: behind the walls of a script, and where nothing draws."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("bpy")

import farm.dataset
from tests.e2e.conftest import farm as run
from worker.device.opengl import find_opengl
from worker.sandbox import landlock, seccomp

SMALL = ("--engine", "eevee", "--resolution", 64, "--samples", 2, "--device", "cpu")
WALLS = bool(landlock.version() and seccomp.offered())
TURNED = """
def frame(scene, view, rng):
    scene.objects["Cube"].rotation_euler.z = view.index
"""


def records(folder: Path):
    return [view.record for view in farm.dataset.open(folder)]


@pytest.mark.skipif(not find_opengl().renderer, reason="no OpenGL without a screen")
@pytest.mark.skipif(not WALLS, reason="this system has no Landlock")
def test_eevee_draws_behind_the_walls_of_a_script(tmp_path):
    (tmp_path / "turned.py").write_text(TURNED)

    done = run("render", "--recipe", "script", "--script", tmp_path / "turned.py", "--views", 2,
               "--passes", "rgb,index", "--output", tmp_path, "--dataset-name", "turned",
               *SMALL)  # fmt: skip

    assert done.returncode == 0, done.stderr
    made = records(tmp_path / "turned")
    assert [record.engine for record in made] == ["eevee"] * 2
    assert made[0].files["rgb"].sha256 != made[1].files["rgb"].sha256
    assert run("dataset", "verify", tmp_path / "turned").returncode == 0


def test_a_machine_that_cannot_draw_says_so_and_renders_nothing(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere.json")  # no driver

    done = run("render", "--models", assets.models / "cube*.obj", "--hdrs",
               assets.hdrs / "sky*.hdr", "--yaw", 1, "--pitch", 1, "--output", tmp_path,
               *SMALL)  # fmt: skip

    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "engine: eevee cannot draw here: no driver offers EGL without a screen; install" in said
    assert "or take engine: cycles" in said
