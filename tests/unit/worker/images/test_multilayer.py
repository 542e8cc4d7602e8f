"""Passes from a multilayer EXR."""

from __future__ import annotations

import numpy as np
import OpenEXR
import pytest

from farm.errors import RenderError
from worker.images.multilayer import read_passes, sample_seconds


def write_exr(path, *, layers: dict[str, np.ndarray], **header: object) -> None:
    parts = [
        OpenEXR.Part(
            {"type": OpenEXR.scanlineimage, **header},
            {
                f"ViewLayer.{layer}.{letter}": np.ascontiguousarray(pixels[..., place])
                for place, letter in enumerate("RGBA"[: pixels.shape[-1]])
            },
            name=layer,
        )
        for layer, pixels in layers.items()
    ]
    OpenEXR.File(parts).write(str(path))


def test_a_picture_is_the_model_before_its_environment_times_the_light(tmp_path):
    rng = np.random.default_rng(1)
    combined = rng.random((3, 5, 4), dtype=np.float32)
    environment = rng.random((3, 5, 3), dtype=np.float32)
    path = tmp_path / "view.exr"
    write_exr(path, layers={"Combined": combined, "Environment": environment})

    passes = read_passes(path)

    np.testing.assert_allclose(
        passes.picture(gain=1.5), (combined[..., :3] + environment) * 1.5, rtol=1e-6
    )
    np.testing.assert_array_equal(passes.alpha, combined[..., 3])


def test_a_render_that_is_not_whole_is_an_error(tmp_path):
    path = tmp_path / "view.exr"
    write_exr(path, layers={"Combined": np.zeros((64, 64, 4), dtype=np.float32)})
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(RenderError, match=r"view.exr: the render was not written completely"):
        read_passes(path)


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [("00:00.38", 0.38), ("01:02.50", 62.5), ("1:00:00.25", 3600.25)],
)
def test_the_seconds_of_sampling_are_those_that_cycles_noted(stamp, seconds):
    assert sample_seconds({"cycles.ViewLayer.render_time": stamp}) == pytest.approx(seconds)
    assert sample_seconds({"RenderTime": "99"}) == 0.0
