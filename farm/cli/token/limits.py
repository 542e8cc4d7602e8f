"""Times to come and sizes, as people write them behind `--expires` and `--quota`."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from farm.errors import SpecError

DAY_S = 86_400.0
UNITS_S = {"h": 3600.0, "d": DAY_S, "w": 7 * DAY_S, "y": 365 * DAY_S}
SPAN = re.compile(r"(\d{1,6})\s*([hdwy])", re.IGNORECASE)
LONGEST_S = 100 * UNITS_S["y"]
TIMES = "90d, 12w, 1y, a date such as 2030-01-31, or never"
SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
POWERS = {"": 0.0, "k": 1.0, "m": 2.0, "g": 3.0, "t": 4.0}
LARGEST_BYTES = 2**60
NONE = "none"


def read_expiry(text: str, *, now_s: float) -> float | None:
    """Return the moment that `--expires` names, in seconds since 1970; None for `never`.

    Raises:
        SpecError: It is not a time to come.
    """
    if text.strip().lower() == "never":
        return None
    time_s = _moment(text.strip(), now_s)
    if time_s is None:
        raise SpecError(f"--expires: {text!r} is not a time; give {TIMES}")
    if time_s <= now_s:
        raise SpecError(f"--expires: {text} is in the past; give a later time: {TIMES}")
    if time_s > now_s + LONGEST_S:
        raise SpecError(f"--expires: {text} is more than 100 years away; give never if you mean it")
    return round(time_s)


def _moment(text: str, now_s: float) -> float | None:
    if span := SPAN.fullmatch(text.removeprefix("-")):
        seconds = int(span[1]) * UNITS_S[span[2].lower()]
        return now_s + (-seconds if text.startswith("-") else seconds)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def read_quota(text: str) -> int | None:
    """Return the bytes that `--quota` names; None for `none`: as the farm is set up.

    Raises:
        SpecError: It is not a size.
    """
    if text.strip().lower() == NONE:
        return None
    found = SIZE.fullmatch(text.strip())
    if found is None or (found[3] and not found[2]):
        raise SpecError(f"--quota: {text!r} is not a size; give one such as 500MB, 50GB or {NONE}")
    base = 1024.0 if found[3] else 1000.0
    size_bytes = round(float(found[1]) * math.pow(base, POWERS[found[2].lower()]))
    if not 0 < size_bytes <= LARGEST_BYTES:
        raise SpecError(f"--quota: {text} is not between 1 byte and {LARGEST_BYTES:,} bytes")
    return size_bytes


def read_views(text: str) -> int | None:
    """Return the number that `--views-per-day` names; None for `none`: as the farm is set up.

    Raises:
        SpecError: It is not a whole number above 0.
    """
    if text.strip().lower() == NONE:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,11}", text.strip()):
        raise SpecError(
            f"--views-per-day: {text!r} is not a whole number above 0; "
            f"give one such as 10000 or {NONE}"
        )
    return int(text)
