"""Streams of users' scripts: sealed as ever, told what to show, in a closed loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farm.errors import StreamError
from farm.stream import Stream
from worker.sandbox import landlock, seccomp

pytestmark = pytest.mark.skipif(
    not (landlock.version() and seccomp.offered()), reason="this system has no Landlock"
)
TALL = """
def frame(scene, view, rng):
    scene.objects["Cube"].scale.z = view.params["size"]
    return {"size": view.params["size"], "corners": view.corners(scene.objects["Cube"])}
"""


def spec_of(script: Path, **recipe):
    return {
        "recipe": {"kind": "script", **recipe},
        "script": [str(script)],
        "passes": ["mask"],
        "render": {"resolution": 64, "samples": 2},
    }


def test_fields_of_a_script_are_arrays_and_numbers_of_its_samples(tmp_path):
    (tmp_path / "tall.py").write_text(TALL)
    randomise = {"size": {"kind": "uniform", "low": 1.0, "high": 2.0}}
    with Stream(spec_of(tmp_path / "tall.py", views=2, randomise=randomise), device="cpu") as views:
        found = list(views)

    for view in found:
        assert view["size"] == view.record.view.params["size"] == view.record.fields["size"]
        np.testing.assert_allclose(view["corners"][:, 2].max(), view["size"], rtol=1e-5)
        assert view["corners"].shape == (8, 3)


def test_what_is_sent_is_what_the_script_is_told(tmp_path):
    (tmp_path / "tall.py").write_text(TALL)
    spec = spec_of(tmp_path / "tall.py", views=4, params={"size": 9.0})
    with Stream(spec, device="cpu", duplex=True, length=3, queue=4) as views:
        views.send([{"size": 1.0}, {"size": 1.5}, {"size": 2.0}], ids=["a", "b", "c"])
        found = {view.sent_id: view["size"] for view in views}

    assert found == {"a": 1.0, "b": 1.5, "c": 2.0}


def test_a_script_that_fails_is_told_of_with_its_line(tmp_path):
    (tmp_path / "odd.py").write_text("def frame(scene, view, rng):\n    return 1 / 0\n")
    with (
        Stream(spec_of(tmp_path / "odd.py", views=1), device="cpu") as views,
        pytest.raises(StreamError, match=r"odd\.py.*line 2"),
    ):
        list(views)


def test_a_field_whose_shape_changes_is_told_of(tmp_path):
    (tmp_path / "grow.py").write_text(
        "def frame(scene, view, rng):\n    return {'xs': [0.5] * (1 + view.index % 2)}\n"
    )
    with (
        Stream(spec_of(tmp_path / "grow.py", views=4), device="cpu") as views,
        pytest.raises(StreamError, match=r"its field xs is float64 \(.\), before it was float64"),
    ):
        list(views)
