"""The ledger's word on whether an attempt continues, through its outages."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from farm.errors import StaleAttempt, UnreachableError
from farm.ledger import Ledger
from farm.spec.task import Ticket
from farm.tallies.model import NOTHING_TOLD, DoneView
from worker.attempt.job_share import JobShare
from worker.attempt.throughput import Throughput

log = logging.getLogger(__name__)

SECURE_S = 1.0
"""Seconds for which the ledger's word is good: much shorter than a lease."""

T = TypeVar("T")


@dataclass
class LedgerLease:
    """The ledger's word, during a render, on whether to continue. Redis may be away meanwhile."""

    ledger: Ledger
    ticket: Ticket
    views_done: int = 0
    throughput: Throughput | None = None
    share: JobShare | None = None
    """Adds up what is done for the job."""
    check: Callable[[], None] = lambda: None
    """Raises `Interrupted` where this worker is to stop."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    known_s: float = float("-inf")
    """When the ledger was asked that said last that the attempt is ours."""
    doubt: bool = False
    """Files were written so long after it that they may have replaced somebody else's."""

    def confirm(self) -> None:
        """Return if the attempt is still ours, as far as anybody can know, and is to continue.

        Raises:
            StaleAttempt: Somebody else holds the task, or nobody wants it any more.
            Interrupted: This worker is to stop.
        """
        self.check()
        asked_s = time.monotonic()
        try:
            ours = self.ledger.confirm(self.ticket)
        except UnreachableError:
            return  # the ledger has the last word, before anything is written
        if not ours:
            raise StaleAttempt(f"attempt {self.ticket.attempt} is no longer wanted")
        self.known_s, self.doubt = asked_s, False

    def secure(self) -> None:
        """Return when the ledger has just said that the attempt is ours; wait while it is away.

        A worker that was frozen or cut off may not know that another one renders the task now:
        the files of both would mix.

        Raises:
            StaleAttempt: Somebody else holds the task, or nobody wants it any more.
        """
        if time.monotonic() - self.known_s < SECURE_S:
            return
        asked_s = time.monotonic()
        if not insist(lambda: self.ledger.confirm(self.ticket)):
            raise StaleAttempt(f"attempt {self.ticket.attempt} is no longer wanted")
        self.known_s, self.doubt = asked_s, False

    def view_done(self, done: DoneView = NOTHING_TOLD) -> None:
        """Count a view that was rendered; views end in threads beside the renderer."""
        with self.lock:
            self.doubt = self.doubt or time.monotonic() - self.known_s > SECURE_S
            self._count(1)
            if self.throughput:
                self.throughput.view_rendered(done.sample_s)
            if self.share:
                self.share.view_done(done)

    def views_found(self, count: int) -> None:
        """Count views that an earlier attempt has done."""
        with self.lock:
            self._count(count)

    def _count(self, views: int) -> None:
        self.views_done += views
        with contextlib.suppress(UnreachableError):  # the next view tells for this one too
            self.ledger.progress(self.ticket, self.views_done)


def insist(verb: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Call until Redis answers: nothing that was rendered is lost to an outage."""
    for wait_s in itertools.chain((0.1, 0.2, 0.5), itertools.repeat(1.0)):
        try:
            return verb()
        except UnreachableError as error:
            if wait_s == 0.1:
                log.warning("%s; waiting for it", error)
            sleep(wait_s)
    raise AssertionError  # the loop has no end
