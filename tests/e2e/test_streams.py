"""A stream on one machine, with a farm that it starts itself: real renders, real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import psutil
import pytest

import farm.dataset
from farm.dataset.reader import open_dataset
from farm.errors import FarmError, StreamError
from farm.local.up.farm_folder import FarmFolder
from farm.stream import Stream
from tests.e2e.conftest import family, farm_up
from tests.e2e.conftest import farm as run_farm
from tests.e2e.test_render import is_alive
from tests.support.blender.street_scene import write_street
from tests.support.waiting import wait_for

PASSES = ("rgb", "mask", "depth", "normal", "index", "cryptomatte")


def spec_of(assets, **more):
    return {
        "models": [str(assets.models / "cube*.obj")],
        "hdrs": [str(assets.hdrs / "sky*.hdr")],
        "recipe": {"yaw": 3, "pitch": 1},
        "render": {"resolution": 64, "samples": 4},
        "passes": list(PASSES),
        **more,
    }


@pytest.fixture(scope="module")
def rendered(assets, tmp_path_factory):
    """What `farm render` makes of the spec."""
    output = tmp_path_factory.mktemp("rendered")
    made = run_farm(
        "render", "--models", assets.models / "cube*.obj", "--hdrs", assets.hdrs / "sky*.hdr",
        "--yaw", 3, "--pitch", 1, "--resolution", 64, "--samples", 4, "--device", "cpu",
        "--passes", ",".join(PASSES), "--output", output,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return open_dataset(output)


@pytest.fixture(scope="module")
def recorded(assets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded") / "deep"
    with Stream(spec_of(assets), record=folder, device="cpu", ordered=True) as stream:
        views = {view.name: {name: view[name] for name in view} for view in stream}
    return folder, views


def test_arrays_are_what_is_in_the_files_of_a_render(assets, rendered):
    with Stream(spec_of(assets), device="cpu") as stream:
        views = list(stream)

    assert len(views) == len(rendered) == 3
    files = {view.name: view for view in rendered}
    for view in views:
        own = files[view.name]
        assert view.id.endswith(own.record.view_id)
        assert view.record.camera == own.record.camera
        assert view.record.objects == own.record.objects
        assert view.record.indices == own.record.indices
        assert list(view) == list(PASSES)
        for name in PASSES:
            np.testing.assert_array_equal(view[name], own[name], err_msg=name)
            assert view[name].dtype == own[name].dtype


def test_a_recorded_stream_is_the_dataset_that_a_render_writes(rendered, recorded):
    folder, views = recorded
    data = farm.dataset.open(folder)

    assert [view.key for view in data] == [view.key for view in rendered]
    for own, other in zip(data, rendered, strict=True):
        assert own.record.files == other.record.files, "the same bytes"
        np.testing.assert_array_equal(own["rgb"], views[own.name]["rgb"])
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"views.jsonl", "dataset.json", "preview.jpg", "ATTRIBUTION.md"} <= files


def test_what_was_recorded_is_verified_and_exported(recorded, tmp_path):
    folder, _ = recorded
    dataset = next(path.parent for path in folder.rglob("views.jsonl"))

    checked = run_farm("dataset", "verify", folder)
    exported = run_farm("dataset", "export", dataset, "--to", "coco", "--out", tmp_path / "coco")

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert exported.returncode == 0, exported.stderr


def test_what_was_sent_is_what_is_seen(assets):
    """A light that is sent makes the picture darker; ids come back with the pictures."""
    spec = spec_of(assets, passes=["rgb"])
    with Stream(spec, device="cpu", duplex=True, length=2, queue=2) as stream:
        stream.send([{"light": {"strength": 1.0}}, {"light": {"strength": 0.05}}], ids=["a", "b"])
        seen = {view.sent_id: view["rgb"].mean() for view in stream}

    assert seen["b"] < seen["a"] / 2


def test_nothing_is_left_of_a_stream_whose_loop_breaks(assets):
    before = set(psutil.Process().children(recursive=True))
    with Stream(spec_of(assets, passes=["mask"]), device="cpu") as stream:
        for _view in stream:
            started = set(psutil.Process().children(recursive=True)) - before
            samples = stream._place.address.samples
            break

    assert started
    wait_for(lambda: not any(map(is_alive, started)), "all that were killed are gone")
    assert not samples.parent.exists()


TRAIN = """
import json, sys
from farm.stream import Stream
stream = Stream(json.loads(sys.argv[1]), device="cpu", length=1000)
for view in stream:
    print(stream._place.address.samples, flush=True)
