import pytest

from farm.devices import Gpu, choose_devices, gpu_names, list_gpus, shown_gpus
from farm.errors import DeviceError, SetupError, SpecError


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


def test_gpus_are_listed_as_the_driver_has_them(fake_gpus):
    fake_gpus("NVIDIA L40S,NVIDIA A10")

    assert list_gpus() == [
        Gpu(0, "GPU-0000-fake", "NVIDIA L40S", (8, 9), "580.65.06"),
        Gpu(1, "GPU-0001-fake", "NVIDIA A10", (8, 9), "580.65.06"),
    ]
    assert choose_devices("auto", "auto") == ["optix:0", "optix:1"]


def test_a_machine_without_a_driver_has_no_gpus(fake_gpus):
    fake_gpus("none")

    assert list_gpus() == []
    assert choose_devices("auto", "auto") == ["cpu"]


def test_a_driver_that_does_not_answer_is_said(fake_gpus):
    fake_gpus("broken")

    with pytest.raises(DeviceError, match=r"does not answer: .*version mismatch; .* reboot"):
        list_gpus()


@pytest.mark.parametrize(
    ("visible", "indices"),
    [
        pytest.param(None, [0, 1, 2], id="unset"),
        pytest.param("", [], id="empty"),
        pytest.param("2,0", [2, 0], id="indices"),
        pytest.param("GPU-0001-fake", [1], id="uuid"),
        pytest.param("GPU-0001", [1], id="part of a uuid"),
        pytest.param("GPU-", [], id="ambiguous"),
        pytest.param("1,-1,2", [1], id="ended by -1"),
        pytest.param("7", [], id="not there"),
    ],
)
def test_only_visible_gpus_are_shown(fake_gpus, visible, indices):
    fake_gpus("A,B,C")

    assert [gpu.index for gpu in shown_gpus(visible)] == indices
