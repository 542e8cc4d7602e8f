"""From the name of a place to the storage there."""

from __future__ import annotations

from pathlib import Path

from farm.errors import SetupError
from farm.storage.base import Storage
from farm.storage.folder import FolderStorage

BUCKET = "s3://"


def is_bucket(place: str) -> bool:
    """Say whether `place` names a bucket rather than a folder."""
    return place.startswith(BUCKET)


def open_storage(place: str) -> Storage:
    """Return the storage at `place`: a folder's path or `s3://bucket/prefix`.

    A bucket's keys and region come from the usual AWS environment, its endpoint, where it is not
    Amazon's, from FARM_S3_ENDPOINT or AWS_ENDPOINT_URL.

    Raises:
        SetupError: The place has no meaning, or the packages for buckets are missing.
    """
    if is_bucket(place):
        try:
            from farm.storage.bucket import BucketStorage
        except ImportError as error:
            raise SetupError(
                f"{place}: the packages for buckets are not installed ({error.name}); "
                "run: pip install 'viewfarm[s3]'"
            ) from None
        return BucketStorage(place)
    if "://" in place:
        scheme = place.partition("://")[0]
        raise SetupError(f"{scheme}:// is not a storage; give a folder or s3://bucket/prefix")
    if place.startswith("farm:") and not Path(place).exists():
        job = place.removeprefix("farm:")
        raise SetupError(
            f"{place}: is a job of a farm, and here it takes a folder or s3://bucket/prefix: fetch "
            f"it first, with farm download {job}"
        )
    if not place:
        raise SetupError("the storage has no name; give a folder or s3://bucket/prefix")
    return FolderStorage(Path(place).expanduser())
