"""Settings in the environment that only the API reads."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from farm.settings import read_environment


class ApiSettings(BaseSettings):
    """Limits and places of the API; each field is an environment variable `FARM_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="FARM_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    shared_storage: str = ""
    """Folders, separated by `:`, that workers see under the same path: assets in them may be
    submitted without an upload. Empty: nothing may."""
    spool: Path | None = None
    """Folder for uploads that are not complete yet; left out: one in the system's folder for
    temporary files."""
    max_asset_bytes: int = Field(default=16 << 30, gt=0)
    """Largest file that may be uploaded."""
    max_submission_bytes: int = Field(default=32 << 20, gt=0)
    """Largest spec with its assets."""
    max_tasks: int = Field(default=5_000_000, gt=0)
    """Most tasks of a job."""
    asset_grace_s: float = Field(default=86_400.0, ge=0)
    """Time after their upload for which unused files of the library are kept."""

    @property
    def spool_folder(self) -> Path:
        """The folder for uploads that are not complete yet."""
        return self.spool or Path(tempfile.gettempdir()) / f"farm-spool-{os.getuid()}"

    @property
    def shared_folders(self) -> tuple[PurePosixPath, ...]:
        """The folders whose assets need no upload."""
        return tuple(PurePosixPath(path) for path in self.shared_storage.split(":") if path)


def load_api_settings(**given: Any) -> ApiSettings:
    """Read the environment; `given` values that are not None win.

    Raises:
        SetupError: A variable or a given value is not valid.
    """
    return read_environment(ApiSettings, given)
