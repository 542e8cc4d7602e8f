"""What a job may be called by its owner, so that a command that gets the name means no other."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

LAST = "last"
"""Stands for the job that was submitted last, so no job is called so."""
JOB_ID_PATTERN = r"^[0-9a-f]{12}$"
LIMIT = 80


def check_job_name(name: str) -> str:
    """Return a job's name without the spaces around it.

    Raises:
        ValueError: A command could not tell it from a flag, from an id, or from `last`.
    """
    name = name.strip()
    if not name or len(name) > LIMIT or not name.isprintable():
        raise ValueError(f"a job's name is 1 to {LIMIT} printable characters")
    if name.startswith("-"):
        raise ValueError(f"{name!r} looks like a flag; begin it with a letter or a digit")
    if re.fullmatch(JOB_ID_PATTERN, name):
        raise ValueError(f"{name!r} looks like the id of a job; choose another name")
    if name == LAST:
        raise ValueError(f"{LAST!r} stands for the job that was submitted last; choose another")
    return name


JobName = Annotated[str, AfterValidator(check_job_name)]
