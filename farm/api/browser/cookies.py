"""The cookie that stands for a token, and the word by which a page's own requests are known.

A browser sends a cookie along whoever has made the request. Ours is `SameSite=Strict`, which keeps
it out of requests that other sites make; besides, whatever changes something must bring a word that
only our own pages know (`Farm-Csrf`, or the field `csrf` of a form).
"""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie

from starlette.responses import Response

COOKIE = "farm_token"
CSRF_HEADER = "farm-csrf"
CSRF_FIELD = "csrf"
LONGEST_S = 30 * 86_400
"""A browser forgets a token after that, at the latest."""
SAFE = frozenset({"GET", "HEAD"})


def token_in(cookies: str) -> str:
    """Return the token in a `Cookie` header; "" if there is none."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def csrf_of(token: str) -> str:
    """Return the word that the pages of whoever has a token know."""
    return hmac.new(token.encode(), b"viewfarm csrf", hashlib.sha256).hexdigest()[:32]


def is_own(token: str, word: str) -> bool:
    """Say whether a request comes from a page that was made for a token."""
    return hmac.compare_digest(csrf_of(token).encode(), word.encode(errors="replace"))


def keep(response: Response, token: str, *, secure: bool, left_s: float | None) -> None:
    """Let a browser keep a token, no longer than it is good."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(min(LONGEST_S, LONGEST_S if left_s is None else max(left_s, 0))),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def forget(response: Response) -> None:
    """Let a browser forget its token."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
