"""`farm doctor` tries the device behind the read wall, and without: a stand-in reads a file."""

from __future__ import annotations

import pytest

from farm.doctor import examine

landlock = pytest.importorskip("worker.sandbox.landlock")
pytest.importorskip("bpy", reason="only machines that render are asked")

pytestmark = pytest.mark.skipif(not landlock.version(), reason="no Landlock on this system")


@pytest.fixture(autouse=True)
def driver(monkeypatch, tmp_path):
    """A device that is opened where a file can be read."""
    file = tmp_path / "driver"
    monkeypatch.setenv("FARM_RENDERER", "tests.unit.doctor.picky:open_picky")
    monkeypatch.setenv("FARM_DEVICE", "optix:0")
    monkeypatch.setenv("PICKY_FILE", str(file))
    return file


def test_a_device_that_opens_behind_the_wall_is_fine(driver, monkeypatch):
    monkeypatch.setenv("PICKY_FILE", "/usr/bin/env")

    (finding,) = examine(("device",))

    assert finding.verdict == "ok"
    assert finding.sentence.startswith("optix:0 renders the known frame behind the wall")


def test_a_device_that_the_wall_keeps_closed_is_told_with_the_setting_that_opens_it(driver):
    driver.touch()

    (finding,) = examine(("device",))

    assert finding.verdict == "warning"
    assert "optix:0 renders without the read wall, but not behind it: " in finding.sentence
    assert "may be the reason" in finding.sentence
    assert "FARM_READ_WALL=off" in finding.remedy


def test_a_device_that_fails_anyway_is_not_the_walls_fault(driver):
    (finding,) = examine(("device",))

    assert finding.verdict == "problem"
    assert "renders neither behind the read wall nor without it: the driver" in finding.sentence
    assert "the wall is not the cause" in finding.remedy
