"""The worker's process: a Celery worker with one warm renderer as its child."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import secrets
import signal
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any, NoReturn

import billiard
from celery import Celery, signals
from celery.exceptions import SecurityWarning
from celery.worker import state as celery_state

from farm.devices import DEVICE_EXIT
from farm.errors import DeviceError, FarmError, SetupError, UnreachableError
from farm.ledger import open_ledger
from farm.ledger.model import WARMING
from farm.owned_folders import Owned, make_owned
from farm.queue import (
    QUEUE,
    RENDER_TASK,
    create_celery,
    inbox_of,
    inbox_queue,
    shared_queue,
)
from farm.settings import Settings
from farm.spec.task import Ticket
from farm.storage import open_storage
from worker.attempt.celery_task import quiet_celery
from worker.attempt.log import keep_last_words
from worker.attempt.stop_file import ask_to_stop
from worker.device.device import keep_kernels, pin
from worker.device.gauges import GpuWatch
from worker.device.gpu_lease import Claimant
from worker.sandbox import sandbox
from worker.sandbox.rlimits import memory_bound
from worker.supervisor.heartbeat import Heartbeat, RendererDeath
from worker.supervisor.incoming import TRANSPORT, CarefulTransport, RejectedMessages
from worker.supervisor.quarantine import QuarantineGate, prove_in_child
from worker.supervisor.repeats import Repeats
from worker.supervisor.request import watched_request
from worker.supervisor.time_limit import TimeLimits
from worker.supervisor.warm_kernels import warm_claim
from worker.supervisor.watchdog import Watchdog

log = logging.getLogger(__name__)

SCRATCH_PREFIX = "farm-worker-"
HAND_BACK_S = 10.0
"""Longest wait for the ledger to take back the tasks of a renderer that did not stop in time."""
ORPHAN_STOP_S = 5.0
"""Seconds in which a worker whose parent is gone may finish the current view."""
POOL_CHECK_S = 0.5
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def make_scratch(parent: Path | None) -> Owned:
    """Make the folder for pictures in passing; first, clear those of workers that were killed.

    Raises:
        SetupError: It cannot be made there.
    """
    where = parent or Path(tempfile.gettempdir())
    try:
        if parent:
            parent.mkdir(parents=True, exist_ok=True)
        return make_owned(SCRATCH_PREFIX, where)
    except OSError as error:
        raise SetupError(
            f"{where}: the worker cannot write its pictures there ({error.strerror}): make it "
            "writable, or set FARM_SCRATCH to another folder"
        ) from error


class WorkerService:
    """One worker, from start to end."""

    def __init__(self, settings: Settings, *, die_with_parent: bool = False) -> None:
        sandbox.check(settings)
        self.ledger = open_ledger(settings.redis_url.get_secret_value())
        claimant = Claimant(self.ledger, holder_name(settings), settings.lease_ttl_s)
        self.claim = claimant.find(settings.device, require_gpu=settings.require_gpu)
        device = str(self.claim.device)
        name = settings.name or device.replace(":", "")
        self.node = f"{name}@{platform.node()}"
        self.folders = (make_scratch(settings.scratch), make_scratch(None))
        self.scratch, self.spill = (owned.folder for owned in self.folders)
        self.settings = settings.model_copy(
            update={
                "device": device,
                "scratch": self.scratch,
                "worker_id": f"{self.node}#{secrets.token_hex(4)}",  # not the one before us
            }
        )
        self.inbox = inbox_of(self.settings.worker_id)
        self.stop_timeout_s = settings.stop_timeout_s
        self.guard = Watchdog(
            memory_bound(settings.memory_bytes, share=settings.memory_share), settings.processes
        )
        self.device_error: str | None = None
        self.gate = QuarantineGate(
            self.ledger,
            self.settings.worker_id,
            lambda: prove_in_child(self.scratch),
            queues=(self.inbox, QUEUE),
        )
        self.watch = GpuWatch(self.claim.lease.gpu.uuid) if self.claim.lease else None
        self.heartbeat = Heartbeat(
            ledger=self.ledger,
            worker=self.settings.worker_id,
            info={
                "name": name,
                "device": device,
                "hardware": self.claim.hardware,
                "host": platform.node(),
                "pid": str(os.getpid()),
                "inbox": self.inbox,
            },
            gauges=self.watch.newest if self.watch else lambda: None,
            device=self.claim.lease,
            ttl_s=settings.lease_ttl_s,
            on_deadly_start=self.give_up,
            on_beat=self.gate.refresh,
            in_hand=tickets_in_hand,
            on_death=self._keep_last_words if settings.task_logs else None,
            on_orphaned=self._end_with_parent if die_with_parent else None,
        )

    def run(self) -> int:
        """Render until told to stop; return the exit code.

        Raises:
            SetupError: Redis refuses the password.
            DeviceError: The device cannot be used.
            SystemExit: The worker was asked to stop before it could take a task.
        """
        signal.signal(signal.SIGTERM, end_at_once)  # until Celery listens
        try:
            pin(self.claim.device, self.claim.visible)
            if self.settings.kernel_cache:
                keep_kernels(self.settings.kernel_cache)
            with contextlib.suppress(UnreachableError):  # it may still come
                self.ledger.now_s()
            os.environ.update(self.settings.environment())  # for the child, a fresh process
            os.environ["TMPDIR"] = str(self.spill)
            self._warm()
            return self._work(create_celery(self.settings.redis_url.get_secret_value()))
        finally:
            self._sign_off()
            self._clean()

    def _sign_off(self) -> None:
        """Give back what is held still; the heartbeat beats on after an error, or a signal."""
        with contextlib.suppress(FarmError):
            self.heartbeat.stop()
            if self.claim.lease:
                self.claim.lease.give_back()

    def _warm(self) -> None:
        """Compile the kernels that the device lacks, as a worker that lives and takes no task.

        Raises:
            DeviceError: The device cannot render.
            SystemExit: The worker was asked to stop.
        """

        def begin() -> None:
            self.heartbeat.info[WARMING] = "kernels"
            self.heartbeat.start()

        warm_claim(self.claim, self.settings, begin)
        self.heartbeat.info[WARMING] = ""

    def give_up(self, sentence: str) -> None:
        """Stop, because this machine cannot render."""
        self.device_error = sentence
        celery_state.should_stop = DEVICE_EXIT

    def _work(self, app: Celery) -> int:
        basket = RejectedMessages(self.ledger.store.keep_aside, self.node)
        CarefulTransport.keep_aside = staticmethod(basket)
        app.conf.update(
            task_queues=(inbox_queue(self.inbox), shared_queue()),
            broker_transport=TRANSPORT,
            include=["worker.attempt.celery_task"],
            task_time_limit=self.settings.task_timeout_s,
            worker_max_memory_per_child=max(1, self.guard.most_bytes // 2 // 1024),  # KB
            worker_log_format=LOG_FORMAT,
            worker_task_log_format=LOG_FORMAT,
        )
        app.set_current()
        app.loader.import_default_modules()
        app.tasks[RENDER_TASK].Request = watched_request(
            self.heartbeat, self.give_up, guard=self.guard, time_limits=TimeLimits(self.settings)
        )
        signals.worker_ready.connect(self._on_ready, weak=False)
        signals.worker_shutting_down.connect(self._on_stop, weak=False)
        worker = app.Worker(
            hostname=self.node,
            loglevel="INFO",
            quiet=True,
            without_gossip=True,
            without_mingle=True,
        )
        quiet_celery()
        logging.getLogger("celery.worker.request").setLevel(logging.CRITICAL)  # the heartbeat tells
        for name in ("consumer", "connection"):
            logging.getLogger(f"celery.worker.consumer.{name}").addFilter(Repeats())
        if self.watch:
            self.watch.start()
        self.heartbeat.start()
        self.guard.start()
        worker.start()
        self.guard.stop()
        self.heartbeat.stop()
        if self.device_error is not None:
            raise DeviceError(self.device_error)
        return worker.exitcode or 0

    def _on_ready(self, sender: Any, **_: Any) -> None:
        watch_closely(sender)

        def on_tick() -> None:
            self.gate.apply_to(sender, idle=not celery_state.reserved_requests)

        sender.hub.on_tick.add(on_tick)

    def _on_stop(self, **_: Any) -> None:
        self.heartbeat.stopping.set()
        ask_to_stop(self.scratch)
        deadline = threading.Timer(self.stop_timeout_s, self._end_now)
        deadline.daemon = True
        deadline.start()

    def _keep_last_words(self, death: RendererDeath) -> None:
        """Write the log that a renderer could not, beside the heartbeat, which must not wait."""

        def keep() -> None:
            storage = open_storage(self.settings.storage)
            keep_last_words(storage, death.ticket, death.task_id, death.sentence)

        threading.Thread(target=keep, name="last words", daemon=True).start()

    def _end_with_parent(self) -> None:
        log.warning("the process that started this worker is gone; stopping")
        self.stop_timeout_s = min(self.stop_timeout_s, ORPHAN_STOP_S)
        os.kill(os.getpid(), signal.SIGTERM)

    def _end_now(self) -> None:
        """End without the renderer's consent; others may have what it held."""
        log.warning("the renderer did not stop in time; ending it")
        for child in billiard.active_children():
            os.kill(child.pid, signal.SIGKILL)
        self.heartbeat.hand_back(timeout_s=HAND_BACK_S)
        self._clean()
        os._exit(0)

    def _clean(self) -> None:
        for owned in self.folders:
            owned.remove()


