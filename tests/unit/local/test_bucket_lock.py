"""One run at a time writes into a place of a bucket; those that have died let others in."""

from __future__ import annotations

import threading

import pytest

from farm.cli.add_passes_run import hold_place
from farm.errors import SetupError
from farm.local.folder_lock import LOCK_FILE
from farm.storage import open_storage
from tests.support.waiting import wait_for

bucket_lock = pytest.importorskip("farm.local.bucket_lock", reason="the packages for buckets")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name, seconds in (("RENEW_S", 0.05), ("SILENT_S", 2.0), ("LOOK_S", 0.02)):
        monkeypatch.setattr(bucket_lock, name, seconds)


def test_another_run_is_refused_by_the_name_of_the_first_and_let_in_after_it(s3_place):
    storage, told = open_storage(s3_place), []
    with (
        hold_place(storage, print),
        pytest.raises(SetupError, match=r"another run writes into s3://.*process \d+ on"),
        hold_place(open_storage(s3_place), told.append),
    ):
        pass
    assert "looking whether another run is alive" in told[0]

    with hold_place(open_storage(s3_place), print):
        assert storage.get(LOCK_FILE)

    assert list(storage.keys("")) == []


def test_the_folder_of_a_place_that_is_held_is_held_for_what_lies_in_it(s3_place):
    with (
        hold_place(open_storage(s3_place), print),
        pytest.raises(SetupError, match="another run writes into"),
        hold_place(open_storage(f"{s3_place}/deep/in/it"), print),
    ):
        pass


def test_a_run_that_has_died_lets_others_in(s3_place, monkeypatch):
    monkeypatch.setattr(bucket_lock, "SILENT_S", 0.1)
    storage, told = open_storage(s3_place), []
    storage.put(LOCK_FILE, b"process 7 on a-node, since 10:00:00\nabc\n41\n")

    with hold_place(storage, told.append):
        assert b"a-node" not in storage.get(LOCK_FILE)

    assert "process 7 on a-node" in told[0]
    assert storage.get(LOCK_FILE) is None


def test_a_run_that_was_taken_for_dead_stops_and_leaves_the_hold_of_the_other(s3_place):
    storage, stop = open_storage(s3_place), threading.Event()
    with hold_place(storage, print) as hold:
        hold.stops(stop)

        def taken_by_another():  # again, where it was renewed at that very moment
            storage.put(LOCK_FILE, b"another\n")
            return stop.wait(0.1)

        wait_for(taken_by_another, "the run stops")

    assert storage.get(LOCK_FILE) == b"another\n"
