"""Files by key: in a folder or in a bucket, behind the same verbs."""

from farm.storage.base import CHUNK_BYTES, PARTIAL_PREFIX, Entry, Storage, hash_of, inside
from farm.storage.folder import FolderStorage
from farm.storage.place import is_bucket, open_storage
from farm.storage.room import free_bytes

__all__ = [
    "CHUNK_BYTES",
    "PARTIAL_PREFIX",
    "Entry",
    "FolderStorage",
    "Storage",
    "free_bytes",
    "hash_of",
    "inside",
    "is_bucket",
    "open_storage",
]
