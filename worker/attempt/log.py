"""The log of a worker during one task, kept on storage for those who ask why."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from farm.errors import StorageError
from farm.job_store import log_key
from farm.spec.task import RenderMessage, Ticket
from worker.render.results import Results

log = logging.getLogger(__name__)

FIRST_LINES = 100
LAST_LINES = 400
LINE_LENGTH = 2000
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
SECRET_NAME = re.compile(
    r"PASSWORD|SECRET|TOKEN|AUTH|ACCESS_KEY|API_KEY|CREDENTIAL|REDIS_URL", re.I
)
URL_PASSWORD = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")
LEAST_SECRET = 6
"""Shorter values hide words that mean nothing."""


@contextmanager
def task_log(message: RenderMessage, storage: Results | None) -> Iterator[None]:
    """Keep what this process logs meanwhile; without a storage, nothing."""
    if storage is None:
        yield
        return
    lines = LogLines()
    root = logging.getLogger()
    root.addHandler(lines)
    try:
        yield
    finally:
        root.removeHandler(lines)
        keep(storage, key_of(message.ticket, message.task.task_id), lines.text())


def keep_last_words(storage: Results, ticket: Ticket, task_id: str, sentence: str) -> None:
    """Write the log of an attempt whose process is gone with all that it logged."""
    lines = LogLines()
    lines.emit(log.makeRecord(log.name, logging.ERROR, "", 0, sentence, (), None))
    keep(storage, key_of(ticket, task_id), lines.text())


def key_of(ticket: Ticket, task_id: str) -> str:
    """Return the storage key of the log of an attempt."""
    return log_key(ticket.job_id, task_id, ticket.attempt)


def keep(storage: Results, key: str, text: str) -> None:
    """Put a log on storage, if that can be written."""
    try:
        storage.put(key, text.encode())
    except StorageError as error:  # the task itself went as it went
        log.warning("the log of a task cannot be kept: %s", error)


class LogLines(logging.Handler):
    """The first and the last lines that were logged; threads beside the renderer log, too."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter(FORMAT))
        self.first: list[str] = []
        self.last: deque[str] = deque(maxlen=LAST_LINES)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        for line in self.format(record).splitlines():
            self.count += 1
            place = self.first if len(self.first) < FIRST_LINES else self.last
            place.append(line[:LINE_LENGTH])

    def text(self) -> str:
        """Return the lines, without secrets."""
        left_out = self.count - len(self.first) - len(self.last)
        note = [f"... {left_out} lines left out ..."] if left_out else []
        lines = [*self.first, *note, *self.last]
        return without_secrets("".join(f"{line}\n" for line in lines))


def without_secrets(text: str) -> str:
    """Return `text` with passwords of addresses and what the environment keeps secret hidden."""
    text = URL_PASSWORD.sub(r"\1***@", text)
    for name, value in os.environ.items():
        if SECRET_NAME.search(name) and len(value) >= LEAST_SECRET:
            text = text.replace(value, "***")
    return text
