"""`farm token`, as an operator types it."""

from __future__ import annotations

import json
import time

import pytest
from typer.testing import CliRunner

from farm.cli.main import make_app
from farm.cli.token.limits import read_expiry, read_quota, read_views
from farm.errors import SpecError
from farm.storage import FolderStorage
from farm.tokens import TokenBook

NOW_S = 1_800_000_000.0  # 2027-01-15 08:00 UTC
DAY_S = 86_400


@pytest.fixture
def farm(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_STORAGE", str(tmp_path))
    return lambda *args: CliRunner().invoke(make_app(), ["token", *args])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90d", NOW_S + 90 * DAY_S),
        ("12 w", NOW_S + 84 * DAY_S),
        ("1Y", NOW_S + 365 * DAY_S),
        ("36h", NOW_S + 1.5 * DAY_S),
        ("2027-01-16", 1_800_057_600.0),
        ("2027-01-16T10:00:00+02:00", NOW_S + DAY_S),
        ("never", None),
    ],
)
def test_an_expiry_is_a_span_or_a_date(text, expected):
    assert read_expiry(text, now_s=NOW_S) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-1d", "in the past"),
        ("0d", "in the past"),
        ("2026-12-31", "in the past"),
        ("2027-01-15T08:00:00", "in the past"),
        ("101y", "more than 100 years"),
        ("soon", "not a time"),
        ("90", "not a time"),
        ("2027-02-30", "not a time"),
        ("", "not a time"),
    ],
)
def test_an_expiry_that_is_none_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(SpecError, match=f"--expires: .*{sentence}"):
        read_expiry(text, now_s=NOW_S)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500", 500),
        ("500MB", 500_000_000),
        ("1.5 gb", 1_500_000_000),
        ("2GiB", 2 << 30),
        ("1t", 10**12),
        ("none", None),
    ],
)
def test_a_quota_is_a_size(text, expected):
    assert read_quota(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-1GB", "many", "5x", "5ib", "1e9", "999999999TB"])
def test_a_quota_that_is_none_is_refused(text):
    with pytest.raises(SpecError, match="--quota"):
        read_quota(text)


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5", "ten", "9" * 13])
def test_a_number_of_views_that_is_none_is_refused(text):
    with pytest.raises(SpecError, match="--views-per-day"):
        read_views(text)


def test_a_token_is_good_for_a_year_unless_said_otherwise(farm, tmp_path):
    made = json.loads(farm("create", "--name", "ann", "--json").stdout)

    assert made["expires_s"] - time.time() == pytest.approx(365 * DAY_S, abs=60)
    (kept,) = TokenBook(FolderStorage(tmp_path)).list()
    assert kept.expires_s == made["expires_s"]


def test_a_token_that_would_be_over_is_not_made(farm, tmp_path):
    refused = farm("create", "--name", "ann", "--expires", "2020-01-01")

    assert isinstance(refused.exception, SpecError)
    assert list(TokenBook(FolderStorage(tmp_path)).list()) == []


def test_the_list_fits_80_columns_and_warns_of_tokens_that_expire_soon(farm, tmp_path):
    soon = json.loads(
        farm("create", "--name", "ann", "--expires", "9d", "--quota", "50GB", "--json").stdout
    )
    farm("create", "--name", "bob", "--role", "read", "--expires", "15d")
    farm("create", "--name", "eve", "--role", "admin", "--expires", "never")
    TokenBook(FolderStorage(tmp_path)).check(soon["token"])

    told = farm("list")

    head, *rows = told.stdout.splitlines()
    assert head.split() == ["ID", "ROLE", "EXPIRES", "LAST", "USE", "NAME"]
    assert max(map(len, told.stdout.splitlines())) <= 80
    (ann,) = [row for row in rows if "ann" in row]
    assert "just now" in ann
    assert ann.endswith("ann  (50.0 GB)")
    assert [row.split()[2] for row in rows if row.endswith(" eve")] == ["never"]
    assert told.stderr.splitlines() == [
        f"warning: the token of ann expires in 9 days; "
        f"farm token change {soon['token_id']} --expires 1y"
    ]


def test_an_expired_token_is_listed_as_such(farm, tmp_path):
    book = TokenBook(FolderStorage(tmp_path), now_s=lambda: NOW_S - DAY_S)
    book.create("ann", "read", expires_s=time.time() - 60)

    assert " expired  never     ann" in farm("list").stdout


def test_a_token_is_renewed_and_gets_other_quotas(farm, tmp_path):
    made = json.loads(farm("create", "--name", "ann", "--json").stdout)
    told = farm("change", made["token_id"], "--expires", "2y", "--quota", "1TB")
    again = json.loads(farm("change", made["token_id"], "--quota", "none", "--json").stdout)

    assert "expires 20" in told.stdout
    assert told.stdout.endswith("1.0 TB\n")
    assert again["quota_bytes"] is None
    assert again["expires_s"] > made["expires_s"] + 300 * DAY_S
    for wrong in (("change", "0" * 12, "--expires", "1y"), ("change", made["token_id"])):
        assert isinstance(farm(*wrong).exception, SpecError)


def test_a_second_token_of_a_name_is_noted(farm):
    farm("create", "--name", "ann")

    assert (
        "ann has a token already; both own the same jobs" in farm("create", "--name", "ann").stderr
    )


def test_a_name_that_differs_by_case_is_another_user_and_noted(farm):
    farm("create", "--name", "Ann")

    assert "ann is another user than Ann" in farm("create", "--name", "ann").stderr
