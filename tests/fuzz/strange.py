"""Values, texts and bytes that nobody expects."""

from __future__ import annotations

import copy
import struct
from typing import Any

from hypothesis import strategies as st

WORDS = (
    "", " ", "\0", "..", "../../etc/passwd", "/", "~", "~nobody-here", "-1", "0", "NaN", "-inf",
    "1e400", "9" * 5000, "\uff11\uff12", "true", "null", "[", "{", "{model}", "{x!r}", "%s",
    "a\nb", "\x1b[2J", "\u202e", "\ud800", "é" * 200, "con", ".", "*", "**", "[a-", "a" * 5000,
    "<!--", "💥", "=", ",",
)  # fmt: skip

words = st.sampled_from(WORDS) | st.text(max_size=20)
numbers = st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**30, 10**4000]) | st.integers()
scalars = st.none() | st.booleans() | numbers | st.floats() | words
"""Of JSON, as Python's own parser takes it: NaN and endless numbers too."""


def trees(leaves: st.SearchStrategy = scalars, *, keys: st.SearchStrategy = words):
    """Return lists and groups of `leaves`, not deep."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=10,
    )


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes], *, reach: int = 300) -> bytes:
    """Bytes that were once right: flipped, cut, spliced, lengths blown up, in the first `reach`."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(min(len(data), reach) - 1, 0)))
        match draw(st.sampled_from(["flip", "cut", "drop", "splice", "length"])):
            case "flip" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[draw(st.integers(0, len(data))) :]
            case "drop":
                del data[at : at + draw(st.integers(1, 40))]
            case "splice":
                data[at:at] = draw(st.binary(max_size=40))
            case "length":
                blown = draw(st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]))
                data[at : at + 4] = struct.pack(draw(st.sampled_from("<>")) + "I", blown)
    return bytes(data)


@st.composite
def bent(draw: st.DrawFn, whole: Any, *, times: int = 3) -> Any:
    """A JSON value that was once right, with parts of it replaced or gone."""
    found = {"": copy.deepcopy(whole)}
    for _ in range(draw(st.integers(0, times))):
        place: Any = found
        key: Any = ""
        while isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
            place = place[key]
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = draw(st.sampled_from(keys))
        if key != "" and draw(st.integers(0, 4)) == 0:
            del place[key]
            continue
        place[key] = draw(trees())
    return found[""]
