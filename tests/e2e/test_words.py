"""`farm words propose` with pictures, as a person runs it."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

from farm.spec.words import read_words
from tests.support.tabletop import write_things

pytest.importorskip("bpy", reason="needs the worker's install (bpy)")
Image = pytest.importorskip("PIL.Image")


@pytest.mark.slow
def test_objects_are_named_and_pictured_and_what_is_broken_is_said(tmp_path):
    things = write_things(tmp_path / "things", colours=("red",), shapes=("box", "ball"))
    (things / "broken_mug.glb").write_bytes(b"nothing of the kind")

    done = subprocess.run(
        [sys.executable, "-m", "farm", "words", "propose", "things", "--sheet", "words.png"],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    words = read_words((tmp_path / "words.yaml").read_text(), name="words.yaml")
    assert {name: each.noun for name, each in words.items()} == {
        "broken_mug.glb": "mug", "red_ball.obj": "ball", "red_box.obj": "box",
    }  # fmt: skip
    assert "words.png: 2 pictures" in done.stdout
    assert "broken_mug.glb: not a .glb file" in done.stderr
    sheet = Image.open(io.BytesIO((tmp_path / "words.png").read_bytes()))
    pixels = np.asarray(sheet.convert("RGB")).astype(int)
    red = pixels[..., 0] > 2 * pixels[..., 1:].max(axis=-1)
    assert red.sum() > 10_000, "a red ball and a red box are to be seen"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["things", "words.png", "words.yaml"]


def test_a_sheet_of_another_kind_is_refused_before_anything_is_written(tmp_path):
    write_things(tmp_path / "things", colours=("red",), shapes=("box",))

    done = subprocess.run(
        [sys.executable, "-m", "farm", "words", "propose", "things", "--sheet", "words.pdf"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.startswith("error: --sheet: words.pdf does not say what it is by its end")
    assert not (tmp_path / "words.yaml").exists()
