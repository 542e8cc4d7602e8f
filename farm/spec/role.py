"""The roles of tokens: a small closed set, each of which may do all that the one before may."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["read", "submit", "script", "admin"]
MAY: dict[Role, str] = {
    "read": "look, listen, download",
    "submit": "upload, submit, steer and delete what is its own",
    "script": "submit jobs that bring code of their own (recipe script)",
    "admin": "steer and delete what belongs to others, drain workers",
}
"""What a role may do beside what those before it may, for people; the roles in rising order."""


def allows(role: Role, needed: Role) -> bool:
    """Say whether a role may do what another one is needed for."""
    ranks = get_args(Role)
    return bool(ranks.index(role) >= ranks.index(needed))
