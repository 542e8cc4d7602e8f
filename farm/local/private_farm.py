"""A farm of a command's own: a Redis and workers, which end with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from farm.errors import DeviceError
from farm.local.early import take
from farm.local.processes.redis_server import PrivateRedis
from farm.local.processes.workers import WorkerCrew

if TYPE_CHECKING:  # imported when the workers have begun
    from farm.ledger import Ledger


def raise_if_unfit(ledger: Ledger) -> None:
    """Give up if no worker renders correctly: waiting would never end.

    Raises:
        DeviceError: Every worker is in quarantine, and failed to warm up.
    """
    shut = [worker.quarantine for worker in ledger.workers()]
    if shut and all(each is not None and each.failed_proofs for each in shut):
        raise DeviceError(next(each.sentence for each in shut if each))


@dataclass
class PrivateFarm:
    """A Redis and its workers."""

    redis: PrivateRedis
    crew: WorkerCrew
    stream_folder: Path | None = None
    """Memory through which samples of streams go, where there is such."""
    stream_bytes: int = 0
    """Bytes that samples may take."""

    def supervise(self) -> None:
        """Start again what died."""
        self.redis.revive()
        self.crew.supervise()


def room_for_samples(memory: Path | None) -> int:
    """Return the bytes that samples may take: of memory of our own, half of what is free.

    What `FARM_STREAM_BYTES` says goes first.
    """
    from farm.settings import load_settings

    settings = load_settings()
    if memory is None or "stream_bytes" in settings.model_fields_set:
        return settings.stream_bytes
    return max(settings.stream_bytes, shutil.disk_usage(memory).free // 2)


@contextmanager
def private_farm(
    devices: list[str],
    storage: Path | str | None,
    *,
    script_log: Path | None = None,
    streams: bool = False,
    redis: PrivateRedis | None = None,
) -> Iterator[PrivateFarm]:
    """Start a farm of our own; in the end nothing of it is left, whatever happens.

    Args:
        devices: One for each worker.
        storage: Where files go, a folder or `s3://bucket/prefix`; None: to a folder that goes with
            the farm.
        script_log: Where users' scripts say what they print.
        streams: Its consumers share this machine's memory.
        redis: One that runs and outlives the farm; left out: one of its own.
    """
    with ExitStack() as exit_stack:
        early = take()
        exit_stack.callback(early.close)
        samples = early.scratch / "samples" if streams and early.memory is not None else None
        if samples is not None:
            samples.mkdir()
        if storage is None:
            storage = early.folder / "storage"
            storage.mkdir()
        if redis is None:
            redis = early.redis or PrivateRedis(early.folder / "redis")
            exit_stack.enter_context(redis)
        crew = WorkerCrew(
            devices,
            redis_url=redis.url,
            storage=storage,
            folder=early.folder,
            scratch=early.scratch,
            samples=samples,
            first=early.worker,
            open_ahead=script_log is None and not streams,  # of which jobs, nobody knows yet
        )
        if script_log is not None:
            crew.environment["FARM_SCRIPT_LOG"] = str(script_log)
        exit_stack.callback(crew.stop, grace_s=0)
        stream_bytes = 0
        if streams:
            stream_bytes = room_for_samples(samples)
            crew.environment["FARM_STREAM_BYTES"] = str(stream_bytes)
        crew.start()
        yield PrivateFarm(redis, crew, samples, stream_bytes)
