"""The door: Celery in front, plain functions behind."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

from celery import Task, shared_task
from pydantic import ValidationError

from farm.devices import megasamples
from farm.errors import (
    DamagedLedgerError,
    DeviceError,
    Interrupted,
    ProductError,
    StaleAttempt,
    TaskError,
    UnreachableError,
)
from farm.ledger import Ledger, Work, open_ledger
from farm.ledger.causes import refine
from farm.ledger.policy import CAUSES, UNKNOWN
from farm.queue import RENDER_TASK
from farm.settings import Settings, load_settings
from farm.spec.base import first_reason
from farm.spec.passes import samples_for
from farm.spec.quote import quoted
from farm.spec.recipes import RECIPES, unknown_recipe
from farm.spec.task import RenderMessage, RenderTask, Ticket
from farm.storage import open_storage
from farm.tallies.book import TallyBook
from worker.attempt.job_share import JobShare
from worker.attempt.lease import LedgerLease, insist
from worker.attempt.log import task_log
from worker.attempt.renderer import renew
from worker.attempt.stop_file import raise_if_asked
from worker.attempt.throughput import Throughput
from worker.render.results import Results
from worker.sandbox.rlimits import confine

log = logging.getLogger(__name__)

BLENDER = "worker.attempt.renderer:open_blender"
SEALED = {"script": "worker.sealed.renderer:open_sealed"}
"""Recipes that run code of the user's, and what renders them in place of the worker's Blender."""


class Renderer(Protocol):
    """Renders a task into storage."""

    def __call__(
        self, task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease
    ) -> None: ...


def perform(  # noqa: PLR0913  what the door holds, and nothing hidden
    message: RenderMessage,
    *,
    ledger: Ledger,
    render: Renderer,
    worker: str,
    throughput: Throughput | None = None,
    share: JobShare | None = None,
    logs: Results | None = None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Render one task, if the ledger still wants this attempt of it, and tell how it went.

    Raises:
        DeviceError: The worker must stop; the task is handed back.
    """
    throughput = throughput or Throughput(lambda _: None)
    share = share or JobShare(lambda _job, _share: None, worker)
    ticket, task = message.ticket, message.task
    if not insist(lambda: ledger.claim(ticket, worker)):
        log.info("message refused %s", naming(ticket))
        return
    throughput.begin(ticket, title=task.title, view_megasamples=view_megasamples(task))
    share.begin(ticket.job_id)
    try:
        with task_log(message, logs):
            log.info("task started %s worker=%s %s", naming(ticket), worker, contents(task))
            lease = LedgerLease(ledger, ticket, throughput=throughput, share=share, check=check)
            try_to(lambda: render(task, attempt=ticket.attempt, worker=worker, lease=lease), lease)
            if lease.doubt and insist(
                lambda: ledger.reopen(ticket.job_id, ticket.index, views=len(task.views))
            ):
                log.warning("task put back, a view was written too late %s", naming(ticket))
    finally:
        throughput.end()
        share.end()


def view_megasamples(task: RenderTask) -> float:
    """Return how many million samples each view of a task takes."""
    samples = samples_for(task.passes, task.render.samples)
    return megasamples(task.render.resolution_px, samples) * task.setup.pictures_per_view


