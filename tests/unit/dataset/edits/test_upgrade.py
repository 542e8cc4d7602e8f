"""Datasets of the first release: read as they are, and written anew on request."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import farm.dataset
from farm.cli.main import make_app
from farm.dataset.edits.upgrade import upgrade
from farm.dataset.reader import open_dataset
from farm.dataset.verify.verify import verify
from farm.errors import SpecError
from tests.support.datasets import write_dataset

pytest.importorskip("imagecodecs")


def make_older(folder: Path) -> None:
    """Let the first release have written a dataset."""
    path = folder / "views.jsonl"
    path.write_text("".join(older_line(line) for line in path.read_text().splitlines()))
    summary = json.loads((folder / "dataset.json").read_bytes())
    assets = summary.pop("assets")
    for role in ("models", "hdrs"):
        summary[role] = [
            {name: value for name, value in asset.items() if name not in ("kind", "role")}
            for asset in assets
            if asset["role"] == role
        ]
    (folder / "dataset.json").write_text(json.dumps(summary))


def older_line(line: str) -> str:
    record = json.loads(line)
    model, hdr = record.pop("assets")
    for asset in (model, hdr):
        del asset["role"]
    for name in ("title", "group", "values"):
        del record[name]
    del record["view"]["kind"], record["view"]["frame"]
    for label in record["objects"]:
        del label["asset"], label["world_from_file"]
    eye = [[float(row == column) for column in range(4)] for row in range(4)]
    return json.dumps(record | {"model": model, "hdr": hdr, "world_from_model": eye}) + "\n"


def test_a_dataset_of_the_first_release_is_read_as_it_is(tmp_path):
    new = write_dataset(tmp_path, views=4, models=2)
    make_older(tmp_path)

    records = [view.record for view in farm.dataset.open(tmp_path)]

    assert [record.assets for record in records] == [record.assets for record in new]
    assert [record.title for record in records] == [record.title for record in new]
    assert verify(open_dataset(tmp_path), workers=1).wrong == 0


def test_an_upgrade_writes_what_this_release_would_have_written(tmp_path):
    write_dataset(tmp_path, views=4, models=2)
    summary = (tmp_path / "dataset.json").read_bytes()
    make_older(tmp_path)

    done = CliRunner().invoke(make_app(), ["dataset", "upgrade", str(tmp_path)])

    assert (done.exit_code, done.stdout) == (0, f"{tmp_path}: 4 views, 4 rewritten\n")
    for line in (tmp_path / "views.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert [asset["role"] for asset in record["assets"]] == ["models", "hdrs"]
        assert {label["asset"] for label in record["objects"]} == {0}
    assert (tmp_path / "dataset.json").read_bytes() == summary
    assert verify(open_dataset(tmp_path), workers=1).wrong == 0
    assert upgrade(open_dataset(tmp_path)) == (4, 0)


def test_a_broken_line_stops_an_upgrade_and_nothing_is_lost(tmp_path):
    write_dataset(tmp_path, views=2)
    path = tmp_path / "views.jsonl"
    path.write_bytes(path.read_bytes() + b'{"view_id": 1\n')
    before = path.read_bytes()

    with pytest.raises(SpecError, match=r"views\.jsonl: line 3 is not a record"):
        upgrade(open_dataset(tmp_path))

    assert path.read_bytes() == before
