"""A dataset in shards, as a user makes and uses one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import farm.dataset
from tests.e2e.conftest import farm as run_farm
from tests.e2e.conftest import here

QUICK = ("--workers", 1, "--device", "cpu")


@pytest.fixture(scope="module", params=["webdataset", "parquet"])
def packed(assets, tmp_path_factory, request):
    """A grid of one model under one HDRI, and the command that rendered it."""
    pack = request.param
    folder = tmp_path_factory.mktemp("packed")
    request = ("render", "--models", assets.models / "cube0001-aaaa.obj", "--hdrs",
               assets.hdrs / "skyblue1-cccc.hdr", "--output", folder / "ds", "--dataset-name", "d",
               "--yaw", 3, "--pitch", 2, "--resolution", 64, "--samples", 4, "--passes",
               "rgb,mask,depth", "--pack", pack, *QUICK)  # fmt: skip
    done = run_farm(*request)
    assert done.returncode == 0, done.stderr
    return folder, request


def test_six_views_are_one_file_that_all_tools_read(packed, tmp_path):
    folder, request = packed
    there = {path.relative_to(folder / "ds/d").as_posix() for path in folder.rglob("*.*")}
    shards = {name for name in there if name.startswith("shards/")}
    assert len(shards) == 1
    sums = {"views.jsonl", "dataset.json", "ATTRIBUTION.md", "preview.jpg"}
    assert there - shards == sums | ({"README.md"} if "parquet" in request else set())
    run_farm(*request)  # the first run may have begun too soon after its files were written
    again = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "farm", *map(str, request)],
        capture_output=True, text=True, timeout=280, check=True,
    )  # fmt: skip
    assert "6 of 6 views complete: 0 rendered" in again.stderr
    assert "| pydantic" not in again.stderr, "no plan is made of what is known to be over"

    for command in (
        ("dataset", "verify", folder / "ds"),
        ("dataset", "stats", folder / "ds"),
        ("dataset", "preview", folder / "ds/d", "--out", tmp_path / "sheet.jpg"),
        ("dataset", "split", folder / "ds/d", "--by", "view"),
        ("dataset", "export", folder / "ds/d", "--to", "coco", "--out", tmp_path / "coco"),
    ):
        done = here(*command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_the_folder_is_a_dataset_of_the_hub_as_it_is(packed, tmp_path):
    """Its card says which of its files are the views, also beside lists of splits."""
    from datasets import load_dataset

    folder, request = packed
    if "parquet" not in request:
        assert not (folder / "ds/d/README.md").exists()
        return
    assert here("dataset", "split", folder / "ds/d", "--by", "view").returncode == 0

    read = load_dataset(str(folder / "ds/d"), cache_dir=str(tmp_path / "cache"))

    views = list(farm.dataset.open(folder / "ds/d"))
    assert [row["view"] for row in read["train"]] == [view.name for view in views]
    for row, view in zip(read["train"], views, strict=True):
        assert np.array_equal(np.asarray(row["rgb"]), view["rgb"])
        assert row["depth"] == view.data("depth")
    card = (folder / "ds/d/README.md").read_text()
    told = re.findall(r"^\| `(\w+)`", card, flags=re.MULTILINE)
    assert set(told) == set(read["train"].column_names)


def test_a_merge_gives_each_file_a_place_of_its_own(packed, tmp_path):
    folder, _request = packed
    merged = here("dataset", "merge", folder / "ds/d", "--out", tmp_path / "out")
    assert merged.returncode == 0, merged.stderr
    before, after = farm.dataset.open(folder / "ds/d"), farm.dataset.open(tmp_path / "out")
    for one, other in zip(before, after, strict=True):
        assert other.path("depth").endswith(f"depth/{other.name}.exr")
        assert other.local_path("rgb").is_file()
        for name in one.passes:
            assert np.array_equal(one[name], other[name])
    checked = here("dataset", "verify", tmp_path / "out")
    assert checked.returncode == 0, checked.stdout


def test_passes_stay_in_their_shard(packed):
    folder, _request = packed
    done = here("dataset", "drop-passes", folder / "ds/d", "depth", "--yes")
    assert done.returncode == 2
    assert "farm dataset merge" in done.stderr


def test_passes_beside_a_shard_can_be_dropped(packed, tmp_path):
    folder, _request = packed
    shutil.copytree(folder / "ds/d", tmp_path / "d")
    added = run_farm("add-passes", tmp_path / "d", "index", *QUICK)
    assert added.returncode == 0, added.stderr

    done = here("dataset", "drop-passes", tmp_path / "d", "index", "--yes")

    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("index"))
    checked = here("dataset", "verify", tmp_path / "d")
    assert checked.returncode == 0, checked.stdout


def test_a_broken_shard_is_found(packed, tmp_path):
    folder, _request = packed
    shutil.copytree(folder / "ds/d", tmp_path / "d")
    [shard] = tmp_path.glob("d/shards/*")
    data = bytearray(shard.read_bytes())
    _shard, offset, _name = farm.dataset.open(tmp_path / "d")[3].path("rgb").rsplit("/", 2)
    data[int(offset) + 100] ^= 255
    shard.write_bytes(data)
    broken = here("dataset", "verify", tmp_path / "d")
    assert broken.returncode == 1
    assert f"rm -f -- {shard}\n" in broken.stdout + broken.stderr
    shard.unlink()
    gone = here("dataset", "verify", tmp_path / "d")
    assert gone.returncode == 1
    assert "Traceback" not in gone.stderr


def test_what_cannot_be_packed_is_refused(tmp_path):
    done = here("render", "--recipe", "sequence", "--scenes", tmp_path, "--pack", "webdataset")
    assert done.returncode == 2
    assert "take pack: files" in done.stderr
    done = here("render", "--models", tmp_path, "--hdrs", tmp_path, "--relight", "--pack",
                "webdataset")  # fmt: skip
    assert done.returncode == 2
    assert "leave one of the two out" in done.stderr
