"""Who may make, see and revoke which tokens.

Admins make tokens for anybody. Others make some of their own, no mightier than the one they use:
such a token has its owner's name and quotas, and ends when the one ends that it was made with.
"""

from __future__ import annotations

import time

from farm.api.access.owners import is_admin
from farm.api.problems import ApiProblem, not_found
from farm.api.services import Services
from farm.spec.role import allows
from farm.spec.wire import MadeToken, NewToken, TokenInfo
from farm.tokens import GENERATIONS, LAST_S, moment, name_fault

MOST_OWN = 50
"""Most tokens of one name, where its owner makes them."""
ASK_ADMIN = "ask the farm's operator: farm token create"


def seen_tokens(services: Services, caller: TokenInfo) -> tuple[TokenInfo, ...]:
    """Return the tokens that somebody may know of: their own, for admins all."""
    admin = is_admin(caller)
    return tuple(info for info in services.tokens.list() if admin or info.name == caller.name)


def make_token(services: Services, caller: TokenInfo, wanted: NewToken) -> MadeToken:
    """Make a token for whoever asks, or, for an admin, for anybody.

    Raises:
        ApiProblem: The caller may not make such a token, or something in it is wrong.
    """
    name = caller.name if wanted.name is None else wanted.name.strip()
    check_words(wanted, name)
    if not is_admin(caller):
        check_own(services, caller, wanted, name)
    hangs_on = caller.token_id if hangs(caller, wanted) else None
    check_end(services, caller, wanted, hangs_on=hangs_on)
    secret, info = services.tokens.create(
        name,
        wanted.role,
        expires_s=wanted.expires_s,
        quota_bytes=wanted.quota_bytes,
        views_per_day=wanted.views_per_day,
        made_by=hangs_on,
    )
    return MadeToken(token=secret, info=info)


def hangs(caller: TokenInfo, wanted: NewToken) -> bool:
    """Say whether a token ends with the one that it is made with: it could else outlive a thief."""
    return not is_admin(caller) or wanted.role == "admin"


def check_words(wanted: NewToken, name: str) -> None:
    """Raise ApiProblem if a token could not be called so, or would never work."""
    if fault := name_fault(name):
        raise ApiProblem(422, f"name: {fault}", "give another one")
    if wanted.expires_s is not None and not time.time() < wanted.expires_s <= LAST_S:
        raise ApiProblem(
            422, f"expires_s: {wanted.expires_s:g} is not a time to come", "give a later time"
        )


def check_own(services: Services, caller: TokenInfo, wanted: NewToken, name: str) -> None:
    """Raise ApiProblem if a token is more than somebody may make for themselves."""
    if name != caller.name:
        raise refused(f"only admins make tokens for others; yours are called {caller.name!r}")
    if not allows(caller.role, wanted.role):
        raise refused(f"your token has the role {caller.role}, which is less than {wanted.role}")
    if wanted.quota_bytes is not None or wanted.views_per_day is not None:
        raise refused("only admins say quotas; a token of your own has yours")
    if sum(info.name == name for info in services.tokens.list()) >= MOST_OWN:
        raise ApiProblem(
            409, f"{name} has {MOST_OWN} tokens already", "revoke those that nobody uses"
        )


def check_end(
    services: Services, caller: TokenInfo, wanted: NewToken, *, hangs_on: str | None
) -> None:
    """Raise ApiProblem if a token would outlive the one that it hangs on."""
    if wanted.expires_s is None and not is_admin(caller):
        raise refused("only admins make tokens that never expire; say when yours does")
    if hangs_on is None:
        return
    if services.tokens.generations(caller) >= GENERATIONS:
        raise refused(f"your token hangs on {GENERATIONS} others already")
    if caller.expires_s is None:
        return
    if wanted.expires_s is None or wanted.expires_s > caller.expires_s:
        end = moment(caller.expires_s)
        raise ApiProblem(
            403,
            f"the token that you use expires on {end}; one that is made with it cannot outlive it",
            "give an earlier time, or ask the farm's operator for a token that lasts longer",
        )


def revoke_token(services: Services, caller: TokenInfo, token_id: str) -> TokenInfo:
    """Revoke a token, and by that those that were made with it; return what it was.

    Raises:
        ApiProblem: None has this id, or the caller may not revoke it.
    """
    info = services.tokens.find(token_id)
    if info is None or not (is_admin(caller) or info.name == caller.name):
        raise not_found(f"token {token_id[:20]!r}", "list them: GET /v1/tokens")
    if not may_revoke(caller, info):
        raise refused(f"this token has the role {info.role}, which is more than yours")
    services.tokens.revoke(token_id)
    return info


def may_revoke(caller: TokenInfo, info: TokenInfo) -> bool:
    """Say whether somebody may revoke a token: their own, no mightier than the one they use."""
    own = info.name == caller.name and allows(caller.role, "submit")
    return is_admin(caller) or (own and allows(caller.role, info.role))


def refused(detail: str) -> ApiProblem:
    """Return the problem of somebody who asks for more than they may."""
    return ApiProblem(403, detail, ASK_ADMIN)
