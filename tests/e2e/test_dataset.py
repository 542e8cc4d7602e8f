"""`farm dataset` on a dataset that was really rendered: looked at, broken, mended, put together."""

import json
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from imagecodecs import png_decode

import farm.dataset
from farm.dataset.label_checks import check_labels
from tests.e2e.conftest import farm as run_farm

PASSES = "rgb,mask,depth,normal,index,flow_forward,cryptomatte"


@pytest.fixture(scope="module")
def rendered(assets, tmp_path_factory):
    """Two models under one HDRI with labels, and the command that rendered them."""
    output = tmp_path_factory.mktemp("labels")
    request = ("render", "--models", assets.models, "--hdrs", assets.hdrs / "skyblue1-cccc.hdr",
               "--output", output / "ds", "--yaw", 2, "--pitch", 2, "--passes", PASSES,
               "--resolution", 64, "--samples", 4, "--workers", 1, "--device", "cpu")  # fmt: skip
    done = run_farm(*request)
    assert done.returncode == 0, done.stderr
    return output / "ds", request


def test_what_is_rendered_is_well_and_what_is_broken_is_rendered_again(rendered):
    folder, request = rendered
    verified = run_farm("dataset", "verify", folder)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    view = farm.dataset.open(folder)[3]
    path = folder / view.path("depth")
    right = view["depth"]
    path.write_bytes(path.read_bytes()[:-20])

    broken = run_farm("dataset", "verify", folder)

    assert broken.returncode == 1
    command = next(line for line in broken.stderr.splitlines() if line.strip().startswith("rm "))
    assert shlex.split(command) == ["rm", "-f", "--", str(path)]
    subprocess.run(shlex.split(command), check=True)
    again = run_farm(*request)
    assert again.returncode == 0, again.stderr
    assert run_farm("dataset", "verify", folder).returncode == 0
    assert (farm.dataset.open(folder)[3]["depth"] == right).all()


def test_labels_agree_with_the_mask(rendered):
    folder, _ = rendered
    looked = set()
    for view in farm.dataset.open(folder):
        arrays = {name: view[name] for name in view.passes}
        for check, findings in check_labels(arrays, view.record):
            looked.add(check)
            assert findings == [], view.key
    assert looked == {"numbers", "depth", "normal", "index", "box"}


def test_two_datasets_are_merged_split_drawn_and_counted(rendered, tmp_path):
    folder, _ = rendered
    out = tmp_path / "all"

    for args in (
        ("merge", folder, "--out", out, "--prefix"),
        ("split", out, "--train", 0.5, "--val", 0.5, "--test", 0),
        ("preview", out, "--html"),
        ("stats", out),
        ("verify", out),
    ):
        done = run_farm("dataset", *args)
        assert done.returncode == 0, (args, done.stdout, done.stderr)

    parts = [farm.dataset.open(out, split=name) for name in ("train", "val")]
    assert [len(part) for part in parts] == [4, 4]
    models = [{view.record.model.name for view in part} for part in parts]
    assert models[0].isdisjoint(models[1])
    assert json.loads((out / "stats.json").read_text())["views"] == 8
    assert Path(out / "preview.html").stat().st_size > 50_000


def test_depth_lies_in_the_models_box_by_the_poses_that_are_exported_to_bop(rendered, tmp_path):
    """Camera, pose, depth, units and size come from five places, and must agree."""
    folder, _ = rendered

    done = run_farm("dataset", "export", folder, "--to", "bop", "--out", tmp_path / "bop")

    assert done.returncode == 0, done.stderr
    models = json.loads((tmp_path / "bop/models/models_info.json").read_bytes())
    assert len(models) == 2
    for scene in sorted((tmp_path / "bop/train").iterdir()):
        poses = json.loads((scene / "scene_gt.json").read_bytes())
        for at, camera in json.loads((scene / "scene_camera.json").read_bytes()).items():
            (pose,) = poses[at]
            png = (scene / f"depth/{int(at):06d}.png").read_bytes()
            depth_mm = png_decode(png) * camera["depth_scale"]
            v, u = np.nonzero(depth_mm)
            rays = np.stack([u, v, np.ones_like(u)]) * depth_mm[v, u]
            seen = np.linalg.inv(np.reshape(camera["cam_K"], (3, 3))) @ rays
            shift = np.reshape(pose["cam_t_m2c"], (3, 1))
            points = np.reshape(pose["cam_R_m2c"], (3, 3)).T @ (seen - shift)
            model = models[str(pose["obj_id"])]
            half = np.array([[model[f"size_{axis}"] / 2] for axis in "xyz"])
            beyond = (np.abs(points) - half).max()
            assert beyond < camera["depth_scale"] + 1e-4 * model["diameter"]
            assert (np.ptp(points, axis=1) > 0.3 * half.T).any()  # it fills a good part of it
