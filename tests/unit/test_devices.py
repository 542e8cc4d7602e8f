import pytest

from farm.devices import choose_devices, gpu_names
from farm.errors import SetupError, SpecError


def test_workers_on_one_device_are_as_many_as_asked():
    assert choose_devices("cpu", "auto") == ["cpu"]
    assert choose_devices("cpu", "3") == ["cpu"] * 3
    assert choose_devices("cuda:1", "auto") == ["cuda:1"]


def test_auto_takes_every_gpu_or_the_cpu():
    expected = [f"optix:{index}" for index in range(len(gpu_names()))] or ["cpu"]

    assert choose_devices("auto", "auto") == expected


@pytest.mark.parametrize(("device", "workers"), [("gpu", "1"), ("cuda", "1"), ("cpu", "many")])
def test_what_is_no_device_or_number_is_named(device, workers):
    with pytest.raises(SpecError, match=r"is not auto"):
        choose_devices(device, workers)


def test_more_workers_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr("farm.devices.gpu_names", lambda: ["one", "two"])

    assert choose_devices("auto", "2") == ["optix:0", "optix:1"]
    with pytest.raises(SetupError, match="3 are more than the 2 GPUs"):
        choose_devices("auto", "3")
