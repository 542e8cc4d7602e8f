from __future__ import annotations

import json

import pytest

from farm.errors import StorageError
from farm.storage import FolderStorage
from farm.tokens import CACHE_S, NOTED_EVERY_S, TokenBook


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def test_a_token_is_known_by_its_secret_alone(storage):
    book = TokenBook(storage)
    token, info = book.create("ann", "submit")

    assert book.check(token) == info
    assert book.check(token[:-1] + ("x" if token[-1] != "x" else "y")) is None
    assert book.check(token.replace("farm_", "barn_")) is None
    assert book.check("") is None


def test_only_a_hash_of_the_secret_is_kept(storage):
    token, info = TokenBook(storage).create("ann", "read")
    kept = storage.get(f"auth/{info.token_id}.json")

    assert token.split("_", 2)[2].encode() not in kept


def test_tokens_are_listed_without_secrets(storage):
    book = TokenBook(storage)
    made = [book.create(name, "read")[1] for name in ("ann", "bob")]

    assert sorted(book.list(), key=str) == sorted(made, key=str)


def test_a_revoked_token_is_refused_within_seconds_everywhere(storage):
    clock = Clock()
    server, shell = TokenBook(storage, clock=clock), TokenBook(storage)
    token, info = shell.create("ann", "admin")
    assert server.check(token)

    assert shell.revoke(info.token_id)
    assert not shell.revoke(info.token_id)
    clock.now_s = CACHE_S + 0.1

    assert server.check(token) is None


def test_storage_is_not_asked_for_every_request(storage, monkeypatch):
    book = TokenBook(storage, clock=Clock())
    token, _info = book.create("ann", "read")
    book.check(token)
    monkeypatch.setattr(storage, "get", lambda key: pytest.fail("it was known"))

    assert book.check(token)


@pytest.mark.parametrize("token_id", ["../jobs/x", "", "x" * 12, "0" * 13])
def test_an_id_that_is_none_leads_nowhere(storage, token_id):
    storage.put("jobs/x.json", b"{}")

    assert not TokenBook(storage).revoke(token_id)
    assert TokenBook(storage).check(f"farm_{token_id}_{'x' * 43}") is None
    assert storage.get("jobs/x.json") == b"{}"


def test_a_damaged_token_is_worth_nothing(storage):
    book = TokenBook(storage)
    token, info = book.create("ann", "read")
    storage.put(f"auth/{info.token_id}.json", b"{")

    assert book.check(token) is None
    assert list(book.list()) == []


def test_a_token_is_refused_from_the_moment_it_expires(storage):
    now = Clock()
    book = TokenBook(storage, now_s=now)
    token, info = book.create("ann", "submit", expires_s=100.0)
    assert book.check(token) == info
    assert book.expired(token) is None

    now.now_s = 100.0

    assert book.check(token) is None
    assert book.expired(token) == info, "who has the secret is told why"
    assert book.expired(token[:-1] + ("x" if token[-1] != "x" else "y")) is None
    assert not book.stands(info)


def test_a_token_that_is_renewed_works_again_with_the_same_secret(storage):
    now = Clock()
    book = TokenBook(storage, now_s=now)
    token, info = book.create("ann", "submit", expires_s=100.0)
    now.now_s = 200.0

    renewed = book.change(info.token_id, expires_s=300.0, quota_bytes=7)

    assert renewed == info.model_copy(update={"expires_s": 300.0, "quota_bytes": 7})
    assert book.check(token) == renewed
    assert book.change("0" * 12, expires_s=300.0) is None
    assert book.change("../jobs/x", expires_s=300.0) is None


def test_a_list_says_when_a_token_was_used_last_to_the_minute(storage):
    now = Clock()
    now.now_s = 1000.0
    book = TokenBook(storage, now_s=now)
    token, info = book.create("ann", "read")
    (before,) = TokenBook(storage).list()
    book.check(token)
    now.now_s += NOTED_EVERY_S / 2
    book.check(token)
    (used,) = TokenBook(storage).list()
    now.now_s += NOTED_EVERY_S
    book.check(token)
    (again,) = TokenBook(storage).list()

    times = [one.last_used_s for one in (before, used, again)]
    assert times == [None, 1000.0, 1000.0 + 1.5 * NOTED_EVERY_S]
    assert book.revoke(info.token_id)
    assert list(storage.keys("auth")) == []


def test_a_storage_that_takes_no_notes_keeps_nobody_out(storage, monkeypatch):
    book = TokenBook(storage)
    token, info = book.create("ann", "read")

    def full(key, data):
        raise StorageError("full")

    monkeypatch.setattr(storage, "put", full)

    assert book.check(token) == info


def test_tokens_of_before_they_expired_are_good_for_ever(storage):
    token, info = TokenBook(storage).create("ann", "read")
    old = json.loads(storage.get(f"auth/{info.token_id}.json"))
    for name in ("expires_s", "quota_bytes", "views_per_day", "last_used_s"):
        del old["info"][name]
    storage.put(f"auth/{info.token_id}.json", json.dumps(old).encode())

    assert TokenBook(storage).check(token) == info


def test_what_a_newer_version_notes_of_a_token_is_carried_along(storage):
    book = TokenBook(storage)
    token, info = book.create("ann", "read")
    new = json.loads(storage.get(f"auth/{info.token_id}.json"))
    new["info"]["colour"] = "red"
    storage.put(f"auth/{info.token_id}.json", json.dumps(new).encode())
    book.change(info.token_id, quota_bytes=5)

    assert TokenBook(storage).check(token).quota_bytes == 5
    assert json.loads(storage.get(f"auth/{info.token_id}.json"))["info"]["colour"] == "red"


def test_a_token_ends_with_the_one_that_it_was_made_with(storage):
    """By revocation or by an earlier end: whoever stole a token keeps nothing that it made."""
    clock = Clock()
    book = TokenBook(storage, clock=clock, now_s=clock)
    _, root = book.create("ann", "submit", expires_s=1000.0)
    _, middle = book.create("ann", "submit", expires_s=1000.0, made_by=root.token_id)
    token, leaf = book.create("ann", "read", expires_s=1000.0, made_by=middle.token_id)
    assert book.check(token) == leaf
    assert book.generations(leaf) == 2

    book.change(root.token_id, expires_s=50.0)
    clock.now_s = 60.0
    assert book.check(token) is None
    assert not book.stands(leaf)
    book.change(root.token_id, expires_s=1000.0)
    assert book.check(token) == leaf
    book.revoke(root.token_id)
    assert book.check(token) is None
    assert not book.stands(leaf)


def test_a_token_has_the_quotas_of_the_one_that_it_was_made_with(storage):
    book = TokenBook(storage)
    _, root = book.create("ann", "submit", quota_bytes=5, views_per_day=7)
    token, _ = book.create("ann", "submit", made_by=root.token_id)

    book.change(root.token_id, quota_bytes=3)
    found = book.check(token)
    assert (found.quota_bytes, found.views_per_day) == (3, 7)


def test_notes_of_before_have_no_maker(storage):
    _, info = TokenBook(storage).create("ann", "read")
    text = storage.get(f"auth/{info.token_id}.json")

    assert b"made_by" not in text
