"""Assets as files: found by pattern, known by hash, named within a dataset."""

from farm.library.files import (
    describe,
    discover,
    hash_file,
    home_expanded,
    places_of,
    read_credit,
)
from farm.library.ids import assign_ids, download_folder, safe_stem
from farm.library.store import Blob, Library, blob_key, files_of

__all__ = [
    "Blob",
    "Library",
    "assign_ids",
    "blob_key",
    "describe",
    "discover",
    "download_folder",
    "files_of",
    "hash_file",
    "home_expanded",
    "places_of",
    "read_credit",
    "safe_stem",
]
