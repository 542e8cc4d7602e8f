"""Asking a site for things as a good guest does: one at a time, spaced, waiting when told to."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import httpx

from scraper.asset import printable
from scraper.errors import SiteRefusedError, SourceError

REDIRECTS = {301, 302, 303, 307, 308}
MAX_REDIRECTS = 5
ATTEMPTS = 4
MAX_PAUSE_S = 300.0
"""A site that wants us to wait for longer is left alone."""
MAX_JSON_BYTES = 64 << 20
TIMEOUT = httpx.Timeout(60.0, connect=20.0)
"""A read that takes longer than this has stalled; it is tried again, never waited for."""

Note = Callable[[str], None]
"""Takes one sentence for a person."""


class Clock(Protocol):
    """What time it is, and waiting."""

    def now_s(self) -> float:
        """Return seconds since 1970."""

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The time outside."""

    def now_s(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class ApiKey:
    """A key and the only origins (`https://host`) that may see it."""

    variable: str
    """What a person sets."""
    value: str = field(repr=False)
    origins: frozenset[str]


class AnswerError(SourceError):
    """An answer that is not what was asked for."""

    def __init__(self, status: int, detail: str, sentence: str) -> None:
        super().__init__(status, detail, sentence)
        self.status = status
        self.detail = detail
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


def bare(url: str) -> str:
    """Return an address without what may be secret in it, for people and logs."""
    return f"{origin(url)}{urlsplit(url).path}"


def origin(url: str) -> str:
    """Return `scheme://host[:port]` of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def joined(base: str, link: str) -> str:
    """Return where a link on a page leads.

    Raises:
        SourceError: Nowhere.
    """
    try:
        return urljoin(base, link)
    except ValueError:
        raise SourceError(f"{origin(base)} redirects to something that is not an address") from None


class PoliteClient:
    """GETs, one after the other, to any number of hosts that share one cool-down."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        user_agent: str,
        clock: Clock,
        note: Note,
        spacing_s: float,
    ) -> None:
        for name in ("httpx", "httpcore"):  # they would log whole addresses, signatures and all
            logging.getLogger(name).setLevel(logging.WARNING)
        self._http = http
        self._headers = {"User-Agent": user_agent}
        self._clock = clock
        self._note = note
        self._spacing_s = spacing_s
        self._not_before_s = 0.0

    def get_json(self, url: str, *, key: ApiKey | None = None) -> Any:
        """Return the JSON under `url`.

        Raises:
            AnswerError: The answer is an error, or not JSON.
            SourceError: No whole answer came.
            SiteRefusedError: The key is refused, or we are.
        """
        broken = ""
        for attempt in range(ATTEMPTS):
            if broken:
                self.pause(2.0**attempt)
            try:
                with self.open(url, headers={"Accept": "application/json"}, key=key) as response:
                    body = _read_all(response)
            except httpx.TransportError as error:
                broken = f"{bare(url)}: {_words(error)}"
                continue
            data = _parse(body)
            if response.status_code == 200 and data is None:  # a page for people, or a cut answer
                broken = f"{bare(url)} did not answer in JSON"
                continue
            if response.status_code != 200:
                raise _refusal(response, data, key)
            return data
        raise SourceError(f"{broken}; try again later")

    @contextmanager
    def open(
        self, url: str, *, headers: Mapping[str, str], key: ApiKey | None = None
    ) -> Iterator[httpx.Response]:
        """Give the answer to one GET, its body unread, after any cool-down and redirect.

        Raises:
            SourceError: The site is away.
            SiteRefusedError: It wants to be left alone.
        """
        response = self._send_until_ready(url, headers, key)
        try:
            yield response
        finally:
            response.close()

    def pause(self, seconds: float) -> None:
        """Let no request go out for so long, to any host."""
        self._not_before_s = max(self._not_before_s, self._clock.now_s() + seconds)

    def _send_until_ready(
        self, url: str, headers: Mapping[str, str], key: ApiKey | None
    ) -> httpx.Response:
        trouble = ""
        status = 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._send(url, headers, key)
            except httpx.TransportError as error:
                status, trouble = 0, _words(error)
                self.pause(2.0**attempt)
                continue
            status = response.status_code
            if status != 429 and status < 500:
                return response
            response.close()
            trouble = f"it answers {status}"
            self._cool_down(url, response, attempt)
        if status == 429:
            raise SiteRefusedError(f"{origin(url)} still asks us to slow down; try again later")
        raise AnswerError(status, "", f"{bare(url)}: {trouble} after {ATTEMPTS} tries")

    def _cool_down(self, url: str, response: httpx.Response, attempt: int) -> None:
        asked = retry_after_s(response.headers.get("Retry-After"), now_s=self._clock.now_s())
        wait = 2.0**attempt if asked is None else asked
        if wait > MAX_PAUSE_S:
            raise SiteRefusedError(f"{origin(url)} asks us to come back in {wait / 60:.0f} minutes")
        if response.status_code == 429:
            self._note(f"{origin(url)} asks us to slow down; waiting {wait:.0f} s")
        self.pause(wait)

    def _send(self, url: str, headers: Mapping[str, str], key: ApiKey | None) -> httpx.Response:
        """Send a GET and follow where it is sent on to; the key goes to its own origins only."""
        for _ in range(MAX_REDIRECTS + 1):
            _check_address(url)
            sent = self._headers | dict(headers)
            if key and key.value and origin(url) in key.origins:
                sent["Authorization"] = f"Bearer {key.value}"
            self._wait_for_turn()
            try:
                request = self._http.build_request("GET", url, headers=sent)
                response = self._http.send(request, stream=True, follow_redirects=False)
            except httpx.InvalidURL:  # this one, or the one that the answer sends us to
                raise SourceError(
                    f"{bare(url)} is not a web address, or redirects to something that is not"
                ) from None
            if response.status_code not in REDIRECTS or "Location" not in response.headers:
                return response
            response.close()
            url = joined(url, response.headers["Location"])
        raise SourceError(f"{bare(url)} redirects in a circle")

    def _wait_for_turn(self) -> None:
        now = self._clock.now_s()
        # not longer than can have been asked for: the clock may have been set back
        wait = min(self._not_before_s - now, MAX_PAUSE_S + self._spacing_s)
        if wait > 0:
            self._clock.sleep(wait)
        self._not_before_s = self._clock.now_s() + self._spacing_s


