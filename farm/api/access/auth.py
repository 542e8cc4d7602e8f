"""Checks before every route: who is asking, whether they may, and how much they send."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from importlib.metadata import version

from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farm.api.access.guesses import Guesses
from farm.api.access.hosts import HostNames
from farm.api.browser import cookies
from farm.api.problems import ApiProblem, respond
from farm.api.settings import ApiSettings
from farm.errors import StorageError
from farm.spec.role import Role, allows
from farm.spec.wire import EXPIRY_HEADER, VERSION_HEADER, TokenInfo
from farm.tokens import TokenBook, moment

GUARDED = re.compile(r"/v1(/|$)")
HEALTH = "/health"
UPLOAD = re.compile(r"/v1/assets/[^/]*/upload")
VERSION = (VERSION_HEADER.encode(), version("viewfarm").encode())
LARGE = frozenset(
    {"/v1/jobs", "/v1/jobs/plan", "/v1/jobs/sample", "/v1/assets/needs", "/v1/assets/named",
     "/v1/specs/read"}
)  # fmt: skip
"""Requests that are as large as a submission."""
SMALL_BODY_BYTES = 1 << 20
DRAINED_BYTES = 64 << 20
DRAINED_S = 5.0
NEEDED: dict[str, Role] = {"GET": "read", "HEAD": "read"}
"""Role that a method needs; all other methods change something and need `submit`."""

Count = Callable[[Scope, int, float], None]
"""Takes a request, the status of its answer and how long it took, seconds."""


class AuthMiddleware:
    """Middleware: the farm's names, bearer tokens by method, and bodies of a bounded size."""

    def __init__(  # noqa: PLR0913 - what it checks with
        self,
        app: ASGIApp,
        tokens: TokenBook,
        settings: ApiSettings,
        count: Count,
        hosts: HostNames,
        guesses: Guesses,
    ):
        self.app = app
        self.tokens = tokens
        self.settings = settings
        self.count = count
        self.hosts = hosts
        self.guesses = guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = Exchange(receive, send, self._limit(scope))
        started = time.monotonic()
        try:
            refusal = await self._refuse(scope, exchange)
            await (refusal or self.app)(scope, exchange.receive, exchange.send)
        finally:
            self.count(scope, exchange.status, time.monotonic() - started)

    async def _refuse(self, scope: Scope, exchange: Exchange) -> JSONResponse | None:
        path = scope["path"]
        try:
            if path != HEALTH:  # probes call a farm as they like
                self.hosts.check(_header(scope, b"host"))
            if GUARDED.match(path):
                exchange.token = await self._admit(scope)
            exchange.check(_header(scope, b"content-length"))
        except ApiProblem as problem:
            return respond(
                path,
                status=problem.status_code,
                detail=problem.detail,
                remedy=problem.remedy,
                headers=dict(problem.headers or {}),
            )
        except StorageError as error:
            return respond(path, status=503, detail=str(error), remedy="repair the farm's storage")
        return None

    async def _admit(self, scope: Scope) -> TokenInfo:
        token = token_of(scope)
        info = await run_in_threadpool(self.tokens.check, token)
        if info is None:
            raise await self._why_not(scope, token)
        permit(info, NEEDED.get(scope["method"], "submit"))
        scope.setdefault("state", {})["token"] = info
        return info

    async def _why_not(self, scope: Scope, token: str) -> ApiProblem:
        """Return why a token is not taken; who guesses waits for the answer."""
        over = await run_in_threadpool(self.tokens.expired, token)
        if over is not None and over.expires_s is not None:
            return _expired(over.name, over.token_id, over.expires_s)
        client = scope.get("client")
        await self.guesses.slow_down(client[0] if client else "")
        return _unknown("the token is wrong: it is not known here, or was revoked")

    def _limit(self, scope: Scope) -> int:
        if UPLOAD.fullmatch(scope["path"]):
            return self.settings.max_asset_bytes
        if scope["path"] in LARGE:
            return self.settings.max_submission_bytes
        return SMALL_BODY_BYTES


