from __future__ import annotations

import pytest

from farm.holdings import Holdings
from farm.storage import FolderStorage

HASHES = ["0" * 64, "1" * 64, "f" * 64]
DAY_S = 86_400.0


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


class Now:
    now_s = 1_800_000_000.0

    def __call__(self):
        return self.now_s


def test_uploads_are_their_owners_and_counted_once(storage):
    holdings = Holdings(storage)
    for owner, sha256, size in (
        ("ann", HASHES[2], 5), ("ann", HASHES[0], 7), ("ann", HASHES[0], 7), ("bob", HASHES[0], 7),
    ):  # fmt: skip
        holdings.add(owner, sha256, size)

    mine = Holdings(storage).uploads("ann")

    assert {sha256: upload.size_bytes for sha256, upload in mine.items()} == {
        HASHES[0]: 7,
        HASHES[2]: 5,
    }
    assert list(mine) == sorted(mine)
    assert holdings.has("bob", HASHES[0], 7)
    assert not holdings.has("bob", HASHES[2], 5)
    assert holdings.uploads("eve") == {}


def test_an_upload_is_given_up_by_one_or_forgotten_of_all(storage):
    holdings = Holdings(storage)
    for owner in ("ann", "bob"):
        for sha256 in HASHES:
            holdings.add(owner, sha256, 7)
    holdings.drop(holdings.uploads("ann")[HASHES[0]])
    assert set(holdings.uploads("ann")) == set(HASHES[1:])
    assert set(holdings.uploads("bob")) == set(HASHES)

    holdings.forget({HASHES[1]})

    assert set(holdings.uploads("ann")) == {HASHES[2]}
    assert set(holdings.uploads("bob")) == {HASHES[0], HASHES[2]}


@pytest.mark.parametrize("owner", ["../../auth", "", "a/b", "ü" * 80, "."])
def test_any_name_may_own_something(storage, owner):
    holdings = Holdings(storage)
    holdings.add(owner, HASHES[0], 1)
    holdings.note_views(owner, "0123456789ab", 3)

    assert all(key.startswith("owners/") for key in storage.keys(""))
    assert set(holdings.uploads(owner)) == {HASHES[0]}


def test_views_count_for_the_day_on_which_they_were_submitted(storage):
    now = Now()
    holdings = Holdings(storage, now_s=now)
    holdings.note_views("ann", "0123456789ab", 30)
    now.now_s += 1
    holdings.note_views("ann", "0123456789ab", 30)  # deleted and submitted again
    holdings.note_views("bob", "ba9876543210", 7)

    assert holdings.views_today("ann") == 60
    now.now_s += DAY_S
    assert holdings.views_today("ann") == 0
    holdings.note_views("ann", "0123456789ab", 5)
    assert holdings.views_today("ann") == 5
    assert len([key for key in storage.keys("owners") if "/views/" in key]) == 2, "none of old days"
