"""Whether a machine draws without a screen is known before Blender tries it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from farm.doctor import examine
from worker.device import opengl

NO_DRIVER = "__EGL_VENDOR_LIBRARY_FILENAMES"
"""Variable of libglvnd that names the only drivers to be tried."""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's")


def asked(**environment: str) -> opengl.OpenGL:
    done = subprocess.run(
        [sys.executable, "-m", "worker.device.opengl"],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return opengl.OpenGL(**json.loads(done.stdout))


def test_a_machine_without_a_driver_says_so_and_lives():
    found = asked(**{NO_DRIVER: "/nowhere.json"})

    assert not found.renderer
    assert "EGL" in found.reason


def test_a_machine_without_the_library_says_so(monkeypatch):
    monkeypatch.setattr(opengl, "LIBRARY", "libEGL-that-is-not-there.so.1")

    assert "libEGL-that-is-not-there.so.1" in opengl.find_opengl().reason


def test_the_doctor_tells_what_draws_and_what_does_not(monkeypatch):
    pytest.importorskip("bpy")
    before = asked()

    [found] = examine(("opengl",))
    monkeypatch.setenv(NO_DRIVER, "/nowhere.json")
    [without] = examine(("opengl",))

    assert (before.renderer or before.reason) in found.sentence
    assert "engine: eevee is refused here" in without.sentence
