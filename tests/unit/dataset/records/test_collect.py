"""Many tasks' records become one dataset; doing it twice changes nothing."""

from __future__ import annotations

import json

import pytest

from farm.dataset.records.collect import FinishedRun, RunFacts, collect
from farm.dataset.records.read import seed_records
from farm.spec.asset import Credit
from farm.spec.record import ViewRecord
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.builders import a_record, a_task, a_view, an_asset

FACTS = RunFacts(
    name="vases",
    spec={"recipe": "sod"},
    tasks=3,
    failures=("vase.blend: has nothing to render",),
    seconds=12.0,
)


@pytest.fixture
def storage(tmp_path):
    """A dataset with one complete task and one that was cut short; the views are out of order."""
    storage = FolderStorage(tmp_path)
    chair = an_asset("chair.glb").model_copy(update={"credit": Credit(author="Ada")})
    seed_records(
        storage,
        a_task(0),
        [
            line(a_record(a_view(2))),
            line(a_record(a_view(0), coverage=0.0, notes={"studio.exr": ("it is all black",)})),
        ],
    )
    lacking = {"missing_textures": ("wood.png",), "unread": ("linked file legs.blend",)}
    seed_records(storage, a_task(1), [line(a_record(a_view(1), model=chair, **lacking))])
    return storage


def test_views_are_sorted_and_each_is_there_once(storage):
    storage.put("vases/views.jsonl", line(a_record(a_view(2), attempt=7)) + b"\n")

    gather(storage)

    views = [(record.view.index, record.attempt) for record in read_views(storage)]
    assert views == [(0, 1), (1, 1), (2, 1)]


def test_collecting_twice_is_the_same_as_once(storage):
    gather(storage)
    before = storage.get("vases/views.jsonl")

    gather(storage)

    assert storage.get("vases/views.jsonl") == before


def test_only_the_records_of_complete_tasks_are_deleted(storage):
    gather(storage, complete={a_task(0).task_id})

    assert storage.get(records_key(a_task(0))) is None
    assert storage.get(records_key(a_task(1))) is not None


def test_no_empty_folder_is_left_when_all_is_complete(storage):
    gather(storage)

    assert not (storage.root / "vases" / ".records").exists()


def test_the_dataset_says_what_is_in_it(storage):
    gather(storage)

    summary = json.loads(storage.get("vases/dataset.json"))
    assert summary["name"] == "vases"
    assert summary["views"] == 3
    assert summary["empty_views"] == 1
    assert summary["missing_textures"] == {"chair.glb": ["wood.png"]}
    assert summary["unread"] == {"chair.glb": ["linked file legs.blend"]}
    assert summary["notes"] == {"studio.exr": ["it is all black"]}
    assert summary["tasks"] == 3
    assert summary["failures"] == ["vase.blend: has nothing to render"]
    assert summary["size_bytes"] == 3 * len(b"picturemask")
    assert summary["resolutions_px"] == [[64, 64]]
    assert summary["formats"] == ["png"]
    assert summary["passes"] == ["rgb", "mask"]
    assert [
        (model["name"], model["views"]) for model in summary["assets"] if model["role"] == "models"
    ] == [
        ("chair.glb", 1),
        ("vase.blend", 2),
    ]
    assert summary["assets"][0]["credit"]["author"] == "Ada"
    assert summary["assets"][-1]["name"] == "studio.exr"
    assert summary["spec"] == {"recipe": "sod"}


def test_a_dataset_without_a_single_view_is_still_described(tmp_path):
    storage = FolderStorage(tmp_path)

    summary = gather(storage)

    assert summary.views == 0
    assert storage.get("vases/views.jsonl") == b""


def gather(storage, *, complete=None):
    run = FinishedRun(
        FACTS,
        is_complete=lambda task_id: complete is None or task_id in complete,
        report=pytest.fail,
    )
    return collect(storage, "vases", run)


def read_views(storage):
    lines = storage.get("vases/views.jsonl").splitlines()
    return [ViewRecord.model_validate_json(text) for text in lines]


def line(record):
    return record.model_dump_json().encode()


def test_views_that_show_nothing_for_lack_or_excess_of_light_are_counted_and_named(tmp_path):
    storage = FolderStorage(tmp_path)
    lines = [line(a_record(a_view(n), ill_lit="black" if n < 25 else None)) for n in range(30)]
    seed_records(storage, a_task(0), lines)

    summary = collect(storage, "vases", FinishedRun(FACTS, lambda _: True, print))

    assert summary.ill_lit["black"].views == 25
    assert len(summary.ill_lit["black"].names) == 20
    assert "clipped" not in summary.ill_lit
