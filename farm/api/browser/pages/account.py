"""Whoever looks, their tokens, and what they take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import get_args

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from farm.api.access import token_rules
from farm.api.access.owners import is_admin
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking, Pressing, Visitor
from farm.api.problems import ApiProblem
from farm.api.services import FarmServices, Services
from farm.api.status import farm_status
from farm.spec.role import MAY, Role, allows
from farm.spec.wire import SOON_S, MadeToken, NewToken, TokenInfo

router = APIRouter(include_in_schema=False)

DAY_S = 86_400
SPANS = {"7 days": 7, "30 days": 30, "90 days": 90, "1 year": 365}
"""For how many days tokens are offered to work."""
MINE, NEVER = "as long as mine", "never"


@router.get("/account")
def account(services: FarmServices, who: Looking) -> Response:
    """Show whoever looks, their tokens and what they take."""
    return account_page(services, who)


@router.post("/account/tokens")
def make_token(services: FarmServices, who: Looking, fields: Pressing) -> Response:
    """Make a token and show it: the answer is kept nowhere."""
    try:
        made = token_rules.make_token(services, who.info, wanted(who.info, fields))
    except ApiProblem as problem:
        fault = f"{problem.detail}: {problem.remedy}."
        return account_page(services, who, fault=fault, fields=fields, status=problem.status_code)
    return account_page(services, who, made=made)


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(
    services: FarmServices, who: Looking, _fields: Pressing, token_id: str
) -> Response:
    """Revoke a token; whoever revokes the one in use is asked for another."""
    token_rules.revoke_token(services, who.info, token_id)
    return RedirectResponse("/account", 303)


def account_page(  # noqa: PLR0913 - what there is to show beside the page itself
    services: Services,
    who: Visitor,
    *,
    made: MadeToken | None = None,
    fault: str = "",
    fields: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Return the page, with a token that was made just now, or with what was wrong."""
    farm = farm_status(services, who.info)
    tokens = sorted(farm.tokens, key=lambda info: (info.name, -info.created_s))
    return page(
        "account",
        status=status,
        who=who,
        farm=farm,
        tokens=tokens,
        ends={info.token_id: ending(info) for info in tokens},
        may_revoke={info.token_id: token_rules.may_revoke(who.info, info) for info in tokens},
        roles=[(role, MAY[role]) for role in get_args(Role) if allows(who.info.role, role)],
        spans=list(spans(who.info)),
        admin=is_admin(who.info),
        made=made,
        fault=fault,
        fields=fields or {},
    )


def spans(info: TokenInfo) -> Iterator[str]:
    """Yield for how long a token of somebody may work."""
    left_s = float("inf") if info.expires_s is None else info.expires_s - time.time()
    admin = is_admin(info)
    yield from (name for name, days in SPANS.items() if admin or days * DAY_S <= left_s)
    if info.expires_s is not None:
        yield MINE
    if admin:
        yield NEVER


def wanted(info: TokenInfo, fields: dict[str, str]) -> NewToken:
    """Return the token that a form asks for.

    Raises:
        ApiProblem: Something in it is wrong.
    """
    span = fields.get("expires", "")
    if span not in (*SPANS, MINE, NEVER):
        raise ApiProblem(422, "it must be said when the token expires", "choose one of the times")
    ends = {MINE: info.expires_s, NEVER: None}
    expires_s = ends[span] if span in ends else round(time.time() + SPANS[span] * DAY_S)
    try:
        return NewToken.model_validate(
            {"name": fields.get("name"), "role": fields.get("role"), "expires_s": expires_s}
        )
    except ValidationError:
        roles = ", ".join(get_args(Role))
        raise ApiProblem(422, "role: it is not one of those that there are", roles) from None


def ending(info: TokenInfo) -> str:
    """Return a word on a token that works no longer, or not for long."""
    left_s = float("inf") if info.expires_s is None else info.expires_s - time.time()
    if left_s <= 0:
        return "expired"
    return "soon" if left_s <= SOON_S else ""
