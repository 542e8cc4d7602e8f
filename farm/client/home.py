"""Files of the client on a laptop: the login, the last job, hashes of big files."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_cache_path, user_config_path
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from farm.errors import LoginError, SetupError

APP = "viewfarm"
NO_LOGIN = "there is no login here; run `farm login URL`, or set FARM_URL and FARM_TOKEN"


class ClientSettings(BaseSettings):
    """The environment of a client: `FARM_URL` and `FARM_TOKEN` override the stored login."""

    model_config = SettingsConfigDict(
        env_prefix="FARM_",
        env_ignore_empty=True,  # as a CI's secret that is not set
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    url: str | None = None
    """Address of the farm, such as `https://farm.example`."""
    token: SecretStr | None = None
    """The token to send to that address."""

    @property
    def secret(self) -> str | None:
        """The token itself."""
        return self.token.get_secret_value() if self.token else None

    def overrides(self, login: Login) -> Iterator[str]:
        """Yield a sentence for each part of a stored login that the environment goes before."""
        if self.url and normal_url(self.url) != login.url:
            yield f"FARM_URL is set, too: commands go to {normal_url(self.url)}"
        if self.secret and self.secret != login.token:
            yield "FARM_TOKEN is set to another token: commands use that one"


@dataclass(frozen=True)
class Login:
    """A farm and the token for it."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Home:
    """The user's own folders."""

    config: Path
    cache: Path

    @classmethod
    def of_user(cls) -> Home:
        """Return the folders of this system for that, such as `~/.config/viewfarm`."""
        return cls(user_config_path(APP, appauthor=False), user_cache_path(APP, appauthor=False))

    @property
    def login_file(self) -> Path:
        """Holds the address and the token; only the user can read it."""
        return self.config / "login.json"

    @property
    def hashes_file(self) -> Path:
        """Remembers the hashes of files."""
        return self.cache / "hashes.sqlite"

    def save_login(self, login: Login) -> None:
        """Store a login."""
        _write(self.login_file, {"url": login.url, "token": login.token})

    def forget_login(self) -> bool:
        """Remove the login; say whether there was one."""
        there = self.login_file.exists()
        self.login_file.unlink(missing_ok=True)
        return there

    def stored_login(self) -> Login | None:
        """Return the stored login."""
        data = _read(self.login_file)
        url, token = data.get("url"), data.get("token")
        return Login(url, token) if isinstance(url, str) and isinstance(token, str) else None

    def save_last_job(self, url: str, job_id: str) -> None:
        """Remember the job that was submitted last to a farm."""
        _write(self.config / "last.json", _read(self.config / "last.json") | {url: job_id})

    def last_job(self, url: str) -> str | None:
        """Return the job that was submitted last to a farm."""
        found = _read(self.config / "last.json").get(url)
        return found if isinstance(found, str) else None


def find_login(home: Home, *, url: str | None = None, token: str | None = None) -> Login:
    """Return the login to use: the given one, else the environment's, else the stored one.

    A stored token is only ever sent to the address that it was stored for.

    Raises:
        LoginError: There is no login.
    """
    environment = ClientSettings()
    stored = home.stored_login()
    url = url or environment.url or (stored.url if stored else None)
    if url is None:
        raise LoginError(NO_LOGIN, 401)
    url = normal_url(url)
    token = environment.secret if token is None else token
    if token is None and stored and stored.url == url:
        token = stored.token
    if token is None:
        raise LoginError(
            f"there is no token for {url}; run `farm login {url}`, or set FARM_TOKEN", 401
        )
    return Login(url, check_token(token))


def check_token(token: str) -> str:
    """Return `token` in the form that headers take.

    Raises:
        LoginError: It cannot be a token.
    """
    token = token.strip()
    if not token:
        raise LoginError("the token is missing; copy all of what `farm token` printed", 401)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise LoginError(
            "the token is wrong: it has spaces or unusual characters; copy all of what "
            "`farm token` printed, and nothing else",
            401,
        )
    return token


def normal_url(url: str) -> str:
    """Return the address of a farm without what follows the host and the path.

    Raises:
        SetupError: It is not an address.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is not a number
        usable = False
    if not usable or parts.username or parts.query or parts.fragment:
        raise SetupError(f"{url!r} is not an address such as https://farm.example")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _write(file: Path, data: dict[str, Any]) -> None:
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(data, out)
        partial.replace(file)
    except OSError as error:
        raise SetupError(f"{file}: cannot be written: {error.strerror}") from None
