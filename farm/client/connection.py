"""Requests to the farm's server: the token, the retries, and errors as sentences."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential,
    wait_random,
)

from farm.client.home import Login
from farm.client.text import printable
from farm.errors import FarmError, LoginError, NotFoundError, RequestRefusedError, UnreachableError
from farm.spec.counted import coarse
from farm.spec.wire import EXPIRY_HEADER, SOON_S, VERSION_HEADER, Problem

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Note = Callable[[str], None]
"""Takes one sentence for a person."""

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may change in a moment."""
AWAY = frozenset({502, 503, 504})
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
LONG_TIMEOUT = httpx.Timeout(3600.0, connect=10.0)
"""Of requests for which the server reads all records of a job, half a minute for 100,000."""
MAX_WAIT_S = 30.0
NOT_TLS = "wrong version number"
"""OpenSSL's words for an answer that is not TLS."""
LOGIN_EVERY_S = 2.0
"""Pause between two looks for another login."""
SENTENCE_LIMIT = 2000
MAX_ANSWER_BYTES = 256 << 20
MAX_PROBLEM_BYTES = 4 << 20
"""Largest answer of a farm."""


class TemporaryError(Exception):
    """A failure that may be over at the next try; `error` is raised if it is not."""

    def __init__(self, error: FarmError, after_s: float | None = None, token: str = "") -> None:
        super().__init__(error, after_s)
        self.error = error
        self.after_s = after_s
        """Seconds that the server asks to wait."""
        self.token = token
        """The one that was refused, as it was sent."""


@dataclass(frozen=True)
class Relogin:
    """Another `farm login` while a command runs."""

    stored: Callable[[], Login | None]
    """Returns the login that is remembered now."""
    patience_s: float
    """Longest wait for it."""


class Connection:
    """One server and one token; may be used by many threads."""

    def __init__(
        self,
        login: Login,
        *,
        patience_s: float = 60.0,
        first_wait_s: float = 0.5,
        note: Note = lambda _sentence: None,
        relogin: Relogin | None = None,
    ) -> None:
        """Connect at the first request.

        Args:
            login: Where to, and with which token.
            patience_s: Longest time for which a request is repeated while the server is away.
            first_wait_s: Before the second try; it doubles from there.
            note: Takes a sentence before every further try.
            relogin: How to continue where a token that was taken is not any more; None: not at
                all, since the token is not from a login.
        """
        self.url = login.url
        self.patience_s = patience_s
        self.first_wait_s = first_wait_s
        self.note = note
        self.relogin = relogin
        self.admitted = False
        """The farm has taken the token."""
        self._told: set[tuple[str, str]] = set()
        self._telling = threading.Lock()
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
            return self.parse(model, response, self.read(response, MAX_ANSWER_BYTES))

    def text(self, path: str, *, params: Mapping[str, Any] | None = None) -> str:
        """Return a text, patiently."""

        def once() -> str:
            with self.open("GET", path, params=params) as response:
                return self.read(response, MAX_ANSWER_BYTES).decode("utf-8", "replace")

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
                    raise self._refusal(response, self.read(response, MAX_PROBLEM_BYTES))
                self.admitted = True
                self._warn_of_expiry(response)
                yield response
        except httpx.TransportError as error:
            raise self._broken(error) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{self.url}: {_reason(error)}") from error

    def patiently(self, attempt: Callable[[], T], *, stop: threading.Event | None = None) -> T:
        """Return what `attempt` returns; try again while that may help and `stop` is not set."""
        ended = stop or self.closed

        def pause(seconds: float) -> None:
            if ended.wait(seconds):
                raise UnreachableError(f"{self.url}: stopped")

        trying = Retrying(
            retry=retry_if_exception_type(TemporaryError),
            stop=self._is_enough,
            wait=self._wait_s,
            before_sleep=self._tell,
            sleep=pause,
            reraise=True,
        )
        try:
            return trying(attempt)
        except TemporaryError as error:
            raise error.error from error

    def _wait_s(self, state: RetryCallState) -> float:
        asked_s, first_s = _error_of(state).after_s, self.first_wait_s
        backoff = wait_exponential(first_s, MAX_WAIT_S) + wait_random(0, first_s)
        return min(backoff(state) if asked_s is None else asked_s, MAX_WAIT_S)

    def _tell(self, state: RetryCallState) -> None:
        found = _error_of(state)
        if not isinstance(found.error, LoginError):
            self.note(f"{str(found.error).partition(';')[0]}; trying again")
        elif found.after_s:
            self._once("login", found.token, f"{found.error}; this continues once that is done")

    def _is_enough(self, state: RetryCallState) -> bool:
        found, most_s = _error_of(state), self.patience_s
        if self.relogin and isinstance(found.error, LoginError):
            most_s = self.relogin.patience_s if found.after_s else float("inf")  # there is another
        return (state.seconds_since_start or 0.0) >= most_s

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

    def _not_taken(self, sentence: str, sent: httpx.Headers) -> Exception:
        """Return the error of a token that is refused, which another login may end."""
        error = LoginError(f"the farm at {self.url} does not let you in: {sentence}", 401)
        if self.relogin is None or not self.admitted:
            return error
        refused = sent.get("Authorization", "")
        after_s = 0.0 if self._has_another_login(refused) else LOGIN_EVERY_S
        return TemporaryError(error, after_s, refused)

    def _has_another_login(self, refused: str) -> bool:
        """Take the token of a login that was stored meanwhile; False if it is the refused one."""
        if refused != self._http.headers["Authorization"]:
            return True  # another thread has taken it
        login = self.relogin.stored() if self.relogin else None
        header = f"Bearer {login.token}" if login and login.url == self.url else None
        if header is None or header == refused:
            return False
        self._http.headers["Authorization"] = header
        return True

    def _warn_of_expiry(self, response: httpx.Response) -> None:
        left = response.headers.get(EXPIRY_HEADER, "")
        if left.isdecimal() and len(left) < 12 and int(left) <= SOON_S:
            self._once(
                "expiry",
                response.request.headers.get("Authorization", ""),
                f"your token for {self.url} expires in {coarse(int(left))}; ask the farm's "
                "operator to renew it, or log in with another one",
            )

    def _once(self, subject: str, token: str, sentence: str) -> None:
        """Tell this of a token once, whichever thread comes first."""
        with self._telling:
            if (subject, token) in self._told:
                return
            self._told.add((subject, token))
        self.note(sentence)

    def read(self, response: httpx.Response, most_bytes: int) -> bytes:
        """Return the body of an answer.

        Raises:
            RequestRefusedError: It is longer than `most_bytes`.
        """
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
                f"{self.url}: no secure connection: {tls}; {self._tls_help(tls)}"
            )
        return TemporaryError(
            UnreachableError(
                f"{self.url} does not answer ({_reason(error)}); is the farm up and the address "
                "right?"
            )
        )

    def _tls_help(self, reason: str) -> str:
        """Say what to do about a connection that is not secure."""
        if reason == NOT_TLS:
            plain = f"http{self.url.removeprefix('https')}"
            return f"if that farm speaks plain http, its address is {plain}"
        return (
            "check the address, or set SSL_CERT_FILE to the certificate of the authority that "
            "signed it"
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
            return self._not_taken(sentence, response.request.headers)
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
        end = " " if sentence.endswith("?") else "; "
        sentence = f"{sentence.rstrip('.')}{end}{problem.remedy}"
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
