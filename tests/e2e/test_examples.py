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

from PIL import Image, ImageColor

from worker.sandbox import landlock, seccomp

pytestmark = pytest.mark.skipif(
    not (landlock.version() and seccomp.offered()), reason="this system has no Landlock"
)
EXAMPLES = Path(__file__).parents[2] / "examples"


def example(path: str):
    """Import an example."""
    source = util.spec_from_file_location(f"example_{Path(path).stem}", EXAMPLES / path)
    module = util.module_from_spec(source)
    sys.modules[source.name] = module  # where dataclasses look
    source.loader.exec_module(module)
    return module


def run(path: str, *args: object, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / path), *map(str, args)],
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


@pytest.mark.parametrize(("name", "points"), [("falling_cubes", 64), ("cube", 8)])
def test_a_training_gets_pictures_and_their_points(tmp_path, name, points):
    said = run("train.py", name, "--loaders", 0, "--length", 2, "--device", "cpu", cwd=tmp_path)

    assert f"pictures (2, 480, 640, 3), points (2, {points}, 2)" in said
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (4 * 640, 480)
        marks = {colour for _, colour in grid.getcolors(1 << 24) or ()} & {
            ImageColor.getrgb(each) for each in example("train.py").COLOURS
        }
    assert marks


def test_points_are_drawn_where_they_are_and_left_out_where_nothing_sees_them():
    train = example("train.py")
    grey = np.full((100, 200, 3), 90, np.uint8)

    drawn = np.asarray(train.marked(grey, np.array([[50.0, 20.0], [-1.0, -1.0]])))

    assert tuple(drawn[20, 50]) == ImageColor.getrgb(train.COLOURS[0])
    changed = np.argwhere((drawn != grey).any(-1))
    assert np.abs(changed - (20, 50)).max() <= 2


def test_a_model_without_pictures_to_learn_from_stays_where_it_is():
    loop = example("closed_loop/closed_loop.py")
    model = loop.Sizes(np.zeros(2), np.ones(2))

    model.learn(np.ones((4, 2)), np.ones(4), rate=0.5)

    assert np.array_equal(model.mean, np.zeros(2))
