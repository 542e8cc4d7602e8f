"""Assets as files: found by pattern, known by hash, named within a dataset."""

from farm.library.files import (
    SUFFIXES,
    assign_ids,
    describe,
    discover,
    hash_file,
    read_credit,
    safe_stem,
    tell_pairs_apart,
)

__all__ = [
    "SUFFIXES",
    "assign_ids",
    "describe",
    "discover",
    "hash_file",
    "read_credit",
    "safe_stem",
    "tell_pairs_apart",
]
