"""Requests from inside of walls and their answers: plain JSON and bytes, never objects."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any

from farm import errors
from farm.errors import FarmError, StorageError, TaskError

Answer = Callable[[str, list[Any], bytes], tuple[object, bytes]]
"""Takes a verb, its arguments and its bytes; returns a value and bytes."""
MOST_WORDS = 64 << 20
MOST_BYTES = 8 << 30
"""Largest message: a picture of 8192 x 8192 pixels in passing takes 4 GB."""


class Lines:
    """The end of those who ask; many threads may."""

    def __init__(self, lines: Iterable[Connection], *, gone: str) -> None:
        """Take connections.

        Args:
            lines: One for each request that may be under way.
            gone: What is said when the other end is.
        """
        self._lines: queue.Queue[Connection] = queue.Queue()
        for line in lines:
            self._lines.put(line)
        self._gone = gone
        self.is_open = True

    def ask(self, verb: str, *arguments: object, data: bytes = b"") -> tuple[Any, bytes]:
        """Ask for something; return the answer and its bytes.

        Raises:
            FarmError: It was refused.
            StorageError: The other end is gone.
        """
        line = self._lines.get()
        try:
            line.send_bytes(json.dumps([verb, *arguments]).encode())
            line.send_bytes(data)
            answer, data = json.loads(line.recv_bytes()), line.recv_bytes()
        except (OSError, EOFError) as error:
            self.is_open = False
            raise StorageError(self._gone) from error
        finally:
            self._lines.put(line)
        if "error" in answer:
            raise read_error(*answer["error"])
        return answer["value"], data


def serve_line(line: Connection, answer: Answer) -> None:
    """Answer the requests of one line until its other end is closed, or sends what is none.

    Args:
        line: The end of those who answer.
        answer: What answers them.
    """
    while True:
        try:
            words = json.loads(line.recv_bytes(MOST_WORDS))
            data = line.recv_bytes(MOST_BYTES)
            told, data = reply(answer, words, data)
            line.send_bytes(json.dumps(told).encode())
            line.send_bytes(data)
        except (OSError, EOFError, ValueError, RecursionError):
            return


def reply(answer: Answer, words: Any, data: bytes) -> tuple[dict[str, object], bytes]:
    """Return what is sent back, also where the answer is an error."""
    try:
        verb, *arguments = words
        value, data = answer(verb, arguments, data)
    except Exception as error:  # noqa: BLE001  the door: whoever asks must hear of it
        return {"error": tell_error(error)}, b""
    return {"value": value}, data


def tell_error(error: Exception) -> list[Any]:
    """Return an error as it is sent: its kind, and what it was made of."""
    if isinstance(error, FarmError):
        return [type(error).__name__, *map(str, error.args)]
    return [TaskError.__name__, f"{type(error).__name__}: {error}"]


def read_error(kind: str, *arguments: str) -> FarmError:
    """Return the error that was sent."""
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, FarmError):
        return known(*arguments)
    return TaskError(" ".join(arguments))