"""


def test_nothing_is_left_of_a_stream_whose_process_was_killed(assets):

    spec = json.dumps(spec_of(assets, passes=["mask"]))
    command = [sys.executable, "-c", TRAIN, spec]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trainer:
        samples = Path(trainer.stdout.readline().strip())
        started = family(trainer.pid)
        os.kill(trainer.pid, signal.SIGKILL)

    assert len(started) > 3
    wait_for(lambda: not any(is_alive(process) for process in started), "all have ended")
    assert samples.is_absolute()
    wait_for(lambda: not samples.exists(), "its memory is free again")


def test_a_device_that_is_not_there_is_told_of(assets):
    with (
        pytest.raises(FarmError, match="cuda:77"),
        Stream(spec_of(assets), device="cuda:77") as stream,
    ):
        list(stream)


def test_a_model_that_cannot_be_read_is_told_of(assets, tmp_path):
    (tmp_path / "broken.obj").write_text("v 0 0 nothing\n")
    spec = spec_of(assets, models=[str(tmp_path / "broken.obj")])
    with (
        Stream(spec, device="cpu") as stream,
        pytest.raises(
            StreamError,
            match=r"ended after 0 of 3 samples: task \d: \S+broken.obj: it is a point cloud",
        ),
    ):
        list(stream)


def test_a_file_that_is_not_there_is_told_of_before_anything_starts(assets, tmp_path):
    with pytest.raises(FarmError, match=r"none\.obj"):
        Stream(spec_of(assets, models=[str(tmp_path / "none.obj")]), device="cpu")


def test_frames_of_a_sequence_come_in_their_order(tmp_path):
    write_street(tmp_path / "street.blend", "")
    spec = {
        "recipe": {"kind": "sequence"},
        "scenes": [str(tmp_path / "street.blend")],
        "passes": ["rgb", "flow"],
        "render": {"resolution": 64, "samples": 2},
    }
    with Stream(spec, device="cpu", length=6, ordered=True, queue=8) as stream:
        views = list(stream)

    assert [view.record.view.moment.place for view in views] == [0, 1, 2, 3, 4, 5]
    assert np.isfinite(views[3]["flow_forward"]).all()
    assert np.abs(views[3]["flow_forward"]).max() > 0.5


def test_a_farm_streams_from_behind_its_walls(assets, rendered, tmp_path, monkeypatch):
    """By its API alone: what arrives are the files of a render, and a second stream is quick."""
    with farm_up(tmp_path, monkeypatch, workers=1) as storage:
        folder = FarmFolder(storage)
        monkeypatch.setenv("FARM_URL", folder.state().url)
        monkeypatch.setenv("FARM_TOKEN", folder.secrets().admin_token)
        with Stream(spec_of(assets), farm="farm") as stream:
            views = {view.name: view for view in stream}
        started = time.monotonic()
        with Stream(spec_of(assets), farm="farm") as again:
            first = next(iter(again))
        print("first sample of a farm that is up, s:", time.monotonic() - started)
        stored = list((storage / "datasets").glob("*")) if (storage / "datasets").exists() else []

    assert first.name in views
    assert stored == []
    for own in rendered:
        files = {name: file.sha256 for name, file in own.record.files.items()}
        sent = views[own.name].encoded
        assert {name: sha256(each.data).hexdigest() for name, each in sent.items()} == files
