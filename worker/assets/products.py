"""Products on this machine: the one that a task needs, and the folder of the one it makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from farm import products
from farm.errors import StorageError
from farm.products import Manifest
from farm.spec.task import Need
from farm.storage import Storage

MADE = "product-made"
"""Name of the folder in which a renderer makes a product."""
NEEDED = "product-needed"
"""Name of the folder in which it finds one."""


class Products(Protocol):
    """Where products are kept; the verbs are those of `farm.products`."""

    def is_sound(self, product: str) -> bool: ...

    def hold(self, need: Need | None) -> Path | None:
        """Return the folder with the files of a product, in place of the one before."""

    def bring(self, product: str, folder: Path) -> Manifest: ...

    def seal(self, product: str, manifest: Manifest) -> None: ...


@dataclass
class StoredProducts:
    """Products on a storage within reach; a fresh process clears what one before has left."""

    storage: Storage
    folder: Path
    """Where the one that is needed is brought to."""
    _held: str = ""

    def is_sound(self, product: str) -> bool:
        return products.is_sound(self.storage, product)

    def hold(self, need: Need | None) -> Path | None:
        folder = self.folder / NEEDED
        if need is None:
            self._held = ""
            shutil.rmtree(folder, ignore_errors=True)
            return None
        if self._held != need.product or not folder.is_dir():
            self._held = ""
            products.fetch(self.storage, need, emptied(folder))
            self._held = need.product
        return folder

    def bring(self, product: str, folder: Path) -> Manifest:
        return products.bring(self.storage, product, folder)

    def seal(self, product: str, manifest: Manifest) -> None:
        products.seal(self.storage, product, manifest)


@dataclass
class Workshop:
    """What a renderer does with products."""

    products: Products
    folder: Path
    """For temporary files."""
    _holds: bool = field(default=False, init=False)

    def hold(self, need: Need | None) -> Need | None:
        """Return a need with the folder of its files; they stay until the next task's are held.

        Raises:
            ProductError: The product is not there as it was made.
            StorageError: It cannot be read, or not be written here.
        """
        if need is None and not self._holds:
            return None
        self._holds = need is not None
        path = self.products.hold(need)
        return need.model_copy(update={"path": str(path)}) if need else None

    def make(
        self, product: str, make: Callable[[Path], None], *, may_write: Callable[[], None]
    ) -> None:
        """Let a product be made in an empty folder, and store it.

        Args:
            product: Its key prefix.
            make: Writes its files.
            may_write: Raises where somebody else makes it now.

        Raises:
            TaskError: It cannot be made or stored.
        """
        folder = emptied(self.folder / MADE)
        try:
            make(folder)
            may_write()
            manifest = self.products.bring(product, folder)
            may_write()
            self.products.seal(product, manifest)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def emptied(folder: Path) -> Path:
    """Return a folder with nothing in it.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written: {error.strerror}") from error
    return folder
