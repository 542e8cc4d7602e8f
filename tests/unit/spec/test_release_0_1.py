"""What the first release wrote into Redis, on storage and to the API is read as if written now."""

import json
from pathlib import Path

import pytest

from farm import expand
from farm.dataset.records.collect import DatasetSummary
from farm.spec.job import Job
from farm.spec.record import ViewRecord, read_record
from farm.spec.task import RenderMessage, view_id
from farm.spec.wire import Submission
from tests.builders import the_job
from tests.unit.spec.test_ids import AUGMENTED, LAMP, SKIES, VASE

WRITTEN = Path(__file__).parent / "release_0_1"
"""Made by that release, from the spec and the assets of `test_ids`."""


@pytest.fixture
def job() -> Job:
    return the_job(AUGMENTED, models=[VASE, LAMP], hdrs=SKIES)


def test_a_job_on_storage_is_the_same_job(job):
    assert Job.model_validate_json((WRITTEN / "job.json").read_bytes()) == job


def test_a_message_on_the_queue_is_the_same_task(job):
    message = RenderMessage.model_validate_json((WRITTEN / "message.json").read_bytes())

    assert message.task == expand.render_task(job, 0)


def test_a_submission_of_an_older_client_is_the_same_job(job):
    sent = Submission.model_validate_json((WRITTEN / "submission.json").read_bytes())

    assert sent.assets == job.assets
    assert sent.spec == job.spec


def test_a_record_tells_the_same_of_its_view(job):
    task = expand.render_task(job, 0)

    record = read_record((WRITTEN / "views.jsonl").read_bytes())

    assert record.view == task.views[-1]
    assert record.view_id == view_id(task, record.view)
    assert (record.title, record.group, record.assets) == (task.title, task.group, task.assets)
    assert ViewRecord.model_validate_json(record.model_dump_json()) == record


def test_objects_of_an_older_record_know_their_model():
    data = json.loads((WRITTEN / "views.jsonl").read_bytes())
    data["objects"] = [AN_OBJECT]

    (label,) = read_record(json.dumps(data)).objects

    assert label.asset == 0
    assert label.world_from_file == tuple(tuple(row) for row in data["world_from_model"])


@pytest.mark.parametrize("notes", [[], ["it was turned to the horizon"]])
def test_what_was_noted_of_an_environment_is_noted_of_that_asset(notes):
    data = json.loads((WRITTEN / "views.jsonl").read_bytes())

    record = read_record(json.dumps(data | {"hdr_notes": notes}))

    assert record.notes == ({data["hdr"]["name"]: tuple(notes)} if notes else {})


@pytest.mark.parametrize("notes", [{}, {"sky.exr": ["it was turned to the horizon"]}])
def test_a_summary_tells_the_same_of_its_dataset(notes):
    asset = {"id": "vase", "name": "vase.blend", "sha256": "0" * 64, "credit": {}, "views": 3}
    data = {
        "name": "vases", "views": 3, "empty_views": 0, "missing_textures": {}, "unread": {},
        "hdr_notes": notes, "tasks": 1, "failures": [], "seconds": 1.0, "size_bytes": 9,
        "resolutions_px": [[8, 8]], "formats": ["png"], "passes": ["rgb"], "models": [asset],
        "hdrs": [asset | {"name": "sky.exr"}], "versions": {}, "spec": {},
    }  # fmt: skip

    summary = DatasetSummary.model_validate(data)

    assert [(asset.kind, asset.role) for asset in summary.assets] == [
        ("model", "models"), ("hdr", "hdrs"),
    ]  # fmt: skip
    assert summary.notes == {name: tuple(said) for name, said in notes.items()}


AN_OBJECT = {
    "name": "vase", "category": "vase", "indices": [1], "box_px": [0, 0, 8, 8], "area_px": 3,
    "visible_fraction": 1, "truncation": 0, "size": [1, 1, 1], "corners_px": [],
    "camera_from_object": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
}  # fmt: skip