class Exchange:
    """One request and its answer, measured as they pass."""

    def __init__(self, receive: Receive, send: Send, limit_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self.limit_bytes = limit_bytes
        self.received_bytes = 0
        self.read_out = False
        self.status = 500
        self.token: TokenInfo | None = None

    def check(self, content_length: str) -> None:
        """Refuse a body that announces too much; a false announcement is noticed while reading."""
        if content_length.isdigit() and int(content_length) > self.limit_bytes:
            raise _too_large(self.limit_bytes)

    async def receive(self) -> Message:
        message = await self._next()
        if self.received_bytes > self.limit_bytes:
            raise _too_large(self.limit_bytes)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), VERSION, *self._expiry()]
            if self.status >= 400 and not self.read_out:
                await self._drain()
        await self._send(message)

    def _expiry(self) -> list[tuple[bytes, bytes]]:
        if self.token is None or self.token.expires_s is None:
            return []
        left_s = max(round(self.token.expires_s - time.time()), 0)
        return [(EXPIRY_HEADER.encode(), str(left_s).encode())]

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received_bytes += len(message.get("body", b""))
            self.read_out = not message.get("more_body", False)
        else:
            self.read_out = True
        return message

    async def _drain(self) -> None:
        """Let a client finish its sentence: one that is still sending might miss the answer."""
        most = self.received_bytes + DRAINED_BYTES
        if self.status == 401:
            most = SMALL_BODY_BYTES
        try:
            async with asyncio.timeout(DRAINED_S):
                while not self.read_out and self.received_bytes < most:
                    await self._next()
        except TimeoutError:
            pass


def token_of(scope: Scope) -> str:
    """Return the token that a request brings, in a header or, from a browser, in a cookie."""
    kind, _, token = _header(scope, b"authorization").partition(" ")
    if token and kind.lower() != "bearer":
        raise _unknown("the Authorization header is not of the form `Bearer <token>`")
    if token:
        return token.strip()
    token = cookies.token_in(_header(scope, b"cookie"))
    if not token:
        raise _unknown("this needs a token, and the request has none")
    word = _header(scope, cookies.CSRF_HEADER.encode())
    if scope["method"] not in cookies.SAFE and not cookies.is_own(token, word):
        raise ApiProblem(
            403,
            "the request has the cookie of a browser, but does not come from a page of the farm",
            "open the farm's page again and repeat it there, or send the token as a header",
        )
    return token


def permit(info: TokenInfo, needed: Role) -> None:
    """Let a token pass whose role is enough.

    Raises:
        ApiProblem: It is not.
    """
    if not allows(info.role, needed):
        raise ApiProblem(
            403,
            f"this needs a token with the role {needed}; {info.name!r} has the role {info.role}",
            f"ask for one: farm token create --name NAME --role {needed}",
        )


def _unknown(detail: str) -> ApiProblem:
    remedy = "run `farm login URL` with a token; the farm's operator makes one: farm token create"
    return ApiProblem(401, detail, remedy, {"WWW-Authenticate": "Bearer"})


def _expired(name: str, token_id: str, expires_s: float) -> ApiProblem:
    remedy = f"ask the farm's operator to renew it (farm token change {token_id} --expires 1y), "
    remedy += "or run `farm login URL` with another one"
    detail = f"the token of {name!r} expired on {moment(expires_s)}"
    return ApiProblem(401, detail, remedy, {"WWW-Authenticate": "Bearer"})


def _too_large(limit_bytes: int) -> ApiProblem:
    remedy = "send less, or ask the farm's operator to raise its limits "
    remedy += "(FARM_MAX_SUBMISSION_BYTES, FARM_MAX_ASSET_BYTES)"
    return ApiProblem(413, f"the body is larger than {limit_bytes} bytes", remedy)


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return ""
