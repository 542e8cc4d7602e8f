"""The examples that train while they render, in small."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

from PIL import Image

from worker.sandbox import landlock, seccomp

pytestmark = pytest.mark.skipif(
    not (landlock.version() and seccomp.offered()), reason="this system has no Landlock"
)
EXAMPLES = Path(__file__).parents[2] / "examples"


def run(example: str, *args: object, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *map(str, args)],
        cwd=cwd, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_closed_loop_finds_the_sizes(tmp_path):
    said = run("closed_loop/closed_loop.py", "--rounds", 12, "--device", "cpu", cwd=tmp_path)

    off = [float(each) for each in re.findall(r"off ([\d.]+)", said)]
    assert len(off) == 12
    assert off[0] > 0.9
    assert np.mean(off[-3:]) < 0.25
    with Image.open(tmp_path / "closed_loop.png") as curve:
        assert curve.size == (640, 400)
        assert (192, 48, 32) in {colour for _, colour in curve.getcolors(1 << 20) or ()}


def test_a_model_without_pictures_to_learn_from_stays_where_it_is():
    source = util.spec_from_file_location("loop", EXAMPLES / "closed_loop" / "closed_loop.py")
    loop = util.module_from_spec(source)
    sys.modules["loop"] = loop
    source.loader.exec_module(loop)
    model = loop.Sizes(np.zeros(2), np.ones(2))

    model.learn(np.ones((4, 2)), np.ones(4), rate=0.5)

    assert np.array_equal(model.mean, np.zeros(2))
