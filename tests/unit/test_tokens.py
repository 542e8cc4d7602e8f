from __future__ import annotations

import pytest

from farm.storage import FolderStorage
from farm.tokens import CACHE_S, TokenBook


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
