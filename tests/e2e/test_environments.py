"""What the command says of environments that are not what they may be taken for."""

from __future__ import annotations

import json

import numpy as np

from tests.e2e.conftest import farm
from tests.support.environments import AP0, quarters, radiance, rgbe, write_exr


def test_a_cube_cross_is_refused_before_anything_is_rendered(assets, tmp_path):
    cross, output = tmp_path / "cross.hdr", tmp_path / "out"
    cross.write_bytes(radiance(np.full((96, 128, 4), 128, np.uint8)))

    done = farm("render", "--models", assets.models, "--hdrs", cross, "--output", output)

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {cross}: 128 x 96 pixels: ")
    assert "this looks like a cross of the faces of a cube: convert it" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()


def test_what_was_corrected_is_on_the_screen_and_in_the_dataset(assets, tmp_path):
    hdrs = tmp_path / "hdrs"
    hdrs.mkdir()
    holes = quarters(16)
    holes[3, 3] = np.nan
    write_exr(hdrs / "holes001.exr", holes, chromaticities=AP0)
    (hdrs / "upside01.hdr").write_bytes(radiance(rgbe(quarters(16))[::-1], order="+Y 16 +X 32"))

    done = farm("render", "--models", assets.models / "cube0001-aaaa.obj", "--hdrs", hdrs,
                "--output", tmp_path / "out", "--yaw", 1, "--pitch", 1, "--resolution", 64,
                "--samples", 1, "--device", "cpu")  # fmt: skip

    assert done.returncode == 0, done.stderr
    wanted = {
        "holes001.exr": [
            "1 of 512 pixels were not finite numbers and were replaced",
            "colours converted from its own primaries",
        ],
        "upside01.hdr": ["turned upright from +Y +X"],
    }
    said = " ".join(done.stderr.split())
    for name, notes in wanted.items():
        assert f"note: {name}: {'; '.join(notes)}" in said
    summaries = [json.loads(path.read_bytes()) for path in tmp_path.glob("out/*/dataset.json")]
    told = {name: notes for each in summaries for name, notes in each["notes"].items()}
    assert told == wanted


def test_a_black_environment_is_named_as_the_reason_why_nothing_is_seen(assets, tmp_path):
    black = write_exr(tmp_path / "black001.exr", np.zeros((8, 16, 3), np.float32))

    done = farm("render", "--models", assets.models / "cube0001-aaaa.obj", "--hdrs", black,
                "--output", tmp_path / "out", "--yaw", 1, "--pitch", 1, "--resolution", 64,
                "--samples", 1, "--device", "cpu")  # fmt: skip

    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "one flat colour, (0, 0, 0); black001.exr: it is all black and gives no light" in said