def try_to(render: Callable[[], None], lease: LedgerLease) -> None:
    """Render what was claimed, and tell the ledger and the log how it went.

    Raises:
        DeviceError: The worker must stop; the task is handed back.
    """
    ledger, ticket = lease.ledger, lease.ticket
    started = time.monotonic()
    try:
        render()
    except StaleAttempt as error:
        insist(lambda: ledger.release(ticket))
        log.info("task given up %s reason=%s", naming(ticket), error)
    except Interrupted as error:
        insist(lambda: ledger.release(ticket))
        log.info("rest of the task handed back %s reason=%s", naming(ticket), error)
    except DeviceError as error:
        insist(lambda: ledger.release(ticket))
        log.warning("task handed back %s reason=%s", naming(ticket), error)
        raise
    except TaskError as error:
        put_maker_back(ledger, ticket, error)  # first, so that what needs it waits for it
        report_error(ledger, ticket, error.cause, str(error))
    except DamagedLedgerError:
        raise
    except Exception as error:  # the door: whatever it was, the ledger must know
        log.warning("unexpected error %s", naming(ticket), exc_info=True)
        report_error(ledger, ticket, "unknown", f"{type(error).__name__}: {error}")
    else:
        kept = insist(lambda: ledger.complete(ticket))
        lease.doubt = lease.doubt and not kept
        event = "task done" if kept else "task dropped, it came too late"
        log.info("%s %s seconds=%.1f", event, naming(ticket), time.monotonic() - started)


def put_maker_back(ledger: Ledger, ticket: Ticket, error: TaskError) -> None:
    """Have a product made again if that is what is wrong; twice is the same as once."""
    if isinstance(error, ProductError) and insist(
        lambda: ledger.reopen(ticket.job_id, error.made_by, views=0)
    ):
        log.warning("maker put back job=%s index=%d", ticket.job_id, error.made_by)


def report_error(ledger: Ledger, ticket: Ticket, cause: str, text: str) -> None:
    """Report an error by the words in it.

    Raises:
        DeviceError: They say that this worker cannot continue; others try the task.
    """
    cause, sentence = refine(cause, text)
    report_failure(ledger, ticket, cause, sentence)
    if CAUSES.get(cause, UNKNOWN).stops_worker:
        raise DeviceError(sentence)


def report_failure(ledger: Ledger, ticket: Ticket, cause: str, sentence: str) -> None:
    """Tell the ledger, and the log, that an attempt failed."""
    state = insist(lambda: ledger.fail(ticket, cause, sentence))
    log.warning("task failed %s cause=%s now=%s: %s", naming(ticket), cause, state, sentence)


def refuse(body: Any, *, ledger: Ledger, worker: str, reason: str) -> None:
    """Fail a task whose message this worker cannot read: another version wrote it."""
    try:
        ticket = Ticket.model_validate(body["ticket"])
    except (LookupError, TypeError, ValidationError):
        log.warning("message dropped, it names no task: %s", quoted(body))
        return
    if insist(lambda: ledger.claim(ticket, worker)):
        report_failure(ledger, ticket, "unknown", f"the worker cannot read the task: {reason}")


def unreadable(body: Any, error: ValidationError) -> str:
    """Say why a message cannot be read; perhaps the package of its recipe is not here."""
    try:
        recipe = body["task"]["recipe"]
    except (LookupError, TypeError):
        recipe = None
    if isinstance(recipe, str) and recipe not in RECIPES:
        return f"recipe {unknown_recipe(recipe)}; install the package that brings it here, too"
    return first_reason(error)


def naming(ticket: Ticket) -> str:
    """Return what a log line says of a ticket."""
    return f"job={ticket.job_id} index={ticket.index} attempt={ticket.attempt}"


def contents(task: RenderTask) -> str:
    """Return what a log line says of what is to be rendered."""
    views = f"views={len(task.views)} resolution_px={task.render.resolution_px}"
    return f"task={task.task_id} title={task.title!r} {views}"


def open_renderer(settings: Settings) -> Renderer:
    """Call the function that `settings.renderer` names.

    Raises:
        DeviceError: It cannot be opened on this machine.
    """
    module, _, name = settings.renderer.partition(":")
    try:
        renderer: Renderer = getattr(import_module(module), name)(settings)
    except DeviceError:
        raise
    except Exception as error:
        log.warning("the renderer cannot be opened", exc_info=True)
        reason = f"{type(error).__name__}: {error}"
        raise DeviceError(f"the renderer {settings.renderer} cannot be opened: {reason}") from error
    return renderer


