"""Tokens in words: a table that fits 80 columns, and who must be warned."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from farm.cli.progress import file_size
from farm.client.text import printable
from farm.spec.counted import coarse
from farm.spec.wire import TokenInfo
from farm.tokens import expires_soon, moment

NO_QUOTA = "no quota of its own"
HEAD = ("ID", "ROLE", "EXPIRES", "LAST USE", "NAME")


def table(tokens: Sequence[TokenInfo]) -> Iterator[str]:
    """Yield a line for each token, below a head."""
    now_s = time.time()
    rows = [HEAD, *(row(info, now_s) for info in tokens)]
    widths = [max(len(cells[at]) for cells in rows) for at in range(len(HEAD) - 1)]
    for *cells, name in rows:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"{padded}  {name}"


def row(info: TokenInfo, now_s: float) -> tuple[str, ...]:
    """Return the cells of a token."""
    limits = quota_words(info)
    name = printable(info.name) + (f"  ({limits})" if limits != NO_QUOTA else "")
    return (
        info.token_id,
        info.role,
        expiry(info, now_s),
        last_words(info.last_used_s, now_s),
        name,
    )


def expiry(info: TokenInfo, now_s: float) -> str:
    """Return when a token expires, or that it has."""
    if info.expires_s is None:
        return "never"
    day = moment(info.expires_s)[:10]
    return f"{day} expired" if info.expires_s <= now_s else day


def last_words(used_s: float | None, now_s: float) -> str:
    """Say when a token was used last."""
    if used_s is None:
        return "never"
    ago_s = max(now_s - used_s, 0)
    return "just now" if ago_s < 120 else f"{coarse(ago_s)} ago"


def quota_words(info: TokenInfo) -> str:
    """Return the quotas of a token."""
    parts = []
    if info.quota_bytes is not None:
        parts.append(file_size(info.quota_bytes))
    if info.views_per_day is not None:
        parts.append(f"{info.views_per_day:,} views a day")
    return ", ".join(parts) or NO_QUOTA


def warnings(tokens: Iterable[TokenInfo]) -> Iterator[str]:
    """Yield a sentence for each token that expires soon."""
    now_s = time.time()
    for info in tokens:
        if info.expires_s is not None and expires_soon(info, now_s=now_s):
            left = coarse(info.expires_s - now_s)
            yield (
                f"the token of {printable(info.name)} expires in {left}; "
                f"farm token change {info.token_id} --expires 1y"
            )
