"""Names of assets within a dataset: short, safe in file names, and without a `_`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

ID_LENGTH = 8
"""Characters of an id, unless it takes more to tell assets apart."""
SHORTEST_PART = 3
"""Letters of a word that is cut off in the middle; of a shorter one nothing is left."""
LONGEST_STEM = 40
"""Characters before the hash that tells assets of one name apart."""


def assign_ids(names: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Name each (stem, hash) by its stem's first 8 characters, or as many as tell all apart.

    Returns:
        hash -> id; ids are safe in file names, hold no `_`, at which file names are split, and
        differ even where case does not count.
    """
    stems = {sha256: id_stem(stem) for stem, sha256 in names}
    longest = max((len(stem) for stem in stems.values()), default=0)
    ids: dict[str, str] = {}
    pending = dict(stems)
    for length in range(ID_LENGTH, max(longest, ID_LENGTH) + 1):
        cut = {sha256: cut_off(stem, length) for sha256, stem in pending.items()}
        shared = Counter(short.casefold() for short in cut.values())
        taken = {name.casefold() for name in ids.values()}
        for sha256, short in cut.items():
            if shared[short.casefold()] == 1 and short.casefold() not in taken:
                ids[sha256] = short
                del pending[sha256]
    told_apart = {
        sha256: f"{cut_off(stem, LONGEST_STEM)}-{sha256[:8]}" for sha256, stem in pending.items()
    }
    return ids | told_apart


def id_stem(stem: str) -> str:
    """Return what an id is cut from."""
    return re.sub("-+", "-", safe_stem(stem).replace("_", "-")).strip("-") or "asset"


def cut_off(stem: str, length: int) -> str:
    """Return the beginning of a stem, without the first letters of a word that would be left."""
    short = stem[:length]
    words, dash, last = short.rpartition("-")
    whole = stem[length : length + 1] in ("", "-")
    if dash and not whole and len(last) < SHORTEST_PART:
        short = words
    return short.rstrip("-")


def safe_stem(stem: str) -> str:
    """Return `stem` with what a file name or shell could stumble over replaced by `-`."""
    return re.sub(r"[^0-9A-Za-z_-]+", "-", stem).strip("-") or "asset"


def download_folder(job_name: str) -> str:
    """Return the folder into which `farm download` writes a job of that name."""
    return safe_stem(job_name)[:120]