def settings_for(task: RenderTask, settings: Settings) -> Settings:
    """Return the settings of a renderer for a task: who uploads a model reads no shared folder, and
    a user's script runs in a process of its own.
    """
    if task.recipe in SEALED and settings.renderer == BLENDER:
        settings = settings.model_copy(update={"renderer": SEALED[task.recipe]})
    if all(asset.in_library for asset in task.assets):
        return settings.model_copy(update={"shared_storage": ""})
    return settings


class RenderDoor(Task):  # type: ignore[misc]  # Celery ships no types
    """Owns what the worker's child keeps between tasks, opened at the first one."""

    abstract = True
    _renderer: Renderer | None = None
    _settings: Settings | None = None

    @cached_property
    def settings(self) -> Settings:
        quiet_celery()
        return load_settings()

    @cached_property
    def ledger(self) -> Ledger:
        return open_ledger(self.settings.redis_url.get_secret_value())

    @cached_property
    def logs(self) -> Results | None:
        """Where logs go: as the renderer's results do, if it stands behind walls."""
        if not self.settings.task_logs:
            return None
        results: Results | None = getattr(self._renderer, "results", None)
        return results or open_storage(self.settings.storage)

    def renderer_for(self, message: RenderMessage) -> Renderer:
        """Return the renderer, opened for what its first task may read.

        Raises:
            DeviceError: It cannot be opened on this machine.
        """
        settings = settings_for(message.task, self.settings)
        if self._renderer is None:
            return self._open(settings)
        if settings != self._settings:
            renew(self.ledger, message.ticket, "its sandbox is for assets of another origin")
        return self._renderer

    def open_ahead(self) -> None:
        """Open the renderer that most tasks need, before there is one.

        Raises:
            DeviceError: It cannot be opened on this machine.
        """
        self._open(self.settings)

    def _open(self, settings: Settings) -> Renderer:
        confine()
        self._renderer, self._settings = open_renderer(settings), settings
        return self._renderer

    @cached_property
    def throughput(self) -> Throughput:
        def tell(work: Work) -> None:
            with contextlib.suppress(UnreachableError):  # nothing depends on it
                self.ledger.tell_work(self.settings.worker_id, work)

        return Throughput(tell)

    @cached_property
    def share(self) -> JobShare:
        book = TallyBook(self.settings.redis_url.get_secret_value())
        return JobShare(book.add, self.settings.worker_id)


@shared_task(  # type: ignore[untyped-decorator]  # Celery ships no types
    bind=True,
    base=RenderDoor,
    name=RENDER_TASK,
    acks_late=False,  # the ledger, not the broker, gives a lost task back
    max_retries=0,  # and decides on another attempt
    ignore_result=True,
    throws=(DeviceError,),
)
def render_views(self: RenderDoor, body: Any = None, *_rest: Any, **_more: Any) -> None:
    """Render the task in a message, whatever somebody has put into it."""
    try:
        open_message(self, body)
    except DamagedLedgerError as error:  # the dispatcher restores the job, and with it this task
        log.warning("task given up: %s", error)


def open_message(self: RenderDoor, body: Any) -> None:
    """Render the task in a message, or refuse it.

    Raises:
        DamagedLedgerError: What Redis has of its job cannot be read.
        DeviceError: The worker must stop; the task is handed back.
    """
    worker = self.settings.worker_id
    try:
        message = RenderMessage.model_validate(body)
    except ValidationError as error:
        refuse(body, ledger=self.ledger, worker=worker, reason=unreadable(body, error))
        return
    try:
        # Before the claim: a start that crashes is no task's fault.
        renderer = self.renderer_for(message)
    except DeviceError:
        insist(lambda: self.ledger.release(message.ticket))
        raise
    perform(
        message,
        ledger=self.ledger,
        render=renderer,
        worker=worker,
        throughput=self.throughput,
        share=self.share,
        logs=self.logs,
        check=lambda: raise_if_asked(self.settings.scratch),
    )


def quiet_celery() -> None:
    """Leave the reporting of tasks to us: one line per event."""
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("multiprocessing").setLevel(logging.CRITICAL)
