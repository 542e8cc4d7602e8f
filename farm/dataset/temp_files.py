"""Temporary files: what to say where there is no room for them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from farm.errors import StorageError


@contextmanager
def scratch() -> Iterator[None]:
    """Blame the folder of temporary files for what goes wrong with them.

    Raises:
        StorageError: They cannot be written.
    """
    try:
        yield
    except OSError as error:
        place = tempfile.tempdir or "the folder for temporary files"  # None: no folder will do
        reason = error.strerror or str(error)
        raise StorageError(
            f"{place}: cannot be written: {reason}; set TMPDIR to another folder for temporary "
            "files"
        ) from error
