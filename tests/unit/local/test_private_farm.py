"""How much memory the samples of a private farm's streams may take."""

from __future__ import annotations

import shutil

from farm.local.private_farm import room_for_samples


def test_samples_in_memory_of_ones_own_may_take_half_of_what_is_free(tmp_path, monkeypatch):
    monkeypatch.delenv("FARM_STREAM_BYTES", raising=False)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _place: shutil._ntuple_diskusage(0, 0, 9 << 30)
    )

    assert room_for_samples(tmp_path) == 9 << 29
    assert room_for_samples(None) == 256 << 20


def test_what_was_said_goes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_STREAM_BYTES", str(5 << 20))

    assert room_for_samples(tmp_path) == 5 << 20
