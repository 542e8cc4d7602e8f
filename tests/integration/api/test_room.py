"""Jobs that do not fit on the farm's storage."""

from __future__ import annotations

import json

import pytest

from tests.integration.api.test_jobs import ServedFarm
from tests.support.farms.api_server import a_submission, body

FREE = "farm.api.submission.room.free_bytes"


@pytest.fixture
def farm(redis_url, tmp_path):
    with ServedFarm(redis_url, tmp_path) as running:
        yield running


@pytest.fixture
def post(farm):
    """Submit a job of 640 pixels, some 0.57 MB a view."""
    client = farm.api.client("submit")

    def send(*, validate_only: bool = False, **spec):
        return client.post(
            "/v1/jobs",
            params={"validate_only": validate_only},
            json=body(a_submission(render={"resolution": 640}, **spec)),
        )

    return send


def test_a_job_that_does_not_fit_is_refused_with_the_sizes_and_not_kept(farm, post, monkeypatch):
    monkeypatch.setattr(FREE, lambda _folder: 5_000_000)
    before = farm.api.stored()

    told = [post(tasks=10), post(tasks=10, validate_only=True)]

    for answer in told:
        assert answer.status_code == 507
        assert "would take about 11.3 MB, and the farm's storage has 5.0 MB free" in answer.text
        assert "farm delete JOB" in answer.json()["remedy"]
    assert farm.api.stored() == before


def test_what_unfinished_jobs_will_write_counts_too(farm, post, monkeypatch):
    monkeypatch.setattr(FREE, lambda _folder: 15_000_000)

    first = post(tasks=10)
    second = post(tasks=10, seed=1)

    assert first.status_code == 201
    assert second.status_code == 507
    assert "of which unfinished jobs will take about 11." in json.loads(second.text)["detail"]
    assert post(tasks=10).status_code == 200, "what is there already needs no more room"
    farm.turn(first.json()["job_id"], "cancel")
    assert post(tasks=10, seed=1).status_code == 201


def test_an_operator_may_let_all_jobs_in(redis_url, tmp_path, monkeypatch):
    monkeypatch.setattr(FREE, lambda _folder: 0)
    with ServedFarm(redis_url, tmp_path) as farm:
        settings = farm.api.services.settings
        farm.api.services.settings = settings.model_copy(update={"check_room": False})

        farm.submit(tasks=1)
