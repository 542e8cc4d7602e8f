"""Tracks go wherever other passes go: into samples, shards, checks and pages."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

import farm.dataset
from farm.arrays import encode_rows
from farm.dataset.preview.preview import picture_of, sheet_of
from farm.dataset.reader import open_dataset
from farm.dataset.verify.verify import verify
from farm.errors import SpecError
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import run

PASSES = ("rgb", "index", "tracks")


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    write_sequences(tmp_path / "d", sequences=1, frames=3, passes=PASSES)
    return tmp_path / "d"


def test_tracks_follow_points_that_a_moving_picture_shows(tracked: Path):
    views = list(farm.dataset.open(tracked))
    first = views[0]["tracks"]
    assert 20 < len(first) < 64
    assert first["visible"].all()
    for view in views:
        rows = view["tracks"]
        np.testing.assert_array_equal(rows["id"], first["id"])
        seen = rows[rows["visible"]]
        at = np.floor(seen["px"]).astype(int)
        start = np.floor(first["px"][rows["visible"]]).astype(int)
        same = view["index"][at[:, 1], at[:, 0]] == views[0]["index"][start[:, 1], start[:, 0]]
        assert same.mean() > 0.9  # all but at edges, where pixels are whole
    assert np.abs(views[2]["tracks"]["px"] - first["px"]).max() > 2


def test_shards_hold_the_file_and_tables_leave_it_out(tracked: Path, tmp_path: Path):
    run(tracked, tmp_path / "tar", "webdataset")
    with tarfile.open(tmp_path / "tar/train-000000.tar") as shard:
        [name] = [each for each in shard.getnames() if each.endswith("001.tracks.npz")]
        file = shard.extractfile(name)
        assert file is not None
        with np.load(io.BytesIO(file.read())) as found:
            rows = farm.dataset.open(tracked)[0]["tracks"]
            np.testing.assert_array_equal(found["px"], rows["px"])
    run(tracked, tmp_path / "table", "huggingface")
    assert "`tracks`" not in (tmp_path / "table/README.md").read_text()
    with pytest.raises(SpecError, match="cannot hold the pass tracks"):
        run(tracked, tmp_path / "asked", "huggingface", passes=("rgb", "tracks"))


def replace_tracks(folder: Path, change) -> None:
    """Change the tracks of the second frame, and record them as if they had been made so."""
    rows = open_dataset(folder)[1]["tracks"].copy()
    change(rows)
    data = encode_rows(rows)
    lines = [json.loads(line) for line in (folder / "views.jsonl").read_text().splitlines()]
    entry = lines[1]["files"]["tracks"]
    (folder / entry["path"]).write_bytes(data)
    entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    (folder / "views.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def found(folder: Path) -> dict[str, int]:
    return {
        check.check: check.found
        for check in verify(open_dataset(folder), workers=1).checks
        if check.found
    }


CHANGES = {
    "none": (lambda rows: None, set()),
    "moved": (lambda rows: rows["px"].__iadd__(0.5), {"tracks"}),
    "nearer": (lambda rows: rows["depth"].__imul__(0.9), {"tracks"}),
    "lost": (lambda rows: rows["lost"].fill(True), {"tracks"}),
    "same ids": (lambda rows: rows["id"].fill(3), {"tracks"}),
    "no numbers": (lambda rows: rows["world"].fill(np.nan), {"tracks"}),
    "infinite": (lambda rows: rows["px"].fill(np.inf), {"tracks", "numbers"}),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_verify_finds_tracks_that_contradict_their_camera(tracked: Path, kind: str):
    change, wanted = CHANGES[kind]
    replace_tracks(tracked, change)
    told = set(found(tracked)) - {"summary", "poses"}  # other bytes, and no transforms.json
    assert told == wanted


def test_pages_show_the_passes_that_are_pictures(tracked: Path):
    data = open_dataset(tracked)
    assert picture_of(data, data[0].key).startswith(b"\x89PNG")
    assert sheet_of(data, limit=3)
