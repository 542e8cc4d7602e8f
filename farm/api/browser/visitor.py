"""Who looks at a page, and what they may press there."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from farm.api.access.auth import permit
from farm.api.access.owners import guard, may_change
from farm.api.browser import cookies
from farm.api.problems import ApiProblem
from farm.api.services import FarmServices
from farm.spec.role import allows
from farm.spec.wire import TokenInfo


class SignInError(Exception):
    """Somebody without a token asks for a page."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        super().__init__(wanted)

    @property
    def place(self) -> str:
        """Where they can give one, to come back then."""
        return f"/login?next={quote(self.wanted)}"


@dataclass(frozen=True)
class Visitor:
    """Whoever looks at a page."""

    info: TokenInfo
    csrf: str
    """The word by which requests of their pages are known."""
    address: str
    """Of the farm, as they have reached it."""

    @property
    def may_submit(self) -> bool:
        """They may start jobs, and change their own."""
        return allows(self.info.role, "submit")

    def may_change(self, owner: str) -> bool:
        """Say whether they may press what changes a job of `owner`."""
        return self.may_submit and may_change(self.info, owner)


async def visitor(request: Request, services: FarmServices) -> Visitor:
    """Return who looks at a page.

    Raises:
        SignInError: Nobody knows.
        ApiProblem: The page is about what others own and hide.
    """
    token = cookies.token_in(request.headers.get("cookie", ""))
    info = await run_in_threadpool(services.tokens.check, token) if token else None
    if info is None:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise SignInError(wanted if request.method in cookies.SAFE else "/")
    request.state.token = info
    await run_in_threadpool(guard, services, info, request)
    return Visitor(info, cookies.csrf_of(token), str(request.base_url).rstrip("/"))


Looking = Annotated[Visitor, Depends(visitor)]


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=100)
    return {name: values[-1] for name, values in fields.items()}


async def own_form(request: Request, who: Looking) -> dict[str, str]:
    """Return the fields of a form.

    Raises:
        ApiProblem: It does not come from a page of ours.
    """
    fields = await form_of(request)
    if not hmac.compare_digest(fields.get(cookies.CSRF_FIELD, "").encode(), who.csrf.encode()):
        raise ApiProblem(
            403,
            "the form does not come from a page of this farm, or from one that is out of date",
            "load the page again and repeat it",
        )
    return fields


OwnForm = Annotated[dict[str, str], Depends(own_form)]


def pressing(who: Looking, fields: OwnForm) -> dict[str, str]:
    """Return the fields of a form that changes something.

    Raises:
        ApiProblem: It does not come from a page of ours, or the visitor may only look.
    """
    permit(who.info, "submit")
    return fields


Pressing = Annotated[dict[str, str], Depends(pressing)]


def left_s(info: TokenInfo) -> float | None:
    """Return for how long a token is good; None: for ever."""
    return None if info.expires_s is None else info.expires_s - time.time()


def own_place(wanted: str) -> str:
    """Return a place on this server to go to: never another site."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if plain and wanted.isprintable() and "\\" not in wanted else "/"
