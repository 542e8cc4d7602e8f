from __future__ import annotations

from collections import namedtuple

import pytest

from farm.overview import fill
from farm.overview.fill import KEPT_S, KEY, FillLog, fill_words
from farm.storage import FolderStorage

Disk = namedtuple("Disk", "total used free")
GB = 10**9
HOUR_S, DAY_S = 3600.0, 86_400.0


class Machine:
    """A clock, and a disk of 1000 GB."""

    now_s = 1_800_000_000.0
    used = 100 * GB
    total = 1000 * GB

    def __call__(self):
        return self.now_s

    def disk_usage(self, _place):
        return Disk(self.total, self.used, self.total - self.used)


@pytest.fixture
def machine(monkeypatch):
    found = Machine()
    monkeypatch.setattr(fill.shutil, "disk_usage", found.disk_usage)
    return found


@pytest.fixture
def log(tmp_path, machine):
    return FillLog(FolderStorage(tmp_path), now_s=machine)


def passes(log, machine, *, hours, gb_per_hour):
    """Let time pass, with a note every hour."""
    for _ in range(hours):
        log.note()
        machine.now_s += HOUR_S
        machine.used += round(gb_per_hour * GB)
    log.note()


def test_a_storage_that_grows_is_full_at_that_rate(log, machine):
    passes(log, machine, hours=20, gb_per_hour=10)

    found = log.look()

    assert (found.total_bytes, found.free_bytes) == (1000 * GB, 700 * GB)
    assert found.growth_per_day == 240 * GB
    assert found.full_in_s == pytest.approx(70 * HOUR_S)
    assert fill_words(found) == (
        f"700.0 GB of 1.0 TB free at {log.storage.place}; 240.0 GB more a day: full in about 3 days"
    )


def test_the_rate_is_that_of_the_last_days(log, machine):
    passes(log, machine, hours=24, gb_per_hour=20)
    passes(log, machine, hours=24 * 8, gb_per_hour=1)

    assert log.look().growth_per_day == 24 * GB
    kept = fill.Samples.model_validate_json(log.storage.get(KEY)).samples
    assert kept[-1].time_s - kept[0].time_s <= KEPT_S


@pytest.mark.parametrize("gb_per_hour", [0, -1])
def test_a_storage_that_does_not_grow_is_never_full(log, machine, gb_per_hour):
    passes(log, machine, hours=5, gb_per_hour=gb_per_hour)

    assert log.look().full_in_s is None
    assert fill_words(log.look()).endswith("it does not grow")


def test_nothing_is_said_of_the_rate_before_an_hour_is_over(log, machine):
    log.note()
    machine.now_s += HOUR_S / 2
    machine.used += 50 * GB

    assert log.look().growth_per_day is None
    assert "too briefly" in fill_words(log.look())


def test_another_disk_begins_anew(log, machine):
    passes(log, machine, hours=5, gb_per_hour=10)
    machine.total, machine.used = 5000 * GB, 4000 * GB
    log.note()

    assert log.look().growth_per_day is None


def test_two_who_note_at_once_leave_one_sample(log, machine):
    log.note()
    log.note()

    assert len(fill.Samples.model_validate_json(log.storage.get(KEY)).samples) == 1


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"samples": [{"time_s": "x"}]}'])
def test_a_log_that_is_damaged_begins_anew(log, machine, text):
    log.storage.put(KEY, text)

    assert log.look().growth_per_day is None
    passes(log, machine, hours=2, gb_per_hour=1)
    assert log.look().growth_per_day == 24 * GB


def test_a_clock_that_was_set_back_does_no_harm(log, machine):
    passes(log, machine, hours=3, gb_per_hour=1)
    machine.now_s -= 10 * DAY_S
    log.note()

    assert log.look().growth_per_day is None


def test_the_end_of_a_bucket_cannot_be_asked_for():
    class Bucket:
        place = "s3://bucket/prefix"

    log = FillLog(Bucket())
    log.note()

    assert log.look().total_bytes is None
    assert fill_words(log.look()) == "s3://bucket/prefix: how much it holds cannot be asked for"
