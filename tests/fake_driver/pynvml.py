"""NVIDIA's management library, as far as the farm asks it, without a driver.

`FAKE_GPUS` names the GPUs, separated by commas; `none` is a machine without a driver, `broken` one
whose driver was updated and not loaded again. A GPU named `GB10` tells its warmth alone, as those
do that share the memory of their machine.
"""

import os
from types import SimpleNamespace

NVML_ERROR_NOT_SUPPORTED = 3
NVML_ERROR_DRIVER_NOT_LOADED = 9
NVML_ERROR_LIBRARY_NOT_FOUND = 12
NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18
NVML_TEMPERATURE_GPU = 0
SAID = {
    NVML_ERROR_NOT_SUPPORTED: "Not Supported",
    NVML_ERROR_LIBRARY_NOT_FOUND: "NVML Shared Library Not Found",
    NVML_ERROR_LIB_RM_VERSION_MISMATCH: "Driver/library version mismatch",
}


CAPABILITIES = {"A10": (8, 6), "H100": (9, 0), "K80": (3, 7)}
"""Of NVIDIA's table; all others here are of the generation of the L40S, (8, 9)."""


class NVMLError(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value

    def __str__(self):
        return SAID[self.value]


def nvmlInit():
    if os.environ["FAKE_GPUS"] == "none":
        raise NVMLError(NVML_ERROR_LIBRARY_NOT_FOUND)
    if os.environ["FAKE_GPUS"] == "broken":
        raise NVMLError(NVML_ERROR_LIB_RM_VERSION_MISMATCH)


def nvmlShutdown():
    pass


def nvmlDeviceGetCount():
    return len(os.environ["FAKE_GPUS"].split(",")) if os.environ["FAKE_GPUS"] else 0


def nvmlDeviceGetHandleByIndex(index):
    return index


def nvmlDeviceGetUUID(handle):
    return f"GPU-{handle:04d}-fake"


def nvmlDeviceGetName(handle):
    return os.environ["FAKE_GPUS"].split(",")[handle]


def nvmlDeviceGetHandleByUUID(uuid):
    return int(uuid.split("-")[1])


def nvmlDeviceGetTemperature(handle, sensor):
    assert sensor == NVML_TEMPERATURE_GPU
    return 61 + handle


def nvmlDeviceGetPowerUsage(handle):
    _refuse_if_bare(handle)
    return 231_500


def nvmlDeviceGetMemoryInfo(handle):
    _refuse_if_bare(handle)
    return SimpleNamespace(total=48 << 30, used=6 << 30, free=42 << 30)


def _refuse_if_bare(handle):
    if nvmlDeviceGetName(handle) == "GB10":
        raise NVMLError(NVML_ERROR_NOT_SUPPORTED)


def nvmlDeviceGetCudaComputeCapability(handle):
    return CAPABILITIES.get(nvmlDeviceGetName(handle), (8, 9))


def nvmlSystemGetDriverVersion():
    return "580.65.06"
