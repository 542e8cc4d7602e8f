"""The `.farm` folder in the storage of `farm up`: files that it keeps, and its lock."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from farm.errors import SetupError
from farm.spec.base import Spec
from farm.storage import FolderStorage
from farm.storage.file_lock import lock_file
from farm.tokens import TokenBook

USUAL_FOLDER = "farm-storage"
FOLDER = ".farm"
FLOWER_USER = "farm"
LOOK_S = 0.01
"""Pause between two tries to hold a folder that somebody looks at."""


class Secrets(Spec):
    """Secrets that only the owner of the farm may read."""

    redis_password: str = Field(repr=False)
    flower_password: str = Field(repr=False)
    admin_token: str = Field(repr=False)

    @property
    def flower_auth(self) -> str:
        """Return Flower's login as `user:password`."""
        return f"{FLOWER_USER}:{self.flower_password}"


class ProcessState(Spec):
    """One process of a farm that runs here."""

    name: str
    pid: int | None
    problem: str | None = None
    """Why it does not run and will not be started again."""


class UpState(Spec):
    """State of a farm that runs here, as last written by its supervisor."""

    phase: Literal["starting", "ready", "failed"]
    pid: int
    """Process id of the supervisor."""
    url: str
    flower_url: str
    redis_port: int
    devices: tuple[str, ...]
    parts: tuple[ProcessState, ...] = ()
    sentence: str | None = None
    """Why it failed."""


@dataclass(frozen=True)
class FarmFolder:
    """A farm on this machine, known by its folder."""

    storage: Path

    @property
    def folder(self) -> Path:
        return self.storage / FOLDER

    @property
    def log_folder(self) -> Path:
        return self.folder / "log"

    @property
    def redis_folder(self) -> Path:
        return self.folder / "redis"

    @property
    def flower_db(self) -> Path:
        return self.folder / "flower" / "state"

    @property
    def _state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def _secrets_file(self) -> Path:
        return self.folder / "secrets.json"

    def make(self) -> None:
        """Make the folder, for its owner alone.

        Raises:
            SetupError: It cannot be made here.
        """
        try:
            self.log_folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise SetupError(
                f"{self.storage}: cannot be written ({error.strerror}): choose another --storage"
            ) from error

    @property
    def is_new(self) -> bool:
        """Say whether no farm has run here yet."""
        return not self._secrets_file.exists()

    def secrets(self) -> Secrets:
        """Return the passwords and the admin's token, made at the first start."""
        try:
            return Secrets.model_validate_json(self._secrets_file.read_bytes())
        except FileNotFoundError:
            pass
        except ValidationError:
            raise SetupError(
                f"{self._secrets_file}: is damaged; delete it to get new passwords"
            ) from None
        token, _info = TokenBook(FolderStorage(self.storage)).create("farm-up", "admin")
        made = Secrets(
            redis_password=secrets.token_urlsafe(24),
            flower_password=secrets.token_urlsafe(12),
            admin_token=token,
        )
        write_private(self._secrets_file, made.model_dump_json(indent=2))
        return made

    def write_state(self, state: UpState) -> None:
        """Write down the farm's state, for `farm up`, `farm down` and `farm doctor`."""
        write_private(self._state_file, state.model_dump_json(indent=2))

    def state(self) -> UpState | None:
        """Return the state of the farm that runs here; None if none does."""
        return self.last_state() if self.is_held() else None

    def last_state(self) -> UpState | None:
        """Return the last state that the farm wrote down, also when it has ended."""
        try:
            return UpState.model_validate_json(self._state_file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold this folder as the one that runs its farm; the system releases it with the process.

        Raises:
            SetupError: Another process holds it, or the file system cannot tell.
        """
        lock = self._lock()
        try:
            self._state_file.unlink(missing_ok=True)  # of the one before
            yield
        finally:
            os.close(lock)

    def _lock(self) -> int:
        while True:
            try:
                return lock_file(self._lock_file, wait=False)
            except BlockingIOError:
                if self.is_held():
                    break
                time.sleep(LOOK_S)  # somebody else has just asked `is_held`, and may be slow
            except OSError as error:
                raise SetupError(
                    f"{self._lock_file}: cannot be locked ({error.strerror}): "
                    "choose another --storage"
                ) from None
        raise SetupError(f"a farm already runs in {self.storage}: end it with `farm down`")

    def is_held(self) -> bool:
        """Say whether a farm runs in this folder."""
        try:
            os.close(lock_file(self._lock_file, shared=True, wait=False, make=False))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @property
    def _lock_file(self) -> Path:
        return self.folder / "lock"


def write_private(file: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner alone."""
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    partial.replace(file)
