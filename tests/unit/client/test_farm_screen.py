"""`farm status`: the farm on one screen."""

from __future__ import annotations

import time

import pytest

from farm.spec.wire import DatasetsInfo, FarmStatus, StorageInfo, Taken, TokenInfo, Trouble
from tests.unit.client.test_commands import farm, logged_in  # noqa: F401 - fixtures

DAY_S = 86_400.0


def a_token(name, role, days=None):
    return TokenInfo(
        token_id="0123456789ab",
        name=name,
        role=role,
        created_s=0.0,
        expires_s=None if days is None else time.time() + days * DAY_S + 60,
    )


def a_status(role, **changes):
    you = a_token("eve", role, 400)
    tokens = (you, a_token("bob", "submit", 9), a_token("carl", "read"))
    fields = {
        "you": you,
        "taken": Taken(total_bytes=12 * 10**9, quota_bytes=50 * 10**9, views_today=1200),
        "shared": True,
        "tokens": tokens if role == "admin" else (you,),
        "storage": StorageInfo(
            place="/srv/farm",
            total_bytes=2 * 10**12,
            free_bytes=4 * 10**11,
            growth_per_day=4 * 10**10,
            full_in_s=10 * DAY_S,
        ),
        "jobs": {"completed": 5, "running": 2},
        "workers": 3,
        "quarantine": ("gpu1: 3 tasks in a row failed on it",),
        "drained": ("gpu2: drained by ann",),
        "datasets": DatasetsInfo(
            total=14,
            looked_at=13,
            troubles=(
                Trouble(dataset="datasets/0/a", kind="damaged", sentence="1 record cannot be read"),
                Trouble(dataset="datasets/0/a/b", kind="nested", sentence="lies within \x1b[2Jx"),
            ),
        )
        if role == "admin"
        else None,
    }
    return FarmStatus(**(fields | changes))


def test_an_admin_sees_all_that_needs_somebody_on_one_screen(farm, logged_in):  # noqa: F811
    logged_in.status = a_status("admin")

    told = farm("status")

    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == f"farm      {logged_in.url}, version 0.1.0"
    assert lines[1].startswith("you       eve, role admin; your token expires 20")
    assert lines[2:] == [
        "          you take 12.0 GB of 50.0 GB, and have submitted 1,200 views today",
        "roles     admin eve; submit bob; read carl",
        "          read:   look, listen, download",
        "          submit: also upload, submit, steer and delete what is its own",
        "          script: also submit jobs that bring code of their own (recipe script)",
        "          admin:  also steer and delete what belongs to others, drain workers",
        "          all see each other's jobs",
        "storage   400.0 GB of 2.0 TB free at /srv/farm",
        "          40.0 GB more a day: full in about 10 days",
        "jobs      2 running, 5 completed",
        "workers   3 alive, 1 in quarantine, 1 drained",
        "datasets  14 datasets: 1 nested, 1 damaged; 1 not looked into",
    ]
    assert told.err.splitlines() == [
        "warning: the token of bob expires in 9 days; farm token change 0123456789ab --expires 1y",
        "warning: the storage will be full soon; farm delete JOB and farm tidy make room",
        "warning: in quarantine: gpu1: 3 tasks in a row failed on it",
        "warning: datasets/0/a 1 record cannot be read",
        "warning: datasets/0/a/b lies within \\x1b[2Jx",
    ]
    assert max(map(len, lines)) <= 80
    assert len(lines) + len(told.err.splitlines()) <= 24


@pytest.mark.parametrize("shared", [True, False])
def test_a_user_sees_what_concerns_them(farm, logged_in, shared):  # noqa: F811
    bucket = StorageInfo(place="s3://b/p")
    logged_in.status = a_status(
        "submit", shared=shared, quarantine=(), drained=(), jobs={}, storage=bucket, workers=1
    )

    told = farm("status")

    assert told.err == ""
    assert "admin" not in told.out.replace("only admins see the jobs of others", "")
    assert ("only admins see" in told.out) is not shared
    assert "storage   s3://b/p: how much it holds cannot be asked for\njobs      none" in told.out
    assert told.out.endswith("workers   1 alive\n")


def test_the_screen_is_json_for_programs(farm, logged_in):  # noqa: F811
    logged_in.status = a_status("admin")

    assert FarmStatus.model_validate(farm("status", "--json").data) == logged_in.status
