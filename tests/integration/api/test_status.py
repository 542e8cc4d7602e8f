"""The farm on one screen: as its admin sees it, and as a user does."""

from __future__ import annotations

import time

import pytest

from farm.overview.fill import KEY
from tests.integration.api.test_owners import Owned
from tests.support.waiting import wait_for

SHUT = '{"quarantine":{"sentence":"bad","since_s":1,"try_from_s":1}}'


@pytest.fixture(params=[True, False], ids=["shared", "private"])
def farm(request, redis_url, tmp_path):
    (tmp_path / "storage").mkdir()
    limits = {"quota_bytes": 10**9, "views_per_day": 500}
    with Owned(redis_url, tmp_path, shared=request.param, **limits) as server:
        yield server


def test_an_admin_sees_the_whole_farm(farm):
    farm.services.tokens.create("eve", "read", expires_s=time.time() + 86_400)
    farm.storage.put("datasets/x/chairs/views.jsonl", b"{\n")
    farm.storage.put("datasets/x/chairs/old/views.jsonl", b"")

    found = farm.admin.get("/v1/status").json()

    assert found["you"]["role"] == "admin"
    assert {info["name"] for info in found["tokens"]} >= {"ann", "bob", "eve"}
    assert found["jobs"] == {"queued": 1}
    assert (found["workers"], found["quarantine"]) == (0, [])
    assert found["storage"]["total_bytes"] > found["storage"]["free_bytes"] > 0
    assert found["datasets"]["total"] == 2
    assert [one["kind"] for one in found["datasets"]["troubles"]] == ["nested", "damaged"]
    assert "sha256" not in str(found), "no secret, not even its hash"


def test_a_user_sees_their_own(farm):
    found = farm.bob.get("/v1/status").json()

    assert [info["name"] for info in found["tokens"]] == ["bob"]
    assert found["datasets"] is None
    assert found["shared"] is farm.shared
    assert found["jobs"] == ({"queued": 1} if farm.shared else {})
    taken = farm.ann.get("/v1/status").json()["taken"]
    assert taken["views_today"] == 8
    assert (taken["quota_bytes"], taken["views_per_day"]) == (10**9, 500)
    assert taken["total_bytes"] > 8 * 100_000, "what its job will add counts"


def test_how_full_the_storage_is_is_noted_from_the_start(farm):
    wait_for(lambda: farm.storage.get(KEY), "it is noted")


def test_who_is_in_quarantine_is_told_to_all(farm):
    farm.ledger.heartbeat("w@h#1", {"name": "w", "host": "h", "device": "cpu"}, ttl_s=60)
    farm.ledger.store.swap_conduct("w@h", "", SHUT)
    farm.ledger.heartbeat("v@h#1", {"name": "v", "host": "h", "device": "cpu"}, ttl_s=60)

    found = farm.bob.get("/v1/status").json()

    assert (found["workers"], found["quarantine"]) == (2, ["w: bad, warming up"])