def _check_address(url: str) -> None:
    """Make sure that nothing goes over the network unencrypted, or to no network at all."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # half an IPv6 address, a port of 99999
        raise SourceError("a link of the site is not an address") from None
    if not is_web:
        raise SourceError(f"{bare(url)} is not a web address")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise SourceError(f"{bare(url)} is not encrypted; https is required")


def retry_after_s(value: str | None, *, now_s: float) -> float | None:
    """Return the seconds that a Retry-After header asks for; None if it says nothing."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - now_s, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _read_all(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise SourceError(f"{bare(str(response.url))} never ends its answer")
    return bytes(body)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _refusal(
    response: httpx.Response, data: Any, key: ApiKey | None
) -> AnswerError | SiteRefusedError:
    """Say what an answer other than 200 means."""
    status, url = response.status_code, str(response.url)
    detail = detail_of(data)
    if key and key.value:
        detail = detail.replace(key.value, "***")
    if key and (status == 401 or "credentials were not provided" in detail):
        if key.value:
            return SiteRefusedError(
                f"{origin(url)} refuses the key ({detail or status}): check {key.variable}"
            )
        return SiteRefusedError(f"{origin(url)} wants a key: set {key.variable}")
    if status == 403 and data is None:
        return SiteRefusedError(f"{origin(url)} does not let us in (403); try again much later")
    return AnswerError(status, detail, f"{bare(url)} answers {status}: {detail or 'no reason'}")


def detail_of(data: Any) -> str:
    """Return what an error message in JSON says, in one line."""
    detail = data.get("detail", "") if isinstance(data, dict) else ""
    words = detail if isinstance(detail, str) else json.dumps(detail)
    return " ".join(printable(words).split())[:300]


def _words(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
