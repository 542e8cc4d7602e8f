"""One run at a time in a place of a bucket, whose objects no system takes back from the dead.

Imported only where a bucket is asked for.
"""

from __future__ import annotations

import contextlib
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from farm.errors import StorageError
from farm.local.folder_lock import LOCK_FILE, taken, this_run
from farm.storage import Storage
from farm.storage.bucket import BucketStorage

log = logging.getLogger(__name__)

RENEW_S = 10.0
"""A run that is alive writes its object anew so often."""
SILENT_S = 35.0
"""Longest time that the object of one may stay as it is: clocks of machines may differ, so it is
watched."""
LOOK_S = 1.0


@dataclass
class BucketHold:
    """A place that is held, until somebody takes it for one of the dead."""

    storage: BucketStorage
    who: str
    on_lost: Callable[[], None]
    """Called when somebody else has it."""
    _over: threading.Event = field(default_factory=threading.Event)
    _count: int = 0

    @property
    def mine(self) -> bytes:
        """What its object holds now."""
        return f"{self.who}\n{self._count}\n".encode()

    def renew_until_over(self) -> None:
        """Show again and again that somebody is alive."""
        while not self._over.wait(RENEW_S):
            try:
                if self.storage.get(LOCK_FILE) != self.mine:
                    self.on_lost()
                    return
                self._count += 1
                self.storage.put(LOCK_FILE, self.mine)
            except StorageError as error:
                log.warning("hold not renewed: %s", error)

    def end(self, renewing: threading.Thread) -> None:
        """Let others in."""
        self._over.set()
        renewing.join()
        with contextlib.suppress(StorageError):
            if self.storage.get(LOCK_FILE) == self.mine:
                self.storage.delete(LOCK_FILE)


@contextmanager
def hold_bucket(
    storage: Storage,
    *,
    note: Callable[[str], None] = lambda _sentence: None,
    on_lost: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Be the only run that writes into a place of a bucket.

    An object in it names that run, which writes it anew all the time; one that stays as it is, is
    of a run that has died.

    Args:
        storage: What to hold.
        note: Takes a sentence where that has to be found out.
        on_lost: Called where another run has taken this one for dead.

    Raises:
        SetupError: Another run writes into it.
        StorageError: It cannot be written.
    """
    assert isinstance(storage, BucketStorage)
    hold = BucketHold(storage, f"{this_run()}\n{secrets.token_hex(8)}", on_lost)
    while not storage.put_new(LOCK_FILE, hold.mine):
        _wait_for_the_dead(storage, note)
    renewing = threading.Thread(target=hold.renew_until_over, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        hold.end(renewing)


def outer_held(storage: Storage) -> Iterator[Storage]:
    """Yield the places around one that a run holds, from the nearest on."""
    place = storage.place
    while place.count("/") > len(("s3:", "", "bucket")) - 1:
        place = place.rpartition("/")[0]
        outer = BucketStorage(place)
        with contextlib.suppress(StorageError):  # it is not ours to look into
            if outer.size(LOCK_FILE) is not None:
                yield outer


def _wait_for_the_dead(storage: BucketStorage, note: Callable[[str], None]) -> None:
    """Remove the object of a run that has died.

    Raises:
        SetupError: It is alive.
    """
    seen = storage.get(LOCK_FILE)
    if seen is None:  # it has just ended
        return
    who = seen.decode(errors="replace").partition("\n")[0][:200]
    note(f"{storage.place}: looking whether another run is alive ({who})")
    for _ in range(math.ceil(SILENT_S / LOOK_S)):  # looks, not seconds: this process may be frozen
        time.sleep(LOOK_S)
        now = storage.get(LOCK_FILE)
        if now is None:
            return
        if now != seen:
            raise taken(storage.place, who, flag="DATASET")
    storage.delete(LOCK_FILE)
