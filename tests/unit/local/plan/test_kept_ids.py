"""What an earlier version began continues under its names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from farm.dataset.records.collect import DATASET_FILE
from farm.local.plan.kept_ids import with_kept_ids
from farm.local.plan.prepare import prepare
from farm.spec.load import parse_spec
from tests.builders import a_job, a_record, an_asset

RELEASE_0_1 = Path(__file__).parents[2] / "spec" / "release_0_1" / "views.jsonl"
TOLD = {"kind", "role", "id", "name", "sha256", "credit"}
"""What a summary has of an asset."""


@pytest.fixture
def begun(tmp_path):
    """A folder with a task's record, as an unfinished dataset has it, and the record's assets."""
    record = a_record()
    assets = [
        asset.model_copy(update={"id": f"old_{number}"})
        for number, asset in enumerate(record.assets)
    ]
    record = record.model_copy(update={"assets": tuple(assets)})
    folder = tmp_path / "renders" / "old_0_old_1" / ".records"
    folder.mkdir(parents=True)
    (folder / "old_0-old_1-0000.jsonl").write_text(record.model_dump_json() + "\n")
    return tmp_path / "renders", assets


def named_now(assets):
    """Return the assets as this version names them, from names that were once cut at a `_`."""
    return [
        asset.model_copy(update={"id": f"new-{number}", "name": f"old_{number}_x.obj"})
        for number, asset in enumerate(assets)
    ]


def test_a_dataset_that_was_begun_continues_under_its_names(begun):
    folder, assets = begun

    assert [each.id for each in with_kept_ids(named_now(assets), folder)] == [
        asset.id for asset in assets
    ]


def test_a_dataset_of_other_assets_names_nothing(begun):
    folder, assets = begun
    others = [each.model_copy(update={"sha256": "f" * 64}) for each in named_now(assets)]

    assert list(with_kept_ids(others, folder)) == others


def test_a_finished_dataset_tells_by_its_summary(begun, tmp_path):
    _, assets = begun
    folder = tmp_path / "finished"
    folder.mkdir()
    told = [asset.model_dump(mode="json", include=TOLD) | {"views": 2} for asset in assets]
    facts = {
        "name": "d", "views": 2, "empty_views": 0, "missing_textures": {}, "tasks": 1,
        "failures": [], "seconds": 1, "size_bytes": 9, "resolutions_px": [], "formats": [],
        "passes": [], "assets": told, "versions": {}, "spec": a_job().spec.model_dump(mode="json"),
    }  # fmt: skip
    (folder / DATASET_FILE).write_text(json.dumps(facts))

    assert [each.id for each in with_kept_ids(named_now(assets), folder)] == [
        asset.id for asset in assets
    ]


def test_what_the_first_release_wrote_counts(tmp_path):
    [line, *_] = RELEASE_0_1.read_text().splitlines()
    (tmp_path / ".records").mkdir()
    (tmp_path / ".records" / "task.jsonl").write_text(line)
    model = json.loads(line)["model"]
    asset = an_asset("some_model.obj").model_copy(
        update={"sha256": model["sha256"], "id": "some-mod"}
    )

    assert with_kept_ids([asset], tmp_path)[0].id == model["id"]


@pytest.mark.parametrize("damage", ["", "{", '{"assets": 3}', "[]\n"])
def test_damaged_records_name_nothing(begun, damage):
    folder, assets = begun
    [record] = folder.glob("*/.records/*.jsonl")
    record.write_text(damage)

    now = named_now(assets)
    assert list(with_kept_ids(now, folder)) == now


def test_a_job_takes_the_names_of_the_folder_that_it_continues(tmp_path):
    for name, data in (("zeyu_tower.obj", b"v 0 0 0"), ("sky.hdr", b"#?RADIANCE\n")):
        (tmp_path / name).write_bytes(data)
    spec = parse_spec(
        {"assets": {"models": ["*.obj"], "hdrs": ["*.hdr"]}, "output": str(tmp_path / "out")}
    )
    fresh, _ = prepare(spec, base=tmp_path, continues=tmp_path / "out")
    [model] = fresh.of("models")
    assert model.id == "zeyu-tow"
    record = a_record()
    old = model.model_copy(update={"id": "zeyu_tow"})
    record = record.model_copy(update={"assets": (old, *record.assets[1:])})
    folder = tmp_path / "out" / ".records"
    folder.mkdir(parents=True)
    (folder / "zeyu_tow-sky-0000.jsonl").write_text(record.model_dump_json() + "\n")

    continued, _ = prepare(spec, base=tmp_path, continues=tmp_path / "out")

    assert continued.of("models")[0].id == "zeyu_tow"
    assert continued.job_id != fresh.job_id
