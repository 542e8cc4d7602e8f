"""Products: what tasks make for other tasks instead of pictures, kept on storage by content.

`products/<hash of what it is made of>/` holds each file under its own SHA-256 and, written last,
`product.json`, which says what the files are called. So attempts that make it twice mix nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from pydantic import Field, ValidationError, field_validator

from farm.errors import ProductError, RenderError, StorageError
from farm.spec.base import Spec
from farm.spec.task import Need
from farm.storage import Storage
from farm.storage.base import Entry, hash_of

FOLDER = "products"
MANIFEST = "product.json"


class ProductFile(Spec):
    """One file of a product."""

    path: str
    """Relative, with `/`, below the product's folder."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)

    @field_validator("path")
    @classmethod
    def _stays_below(cls, path: str) -> str:
        plain = PurePosixPath(path)
        if plain.is_absolute() or ".." in plain.parts or "\0" in path or not plain.parts:
            raise ValueError("leads out of its folder")
        return path


class Manifest(Spec):
    """What a product is made up of."""

    files: tuple[ProductFile, ...] = Field(min_length=1)


def read_manifest(storage: Storage, product: str) -> Manifest | None:
    """Return what a product is made up of; None where it is not there or cannot be read."""
    data = storage.get(f"{product}/{MANIFEST}")
    try:
        return Manifest.model_validate_json(data) if data else None
    except ValidationError:
        return None


def is_whole(storage: Storage, product: str) -> bool:
    """Say whether all files of a product are there in full size."""
    manifest = read_manifest(storage, product)
    return manifest is not None and all(
        storage.size(f"{product}/{file.sha256}") == file.size_bytes for file in manifest.files
    )


def is_sound(storage: Storage, product: str) -> bool:
    """Say whether all files of a product are there with the bytes that they were made with."""
    manifest = read_manifest(storage, product)
    return manifest is not None and is_whole(storage, product) and all(
        hash_of(storage, f"{product}/{file.sha256}") == file.sha256 for file in manifest.files
    )  # fmt: skip


def bring(storage: Storage, product: str, folder: Path) -> Manifest:
    """Put the files of a folder under a product; nobody sees them before it is sealed.

    Args:
        storage: Where.
        product: Its key prefix.
        folder: The files, as they are to lie to each other.

    Raises:
        RenderError: The folder holds nothing, or something that is not a file.
        StorageError: It cannot be written now.
    """
    files = [describe(path, folder) for path in sorted(folder.rglob("*")) if not is_folder(path)]
    if not files:
        raise RenderError("nothing was made: the recipe left its folder empty")
    for file in files:
        storage.put_file(f"{product}/{file.sha256}", folder / file.path)
    return Manifest(files=tuple(files))


def seal(storage: Storage, product: str, manifest: Manifest) -> None:
    """Say what a product is made up of; a sound one of somebody else stays as it is.

    Raises:
        StorageError: It cannot be written now.
    """
    if not is_sound(storage, product):
        storage.put(f"{product}/{MANIFEST}", manifest.model_dump_json().encode())


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def describe(path: Path, folder: Path) -> ProductFile:
    """Return the name, hash and size of a file that was made.

    Raises:
        RenderError: It is a link or a pipe.
    """
    name = path.relative_to(folder).as_posix()
    if path.is_symlink() or not path.is_file():
        raise RenderError(f"{name}: the recipe made something that is not a file")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return ProductFile(path=name, sha256=sha256, size_bytes=path.stat().st_size)


def fetch(storage: Storage, need: Need, folder: Path) -> None:
    """Write the files of a product into an empty folder, each checked against its hash.

    Raises:
        ProductError: It is not there as it was made.
        StorageError: It cannot be read or written now.
    """
    manifest = read_manifest(storage, need.product)
    if manifest is None or not is_whole(storage, need.product):
        raise ProductError(need.product, need.made_by, "is gone")
    for file in manifest.files:
        fetch_file(storage, need, file, folder / file.path)


def fetch_file(storage: Storage, need: Need, file: ProductFile, target: Path) -> None:
    """Write one file of a product.

    Raises:
        ProductError: It has other bytes than it was made with.
        StorageError: It cannot be read or written now.
    """
    found = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as copy:
            for piece in storage.read(f"{need.product}/{file.sha256}"):
                found.update(piece)
                copy.write(piece)
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error.strerror}") from error
    if found.hexdigest() != file.sha256:
        raise ProductError(need.product, need.made_by, f"is damaged ({file.path})")


def entries(storage: Storage, product: str) -> Iterator[tuple[str, int]]:
    """Yield the files of a product on storage and their sizes."""
    return ((entry.key, entry.size_bytes) for entry in storage.entries(product))


def unused(storage: Storage, in_use: Collection[str], *, older_than_s: float) -> Iterator[str]:
    """Yield the products that are not `in_use` and were not written to for `older_than_s`."""
    latest_s, newest = time.time() - older_than_s, dict[str, float]()
    for entry in storage.entries(FOLDER):
        product = product_of(entry)
        newest[product] = max(newest.get(product, 0.0), entry.modified_s)
    for product, modified_s in newest.items():
        if product not in in_use and modified_s <= latest_s:
            yield product


def product_of(entry: Entry) -> str:
    """Return which product a file is of."""
    return "/".join(entry.key.split("/")[:2])


def remove(storage: Storage, product: str) -> None:
    """Remove a product: first what says that it is whole."""
    with contextlib.suppress(StorageError):
        storage.delete(f"{product}/{MANIFEST}")
    storage.delete_tree(product)
