"""The whole farm on one machine: Redis, API, dispatcher, Flower and a worker per device."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from farm.devices import DEVICE_EXIT
from farm.errors import SetupError, UnreachableError
from farm.ledger import Ledger, open_ledger
from farm.local.processes.children import stop as stop_processes
from farm.local.processes.ports import answers_ok, check_port
from farm.local.processes.redis_server import PrivateRedis
from farm.local.processes.temp_folders import memory_folder
from farm.local.processes.workers import shares, worker_command, worker_name
from farm.local.up.farm_folder import FarmFolder, Secrets, UpState
from farm.local.up.supervised_process import SupervisedProcess

log = logging.getLogger(__name__)

POLL_S = 0.25
WORKER_GRACE_S = 60.0
GRACE_S = 10.0
ANYWHERE = ("0.0.0.0", "::")


@dataclass(frozen=True)
class UpOptions:
    """Options of the requested farm."""

    storage: Path
    devices: Sequence[str]
    host: str = "127.0.0.1"
    port: int = 8000
    flower_port: int = 5555

    @property
    def url(self) -> str:
        """Return the address of the API on this machine."""
        return f"http://{'127.0.0.1' if self.host in ANYWHERE else self.host}:{self.port}"

    @property
    def flower_url(self) -> str:
        """Return the address of Flower, which only this machine can reach."""
        return f"http://127.0.0.1:{self.flower_port}"


def run_farm(options: UpOptions, stop: threading.Event, tell: Callable[[UpState], None]) -> None:
    """Run a farm until `stop` is set; in the end none of its processes is left.

    Raises:
        SetupError: A farm already runs in this folder, or this machine lacks something.
    """
    folder = FarmFolder(options.storage)
    folder.make()
    with folder.hold():
        keeper = Keeper(options, folder, tell)
        try:
            keeper.run(stop)
        except SetupError as error:
            keeper.note("failed", str(error))
            raise


@dataclass
class Keeper:
    """Starts the parts, keeps them alive, ends them; the workers first, Redis last."""

    options: UpOptions
    folder: FarmFolder
    tell: Callable[[UpState], None]
    services: list[SupervisedProcess] = field(default_factory=list)
    workers: list[SupervisedProcess] = field(default_factory=list)
    redis: PrivateRedis | None = None
    ledger: Ledger | None = None
    phase: str = "starting"

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set."""
        check_port(self.options.host, self.options.port, flag="--port")
        check_port("127.0.0.1", self.options.flower_port, flag="--flower-port")
        keys = self.folder.secrets()
        self.redis = PrivateRedis(self.folder.redis_folder, password=keys.redis_password)
        with ExitStack() as ending:
            ending.enter_context(self.redis)
            self.ledger = open_ledger(self.redis.url)
            self._make_parts(keys, self.redis.url)
            ending.callback(self._stop, self.services, grace_s=GRACE_S)
            ending.callback(self._stop, self.workers, grace_s=WORKER_GRACE_S)
            for part in self.services + self.workers:
                part.start()
            self.note("starting")
            while not stop.wait(POLL_S):
                self._look_after()

    def note(self, phase: str, sentence: str | None = None) -> None:
        """Write down the farm's state."""
        self.phase = phase
        redis = self.redis.process if self.redis else None
        parts = [part.state() for part in self.services + self.workers]
        state = UpState.model_validate(
            {
                "phase": phase,
                "pid": os.getpid(),
                "url": self.options.url,
                "flower_url": self.options.flower_url,
                "redis_port": self.redis.port if self.redis else 0,
                "devices": tuple(self.options.devices),
                "parts": ({"name": "redis", "pid": redis.pid if redis else None}, *parts),
                "sentence": sentence,
            }
        )
        self.folder.write_state(state)
        self.tell(state)

    def _look_after(self) -> None:
        assert self.redis is not None
        before = self.redis.process
        self.redis.revive()
        changed = [part.keep() for part in self.services + self.workers]
        ready = self.phase == "ready" or self._is_ready()
        if any(changed) or self.redis.process is not before or ready != (self.phase == "ready"):
            self.note("ready" if ready else "starting")

    def _is_ready(self) -> bool:
        """Say whether every part answers, or has reported why it cannot."""
        assert self.ledger is not None
        if not answers_ok(f"{self.options.url}/health"):
            return False
        if not answers_ok(f"{self.options.flower_url}/healthcheck"):
            return False
        hopeless = sum(part.problem is not None for part in self.workers)
        try:
            return len(self.ledger.workers()) + hopeless >= len(self.workers)
        except UnreachableError:
            return False

    def _make_parts(self, keys: Secrets, redis_url: str) -> None:
        folder = self.folder.log_folder
        environment = {
            **os.environ,
            "FARM_REDIS_URL": redis_url,
            "FARM_STORAGE": str(self.options.storage),
            "FARM_FLOWER_AUTH": keys.flower_auth,
            "FARM_FLOWER_URL": self.options.flower_url,
            "FARM_FLOWER_DB": str(self.folder.flower_db),
            "FARM_CACHE": str(self.folder.folder / "cache"),
            "FARM_SPOOL": str(self.folder.folder / "spool"),
        }
        services = {
            "api": ["api", "--host", self.options.host, "--port", str(self.options.port)],
            "dispatcher": ["dispatcher"],
            "flower": ["flower", "--port", str(self.options.flower_port)],
        }
        self.services = [
            SupervisedProcess(
                name, [sys.executable, "-m", "farm", *args], environment, folder / f"{name}.log"
            )
            for name, args in services.items()
        ]
        environment |= shares(self.options.devices)
        scratch = memory_folder()
        if scratch is not None:
            environment["FARM_SCRATCH"] = str(scratch)
        for place, device in enumerate(self.options.devices):
            name = f"worker {worker_name(device, place)}"
            command = worker_command(self.options.devices, place)
            file = folder / f"worker-{place}.log"
            self.workers.append(
                SupervisedProcess(name, command, environment, file, hopeless_exit=DEVICE_EXIT)
            )

    @staticmethod
    def _stop(parts: list[SupervisedProcess], *, grace_s: float) -> None:
        stop_processes([part.process for part in parts if part.process], grace_s=grace_s)
