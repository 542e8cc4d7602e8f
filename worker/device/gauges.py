"""What the driver measures of a worker's GPU: warmth, power, memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from farm.ledger import Gauges

log = logging.getLogger(__name__)

READ_EVERY_S = 5.0
STALE_S = 30.0
"""Age from which on a measurement is not told: the driver hangs."""


def read_gauges(uuid: str) -> Gauges | None:
    """Return what the driver measures of a GPU; None where it answers nothing.

    Not every GPU tells all: one that shares the memory of its machine has none of its own.
    """
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        try:
            return gauges_of(pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        log.debug("the driver tells nothing of %s: %s", uuid, error)
        return None


def gauges_of(nvml: Any, gpu: Any) -> Gauges:
    """Return what NVML measures of a GPU, as far as it does."""

    def told(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except nvml.NVMLError:
            return None

    milliwatts = told(lambda: nvml.nvmlDeviceGetPowerUsage(gpu))
    memory = told(lambda: nvml.nvmlDeviceGetMemoryInfo(gpu))
    return Gauges(
        temperature_c=told(lambda: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)),
        power_w=None if milliwatts is None else milliwatts / 1000,
        memory_used_bytes=memory and memory.used,
        memory_total_bytes=memory and memory.total,
    )


class GpuWatch:
    """Reads the gauges in a thread of its own: a driver that hangs must not stop the heartbeat."""

    def __init__(
        self,
        uuid: str,
        read: Callable[[str], Gauges | None] = read_gauges,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._uuid = uuid
        self._read = read
        self._clock = clock
        self._found: tuple[float, Gauges | None] = (0.0, None)
        self._thread = threading.Thread(target=self._run, name="GPU watch", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def look(self) -> None:
        """Read once."""
        self._found = self._clock(), self._read(self._uuid)

    def newest(self) -> Gauges | None:
        """Return what was read last; None where that was long ago."""
        read_s, gauges = self._found
        return gauges if self._clock() - read_s < STALE_S else None

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self.look()
            pause.wait(READ_EVERY_S)