def end_at_once(*_: object) -> NoReturn:
    """End by a signal as by an error: all that is held is given back."""
    raise SystemExit(0)


def holder_name(settings: Settings) -> str:
    """Return what others read of this process when it holds what they want."""
    name = f"worker {settings.name}, " if settings.name else ""
    return f"{name}process {os.getpid()} on {platform.node()} [{secrets.token_hex(2)}]"


def tickets_in_hand() -> set[Ticket]:
    """Return the tickets of the messages that this worker has taken and is not done with."""
    bodies = [request.args[0] for request in tuple(celery_state.reserved_requests)]
    return {Ticket.model_validate(body["ticket"]) for body in bodies}


def watch_closely(sender: Any) -> None:
    """Look after the renderer's process often: Celery alone may take 5 s to notice its death."""
    sender.hub.call_repeatedly(POOL_CHECK_S, sender.pool.maintain_pool)


def serve(settings: Settings, *, die_with_parent: bool = False) -> int:
    """Run a worker until it is told to stop; return its exit code."""
    # Only JSON is read, so what Celery says of root, who is who we are in a container, is moot.
    warnings.simplefilter("ignore", SecurityWarning)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    try:
        return WorkerService(settings, die_with_parent=die_with_parent).run()
    except DeviceError as error:
        sys.stderr.write(f"error: {error}\n")
        return DEVICE_EXIT
