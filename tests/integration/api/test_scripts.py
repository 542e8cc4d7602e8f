"""Jobs that bring code of their own: whose token may submit them."""

from __future__ import annotations

import hashlib

import pytest

from farm.spec.load import parse_spec
from farm.spec.wire import Submission
from tests.integration.api.test_requests import problem
from tests.support.farms.api_server import ApiServer, asset, body

SCRIPT = b"def frame(scene, view, rng):\n    pass\n"


@pytest.fixture
def api(redis_url, tmp_path):
    with ApiServer(redis_url, tmp_path) as server:
        server.upload(SCRIPT)
        yield server


def a_script_submission() -> dict:
    script = asset("script", "cubes.py", SCRIPT, role="script")
    spec = parse_spec({"script": "cubes.py", "recipe": {"kind": "script", "views": 3}})
    return body(Submission(spec=spec, assets=(script,)))


@pytest.mark.parametrize("query", ["", "?validate_only=true"])
def test_a_token_that_may_submit_may_not_submit_code(api, query):
    answer = api.client("submit").post(f"/v1/jobs{query}", json=a_script_submission())

    told = problem(answer, 403)
    assert told["detail"] == (
        "jobs of the recipe script bring code of their own, which needs a token with the role "
        "script; 'a submiter' has the role submit"
    )
    assert "--role script" in told["remedy"]
    assert api.ledger.jobs() == []


@pytest.mark.parametrize("role", ["script", "admin"])
def test_one_that_may_bring_code_does(api, role):
    answer = api.client(role).post("/v1/jobs", json=a_script_submission())

    assert answer.status_code == 201, answer.text
    assert answer.json()["views"] == 3
    key = hashlib.sha256(SCRIPT).hexdigest()
    assert api.services.book.load(answer.json()["job_id"]).of("script")[0].sha256 == key
