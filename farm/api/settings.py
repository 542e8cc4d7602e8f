"""Settings in the environment that only the API reads."""

from __future__ import annotations

import os
import re
import tempfile
from ipaddress import ip_network
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from farm.settings import read_environment

HOST = re.compile(r"(\*\.)?[0-9a-z_-]{1,63}(\.[0-9a-z_-]{1,63})*", re.IGNORECASE)


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
    check_room: bool = True
    """Refuse jobs whose files would not fit on the storage, where that is a folder."""
    export_bytes: int = Field(default=40 << 30, gt=0)
    """Most bytes that exports of datasets may take in the spool folder; each may take half of it.
    Older ones make room."""
    asset_grace_s: float = Field(default=86_400.0, ge=0)
    """Time after their upload for which unused files of the library are kept."""
    hosts: str = ""
    """Names under which the farm is reached, separated by `,`, such as `farm.example`; `*.lan` for
    all in a domain. Others are refused; addresses and `localhost` never are. Empty: any name, or,
    where the API listens on this machine alone, none."""
    trusted_proxies: str = ""
    """Addresses or networks of proxies, separated by `,`, which are believed from whom a request
    came (`X-Forwarded-For`). Empty: none is."""
    flower_url: str = Field(default="", pattern=r"^(https?://[^\s<>\"']+)?$")
    """Address at which browsers find Flower, to which the pages lead; empty: they say how to start
    it."""
    shared: bool = True
    """Let users see each other's jobs, datasets and uploads; nobody but an admin changes those of
    others."""
    quota_bytes: int | None = Field(default=None, gt=0)
    """Most bytes of uploads and datasets of one user, where a token says nothing else; left out:
    no limit."""
    views_per_day: int | None = Field(default=None, gt=0)
    """Most views that one user may submit a day, where a token says nothing else; left out: no
    limit."""

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, text: str) -> str:
        for name in split(text):
            if not HOST.fullmatch(name):
                raise ValueError(f"{name!r} is not a name such as farm.example or *.example")
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        for name in split(text):
            try:
                ip_network(name)
            except ValueError:
                raise ValueError(f"{name!r} is not an address or a network") from None
        return text

    @property
    def proxies(self) -> list[str]:
        """The proxies that are believed."""
        return split(self.trusted_proxies)

    @property
    def spool_folder(self) -> Path:
        """The folder for uploads that are not complete yet."""
        return self.spool or Path(tempfile.gettempdir()) / f"farm-spool-{os.getuid()}"

    @property
    def shared_folders(self) -> tuple[PurePosixPath, ...]:
        """The folders whose assets need no upload."""
        return tuple(PurePosixPath(path) for path in self.shared_storage.split(":") if path)


def split(text: str) -> list[str]:
    """Return the parts of a list in the environment."""
    return [part.strip() for part in text.split(",") if part.strip()]


def load_api_settings(**given: Any) -> ApiSettings:
    """Read the environment; `given` values that are not None win.

    Raises:
        SetupError: A variable or a given value is not valid.
    """
    return read_environment(ApiSettings, given)
