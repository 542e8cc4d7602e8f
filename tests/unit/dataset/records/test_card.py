"""The card of a dataset whose views are rows of Parquet files."""

from __future__ import annotations

import pytest
import yaml

from farm.dataset.records.card import CARD, OURS, write_card
from farm.dataset.records.collect import FinishedRun, RunFacts, collect
from farm.spec.asset import Credit
from farm.spec.record import FileRecord
from farm.storage import FolderStorage
from tests.builders import a_record, an_asset


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def finish(storage, suffix: str, licence: str | None = "CC-BY-4.0") -> None:
    """Finish a dataset of one view, in a shard whose bytes nobody reads."""
    shard = FileRecord(path=f"shards/a.{suffix}", sha256="", size_bytes=5)
    credit = Credit(licence=licence)
    record = a_record(
        model=an_asset().model_copy(update={"credit": credit}),
        hdr=an_asset("studio.exr", kind="hdr").model_copy(update={"credit": credit}),
    )
    files = {
        name: file.model_copy(update={"path": f"{shard.path}/{512 * at}/a.{name}.png"})
        for at, (name, file) in enumerate(record.files.items(), start=1)
    }
    record = record.model_copy(update={"files": files, "shard": shard})
    storage.put(f"d/{shard.path}", b"shard")
    storage.put("d/views.jsonl", f"{record.model_dump_json()}\n".encode())
    facts = RunFacts(name="d", spec={}, tasks=1, seconds=1.0)
    run = FinishedRun(facts, lambda _task: True, print)
    write_card(storage, "d", collect(storage, "d", run), print)


def test_a_card_names_the_files_columns_and_licence(storage):
    finish(storage, "parquet")

    _, head, text = storage.get(f"d/{CARD}").decode().split("---\n", 2)
    told = yaml.safe_load(head)
    assert told["configs"][0]["data_files"] == [{"split": "train", "path": "shards/*.parquet"}]
    assert told["license"] == "cc-by-4.0"
    assert "| `rgb` | picture | the picture, sRGB |" in text
    assert "| `record` | string |" in text


def test_a_card_is_written_anew_until_somebody_makes_it_theirs(storage):
    finish(storage, "parquet")
    finish(storage, "parquet", licence=None)
    written = storage.get(f"d/{CARD}")
    assert b"license: other" in written

    theirs = written.replace(OURS.encode(), b"My vases.")
    storage.put(f"d/{CARD}", theirs)
    finish(storage, "parquet")

    assert storage.get(f"d/{CARD}") == theirs


def test_views_in_tar_files_need_no_card(storage):
    finish(storage, "tar")

    assert storage.get(f"d/{CARD}") is None
