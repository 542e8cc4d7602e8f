"""What the driver measures, by a stand-in for its library."""

from __future__ import annotations

import sys

import pytest

from farm.ledger import Gauges
from worker.device.gauges import STALE_S, GpuWatch, read_gauges

GIB = 1 << 30


def test_a_gpu_tells_its_warmth_its_power_and_its_memory(fake_gpus):
    fake_gpus("L40S,L40S")

    assert read_gauges("GPU-0001-fake") == Gauges(
        temperature_c=62, power_w=231.5, memory_used_bytes=6 * GIB, memory_total_bytes=48 * GIB
    )


def test_what_a_gpu_does_not_tell_is_left_out(fake_gpus):
    fake_gpus("GB10")

    assert read_gauges("GPU-0000-fake") == Gauges(temperature_c=61)


@pytest.mark.parametrize("driver", ["none", "broken"])
def test_without_a_driver_there_is_nothing_to_tell(fake_gpus, driver):
    fake_gpus(driver)

    assert read_gauges("GPU-0000-fake") is None


def test_without_its_library_there_is_nothing_to_tell(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)

    assert read_gauges("GPU-0000-fake") is None


def test_a_driver_that_hangs_tells_nothing_after_a_while():
    now_s = [100.0]
    watch = GpuWatch("GPU-0", lambda _uuid: Gauges(power_w=9.0), clock=lambda: now_s[0])
    assert watch.newest() is None
    watch.look()
    now_s[0] += STALE_S - 1
    assert watch.newest() == Gauges(power_w=9.0)
    now_s[0] += 1

    assert watch.newest() is None
