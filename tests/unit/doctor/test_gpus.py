from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from farm.doctor.gpus import gpus


class NVMLError(Exception):
    pass


class FakeNvml:
    """A driver with two GPUs, the second of which this process uses."""

    NVMLError = NVMLError

    def __init__(self, driver: str = "580.95.05", *, broken: bool = False) -> None:
        self.driver = driver
        self.broken = broken

    def nvmlInit(self):
        if self.broken:
            raise NVMLError("Driver/library version mismatch")

    def nvmlShutdown(self):
        pass

    def nvmlSystemGetDriverVersion(self):
        return self.driver

    def nvmlDeviceGetCount(self):
        return 2

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetName(self, handle):
        return f"NVIDIA L40S {handle}"

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(free=40 << 30, total=48 << 30)

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        return [SimpleNamespace(pid=os.getpid())] if handle == 1 else []


def test_each_gpu_is_told_with_who_uses_it():
    driver, first, second = gpus(FakeNvml())

    assert driver.sentence == "NVIDIA driver 580.95.05"
    assert first.sentence.endswith("40.0 GiB of 48.0 GiB free, used by no process")
    assert f"({os.getpid()})" in second.sentence


def test_an_old_driver_is_a_warning():
    assert next(gpus(FakeNvml("535.183.01"))).verdict == "warning"


@pytest.mark.parametrize(
    ("there", "verdict"),
    [pytest.param(True, "problem", id="a GPU"), pytest.param(False, "ok", id="no GPU")],
)
def test_a_driver_that_cannot_be_asked_is_a_problem_only_where_there_is_a_gpu(
    tmp_path, there, verdict
):
    file = tmp_path / "nvidiactl"
    if there:
        file.touch()

    (finding,) = gpus(FakeNvml(broken=True), driver_file=file)

    assert finding.verdict == verdict
    assert bool(finding.remedy) is there
