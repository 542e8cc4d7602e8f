"""What the workers of one machine share."""

from __future__ import annotations

import pytest

from farm.local.processes.workers import shares


@pytest.fixture(autouse=True)
def nobody_said(monkeypatch):
    for name in ("FARM_MEMORY_BYTES", "FARM_MEMORY_SHARE"):
        monkeypatch.delenv(name, raising=False)


def test_the_workers_of_a_machine_share_its_memory():
    assert shares(["cpu"]) == {"FARM_MEMORY_SHARE": "0.8000"}
    assert shares(["cuda:0", "cuda:1", "cuda:2", "cuda:3"]) == {"FARM_MEMORY_SHARE": "0.2000"}


@pytest.mark.parametrize("name", ["FARM_MEMORY_BYTES", "FARM_MEMORY_SHARE"])
def test_what_a_person_says_of_memory_holds(monkeypatch, name):
    monkeypatch.setenv(name, "1")

    assert shares(["cpu", "cpu"]) == {}
