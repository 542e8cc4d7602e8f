"""The device of a worker."""

from __future__ import annotations

import pytest

from farm.errors import DeviceError
from worker.device.device import Device, parse_device, visible_gpus


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("cpu", Device("cpu")),
        ("cuda", Device("cuda", 0)),
        ("cuda:3", Device("cuda", 3)),
        ("optix:1", Device("optix", 1)),
    ],
)
def test_a_device_is_read(text, device):
    assert parse_device(text) == device


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:-1", "cpu:0", ""])
def test_what_is_no_device_is_named(text):
    with pytest.raises(DeviceError, match=r"use cpu, cuda:N or optix:N"):
        parse_device(text)


@pytest.mark.parametrize(
    ("device", "visible", "expected"),
    [
        (Device("cpu"), None, ""),
        (Device("cuda", 2), None, "2"),
        (Device("optix", 1), "4,7", "7"),
        (Device("cuda", 0), "GPU-1a2b", "GPU-1a2b"),
    ],
)
def test_a_process_sees_its_own_gpu_alone(device, visible, expected):
    assert visible_gpus(device, visible) == expected


def test_a_gpu_beyond_those_that_are_visible_is_an_error():
    with pytest.raises(DeviceError, match="cuda:2 is not available"):
        visible_gpus(Device("cuda", 2), "0,1")
