"""Requests to the farm's server: the token, the retries, and errors as sentences."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from farm.client.home import Login
from farm.client.text import printable
from farm.errors import FarmError, LoginError, NotFoundError, RequestRefusedError, UnreachableError
from farm.spec.wire import VERSION_HEADER, Problem

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Note = Callable[[str], None]
"""Takes one sentence for a person."""

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may change in a moment."""
AWAY = frozenset({502, 503, 504})
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
MAX_WAIT_S = 30.0
SENTENCE_LIMIT = 2000
MAX_ANSWER_BYTES = 256 << 20
MAX_PROBLEM_BYTES = 4 << 20
"""Largest answer of a farm."""


class TemporaryError(Exception):
    """A failure that may be over at the next try; `error` is raised if it is not."""

    def __init__(self, error: FarmError, after_s: float | None = None) -> None:
        super().__init__(error, after_s)
        self.error = error
        self.after_s = after_s
        """Seconds that the server asks to wait."""


class Connection:
    """One server and one token; may be used by many threads."""

    def __init__(
        self,
        login: Login,
        *,
        patience_s: float = 60.0,
        first_wait_s: float = 0.5,
        note: Note = lambda _sentence: None,
    ) -> None:
        """Connect at the first request.

        Args:
            login: Where to, and with which token.
            patience_s: Longest time for which a request is repeated while the server is away.
            first_wait_s: Before the second try; it doubles from there.
            note: Takes a sentence before every further try.
        """
        self.url = login.url
        self.patience_s = patience_s
        self.first_wait_s = first_wait_s
        self.note = note
        self.closed = threading.Event()
        self.versions: tuple[str | None, str] = (None, version("viewfarm"))
        """Of the server, according to its last answer, and of this client."""
        headers = {
            "Authorization": f"Bearer {login.token}",
            "User-Agent": f"viewfarm/{self.versions[1]}",
        }
        self._http = httpx.Client(base_url=login.url, headers=headers, timeout=TIMEOUT)

    def close(self) -> None:
        """Close the sockets and wake all threads that wait for another try."""
        self.closed.set()
        self._http.close()

    def ask(self, model: type[M], method: str, path: str, **request: Any) -> M:
        """Send a request, patiently, and return the answer as a `model`."""
        return self.patiently(lambda: self.ask_once(model, method, path, **request))

    def ask_once(self, model: type[M], method: str, path: str, **request: Any) -> M:
        """Send a request and return the answer as a `model`.

        Raises:
            TemporaryError: The next try may succeed.
        """
        with self.open(method, path, **request) as response:
            return self.parse(model, response, self._read(response, MAX_ANSWER_BYTES))

    def text(self, path: str, *, params: Mapping[str, Any] | None = None) -> str:
        """Return a text, patiently."""

        def once() -> str:
            with self.open("GET", path, params=params) as response:
                return self._read(response, MAX_ANSWER_BYTES).decode("utf-8", "replace")

        return self.patiently(once)

    @contextmanager
    def open(self, method: str, path: str, **request: Any) -> Iterator[httpx.Response]:
        """Send a request; yield the answer, if it is a success, with its body still to be read.

        Raises:
            TemporaryError: The server is away or busy, also while the body is read.
            FarmError: The server refuses.
        """
        try:
            with self._http.stream(method, path, **request) as response:
                self.versions = (response.headers.get(VERSION_HEADER), self.versions[1])
                if not response.is_success:
                    raise self._refusal(response, self._read(response, MAX_PROBLEM_BYTES))
                yield response
        except httpx.TransportError as error:
            raise self._broken(error) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{self.url}: {_reason(error)}") from error

    def patiently(self, attempt: Callable[[], T], *, stop: threading.Event | None = None) -> T:
        """Return what `attempt` returns; try again while that may help and `stop` is not set."""
        ended = stop or self.closed
        first_s = self.first_wait_s
        backoff = wait_exponential(first_s, MAX_WAIT_S) + wait_random(0, first_s)

        def wait(state: RetryCallState) -> float:
            error = _error_of(state)
            return min(error.after_s if error.after_s is not None else backoff(state), MAX_WAIT_S)

        def tell(state: RetryCallState) -> None:
            self.note(f"{str(_error_of(state).error).partition(';')[0]}; trying again")

        def pause(seconds: float) -> None:
            if ended.wait(seconds):
                raise UnreachableError(f"{self.url}: stopped")

        trying = Retrying(
            retry=retry_if_exception_type(TemporaryError),
            stop=stop_after_delay(self.patience_s),
            wait=wait,
            before_sleep=tell,
            sleep=pause,
            reraise=True,
        )
        try:
            return trying(attempt)
        except TemporaryError as error:
            raise error.error from error

    def parse(self, model: type[M], response: httpx.Response, body: bytes | str) -> M:
        """Return an answer as a `model`; fields that a newer server adds are ignored.

        Raises:
            RequestRefusedError: This version does not understand the answer.
        """
        try:
            return model.model_validate_json(body, extra="ignore")
        except ValidationError:
            pass
        theirs, ours = self.versions
        if theirs is None:
            kind = response.headers.get("content-type", "something")
            raise RequestRefusedError(
                f"{self.url} does not answer as a farm does (it sent "
                f"{printable(kind, limit=60)}); check the address with `farm login`"
            )
        raise RequestRefusedError(
            f"the farm at {self.url} has version {printable(theirs, limit=40)} and does not "
            f"understand this one, {ours}; install its version here, or update the farm"
        )

    def _read(self, response: httpx.Response, most_bytes: int) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > most_bytes:
                raise RequestRefusedError(f"{self.url} sends an endless answer; is that a farm?")
        return bytes(body)

    def _broken(self, error: httpx.TransportError) -> Exception:
        if isinstance(error, httpx.UnsupportedProtocol):
            return UnreachableError(f"{self.url}: {_reason(error)}; check the address")
        if (tls := _tls_reason(error)) is not None:
            return UnreachableError(
                f"{self.url}: no secure connection: {tls}; check the address, or set SSL_CERT_FILE "
                "to the certificate of the authority that signed it"
            )
        return TemporaryError(
            UnreachableError(
                f"{self.url} does not answer ({_reason(error)}); is the farm up and the address "
                "right?"
            )
        )

    def _refusal(self, response: httpx.Response, body: bytes) -> Exception:
        status = response.status_code
        if response.is_redirect:
            target = printable(response.headers.get("location", "elsewhere"), limit=200)
            return RequestRefusedError(
                f"{self.url} redirects to {target}; run `farm login` with that address", status
            )
        sentence = _sentence(response.status_code, body)
        if status == 401:
            return LoginError(f"the farm at {self.url} does not let you in: {sentence}", status)
        if status in AGAIN:
            away = f"{self.url} is not ready (HTTP {status}): {sentence}"
            error = UnreachableError(away) if status in AWAY else RequestRefusedError(away, status)
            return TemporaryError(error, _retry_after(response))
        return (NotFoundError if status == 404 else RequestRefusedError)(sentence, status)


def _sentence(status: int, body: bytes) -> str:
    """Return the sentence of a problem document, with its remedy."""
    try:
        problem = Problem.model_validate_json(body, extra="ignore")
    except ValidationError:
        return f"HTTP {status} without a reason; is that the address of a farm?"
    sentence = problem.detail or problem.title
    if problem.remedy and problem.remedy not in sentence:
        sentence = f"{sentence.rstrip('.')}; {problem.remedy}"
    return printable(sentence, keep="\n", limit=SENTENCE_LIMIT)


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() and len(value) < 6 else None


def _error_of(state: RetryCallState) -> TemporaryError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TemporaryError)
    return error


def _tls_reason(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            reason = getattr(error, "verify_message", None) or error.reason or str(error)
            return printable(reason.replace("_", " ").lower(), limit=200)
        error = error.__cause__ or error.__context__
    return None


def _reason(error: Exception) -> str:
    words = str(error) or type(error).__name__
    return printable(words.partition("] ")[2] or words, limit=200).lower()
