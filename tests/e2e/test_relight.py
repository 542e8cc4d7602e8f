"""`farm render --relight` as a user runs it, and what other commands make of its dataset."""

from __future__ import annotations

import farm.dataset
from tests.e2e.conftest import farm as run_farm
from tests.e2e.conftest import here


def test_views_under_several_lights_are_a_dataset_like_any_other(assets, tmp_path):
    folder = tmp_path / "ds"
    request = ("render", "--models", assets.models / "cube0001-aaaa.obj", "--hdrs", assets.hdrs,
               "--output", folder, "--relight", "--rig", "fibonacci", "--views", 4,
               "--passes", "rgb,mask,depth,index", "--resolution", 64, "--samples", 4,
               "--workers", 1, "--device", "cpu")  # fmt: skip

    done = run_farm(*request)

    assert done.returncode == 0, done.stderr
    data = farm.dataset.open(folder)
    assert len(data) == 8
    names = {view.name for view in data}
    for view in data:
        [other] = view.record.siblings
        assert other in names
        assert (data.storage.root / view.path("depth")).stat().st_nlink == 2
    verified = here("dataset", "verify", folder)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    split = here("dataset", "split", folder, "--by", "view", "--seed", 1,
                 "--train", 0.5, "--val", 0.5, "--test", 0)  # fmt: skip
    assert split.returncode == 0, split.stderr
    parts = [
        {view.record.view.pose for view in farm.dataset.open(folder, split=name)}
        for name in ("train", "val")
    ]
    assert parts[0]
    assert parts[1]
    assert parts[0].isdisjoint(parts[1])
    again = run_farm(*request)
    assert "8 of 8 views complete: 0 rendered" in again.stderr

    dropped = here("dataset", "drop-passes", folder, "index", "--yes")

    assert dropped.returncode == 0, dropped.stderr
    verified = here("dataset", "verify", folder)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_one_light_alone_is_refused(assets, tmp_path):
    done = here("render", "--models", assets.models, "--hdrs", assets.hdrs / "skyblue1-cccc.hdr",
                "--output", tmp_path, "--relight", "--dry-run")  # fmt: skip

    assert done.returncode == 2
    assert "relight: there is one light alone" in done.stderr
