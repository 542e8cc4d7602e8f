"""webdataset reads a whole sequence as one sample."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import webdataset

import farm.dataset
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import run

# webdataset leaves files open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def read(*shards: Path) -> list[dict]:
    found = webdataset.WebDataset([str(shard) for shard in shards], shardshuffle=False)
    return list(found.decode("pil"))


def test_a_sample_has_all_frames_of_a_sequence(tmp_path: Path):
    write_sequences(tmp_path / "d")
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "clips")

    samples = read(tmp_path / "out/train-000000.tar")
    assert [sample["__key__"] for sample in samples] == [
        "street-001-00001-00004", "harbour-001-00001-00004",
    ]  # fmt: skip
    for sample, four in zip(samples, (views[:4], views[4:]), strict=True):
        assert (sample["json"]["fps"], len(sample["json"]["frames"])) == (24.0, 4)
        for at, view in enumerate(four):
            assert sample["json"]["frames"][at] == json.loads(view.record.model_dump_json())
            rgb = np.asarray(sample[f"{at:06d}.rgb.png"])
            np.testing.assert_array_equal(rgb, view["rgb"])
            for name in ("depth", "index", "flow_forward", "flow_backward_valid"):
                np.testing.assert_array_equal(sample[f"{at:06d}.{name}.npy"], view[name])


def test_shards_end_by_size_and_never_within_a_sequence(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=5, frames=3, size=(192, 160))

    run(tmp_path / "d", tmp_path / "out", "clips", shard_mb=8)

    shards = sorted((tmp_path / "out").glob("*.tar"))
    counts = [len(read(shard)) for shard in shards]
    assert sum(counts) == 5
    assert 1 < len(shards) < 5
    assert all(shard.stat().st_size < 8.4e6 for shard in shards)


def test_a_clip_that_lacks_a_frame_is_left_out_and_the_others_stay(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=3)
    path = tmp_path / "d" / farm.dataset.open(tmp_path / "d")[5].path("depth")
    path.write_bytes(path.read_bytes()[:-4])

    done = run(tmp_path / "d", tmp_path / "out", "clips")

    assert [note.split()[0] for note in done.notes] == ["harbour-001-00001-00004"]
    assert (done.views, len(done.damaged)) == (8, 1)
    samples = read(tmp_path / "out/train-000000.tar")
    assert [sample["__key__"].partition("-")[0] for sample in samples] == ["street", "attic"]
