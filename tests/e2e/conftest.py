"""The product as a user runs it: the command, real files, real processes."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
import pytest

from farm.cli import main as cli
from farm.local.processes.redis_server import free_port

CUBE = """\
v -1 -1 -1\nv 1 -1 -1\nv 1 1 -1\nv -1 1 -1\nv -1 -1 1\nv 1 -1 1\nv 1 1 1\nv -1 1 1
f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8
"""
PYRAMID = """\
v -1 -1 0\nv 1 -1 0\nv 1 1 0\nv -1 1 0\nv 0 0 1.5
f 1 4 3 2\nf 1 2 5\nf 2 3 5\nf 3 4 5\nf 4 1 5
"""


@dataclass(frozen=True)
class Assets:
    """Two models and two HDRIs, small and whole."""

    models: Path
    hdrs: Path


@pytest.fixture(scope="session")
def assets(tmp_path_factory) -> Assets:
    folder = tmp_path_factory.mktemp("assets")
    models, hdrs = folder / "models", folder / "hdrs"
    models.mkdir()
    hdrs.mkdir()
    (models / "cube0001-aaaa.obj").write_text(CUBE)
    (models / "pyramid1-bbbb.obj").write_text(PYRAMID)
    (models / "pyramid1-bbbb.obj.json").write_text('{"author": "Ada", "license": "CC0-1.0"}')
    for name, colour in (
        ("skyblue1-cccc.hdr", (90, 120, 200)),
        ("sunset01-dddd.hdr", (220, 120, 60)),
    ):
        (hdrs / name).write_bytes(radiance(colour))
    return Assets(models, hdrs)


def radiance(colour: tuple[int, int, int]) -> bytes:
    """A 16 x 8 Radiance picture of one colour, brighter above (RGBE, uncompressed)."""
    pixels = np.zeros((8, 16, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = np.array([130, 129, 129, 128, 128, 128, 127, 127])[:, None]
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 16\n" + pixels.tobytes()


def farm(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "farm", *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=280, cwd=cwd, check=False
    )


def here(*args: object) -> subprocess.CompletedProcess[str]:
    """Run the command through its own door in this process: what starts no others is the same."""
    command = ["farm", *map(str, args)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with mock.patch.object(sys, "argv", command), redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


@contextmanager
def commands() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command in sessions of their own; whatever happens, they are gone afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "farm", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def start_farm():
    with commands() as start:
        yield start


@contextmanager
def held_renders(folder: Path) -> Iterator[None]:
    """Whoever renders meanwhile stands still when the first view is there, until this ends.

    Args:
        folder: Of the test, for a file.
    """
    file = folder / "held"
    file.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FARM_RENDERER", "tests.support.farms.held_blender:open_held_blender")
        patch.setenv("HELD_WHILE", str(file))
        yield
    file.unlink()


def family(pid: int) -> list[psutil.Process]:
    """All that a process has started, and what those have."""
    return psutil.Process(pid).children(recursive=True)


@contextmanager
def farm_up(
    folder: Path, patch: pytest.MonkeyPatch, *, workers: int, **settings: str
) -> Iterator[Path]:
    """A farm of its own below `folder`; gives its storage, and is down in the end."""
    for name in [name for name in os.environ if name.startswith("FARM_")]:
        patch.delenv(name)
    for name in ("CONFIG", "CACHE", "DATA"):
        patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
    for name, value in settings.items():
        patch.setenv(name, value)
    place = ("--storage", folder / "farm")
    ports = ("--port", free_port(), "--flower-port", free_port())
    begun = farm("up", *place, *ports, "--device", "cpu", "--workers", workers)
    try:
        assert begun.returncode == 0, begun.stderr
        yield folder / "farm"
    finally:
        farm("down", *place)
