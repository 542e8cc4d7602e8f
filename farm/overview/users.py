"""Who may do what on a farm, and which token expires soon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

from farm.spec.counted import coarse
from farm.spec.role import Role
from farm.spec.wire import TokenInfo
from farm.tokens import expires_soon

NAMED = 8


def role_words(tokens: Iterable[TokenInfo], *, now_s: float) -> str:
    """Say who has which role, the strongest first: `admin eve; submit ann, bob`."""
    names: dict[Role, set[str]] = {role: set() for role in get_args(Role)}
    for info in tokens:
        if info.expires_s is None or info.expires_s > now_s:
            names[info.role].add(info.name)
    told = [f"{role} {listed(names[role])}" for role in reversed(get_args(Role)) if names[role]]
    return "; ".join(told) or "nobody has a token"


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence has them, not too many."""
    some = sorted(names, key=str.casefold)
    more = f" and {len(some) - NAMED} more" if len(some) > NAMED else ""
    return ", ".join(some[:NAMED]) + more


def endings(tokens: Iterable[TokenInfo], *, now_s: float) -> Iterator[tuple[str, str]]:
    """Yield a sentence and its remedy for each token that expires soon, the first one first."""
    for info in sorted(tokens, key=lambda info: info.expires_s or 0.0):
        if info.expires_s is not None and expires_soon(info, now_s=now_s):
            sentence = f"the token of {info.name} expires in {coarse(info.expires_s - now_s)}"
            yield sentence, f"farm token change {info.token_id} --expires 1y"
