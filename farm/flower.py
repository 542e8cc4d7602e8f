"""Flower on the farm's Celery application: which worker has which task, and the results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from farm.errors import SetupError
from farm.queue import create_celery
from farm.settings import read_environment

LOOPBACK = ("127.0.0.1", "::1", "localhost")
RUNTIME_BUCKETS_S = (10, 20, 30, 60, 120, 300, 600, 900, 1200, 1800)
"""Bounds of the histogram of task times: Flower's own end at 10 s, where a render begins."""
INSPECT_TIMEOUT_MS = 3000
SAVE_EVERY_MS = 60_000
KEPT_TASKS = 20_000
"""Most tasks that Flower keeps, about 100 MB; it forgets older ones, the ledger does not."""
FORGET_WORKER_S = 3600
COLUMNS = "name,args,state,received,started,runtime,worker,uuid"


class FlowerSettings(BaseSettings):
    """How Flower is set up; each field is an environment variable `FARM_FLOWER_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="FARM_FLOWER_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    auth: SecretStr | None = None
    """`user:password` for logging in."""
    host: str = "127.0.0.1"
    """Address to listen on; other than this machine's own only with `auth`."""
    port: int = Field(default=5555, ge=1, le=65535)
    db: Path | None = None
    """File that keeps Flower's history across restarts."""


def load_flower_settings(**given: Any) -> FlowerSettings:
    """Read the environment; `given` values that are not None win.

    Raises:
        SetupError: A variable or a given value is not valid.
    """
    return read_environment(FlowerSettings, given)


def serve_flower(redis_url: str, settings: FlowerSettings) -> None:
    """Run Flower until it is told to stop.

    Raises:
        SetupError: Strangers could read it.
    """
    arguments = flower_arguments(settings)
    for name in [name for name in os.environ if name.startswith("FLOWER_")]:
        del os.environ[name]  # a second way in for options, which we do not check
    if settings.auth is None:  # on loopback: its API answers without a password then, too
        os.environ["FLOWER_UNAUTHENTICATED_API"] = "1"
    else:
        guard_metrics()
    app = create_celery(redis_url)
    app.start(["--quiet", "flower", *arguments])


def guard_metrics() -> None:
    """Ask for the password on /metrics too, which Flower leaves open."""
    from flower.views.monitor import Metrics
    from tornado.web import authenticated

    Metrics.get = authenticated(Metrics.get)


def flower_arguments(settings: FlowerSettings) -> list[str]:
    """Return Flower's own command line.

    Raises:
        SetupError: Strangers could read it.
    """
    arguments = [
        f"--address={settings.host}",
        f"--port={settings.port}",
        "--conf=/dev/null",  # else a flowerconfig.py of the current folder is executed
        "--read_only=True",  # the farm steers through the ledger; Flower looks
        f"--inspect_timeout={INSPECT_TIMEOUT_MS}",
        f"--max_tasks={KEPT_TASKS}",
        f"--purge_offline_workers={FORGET_WORKER_S}",
        f"--tasks_columns={COLUMNS}",
        "--task_runtime_metric_buckets=" + ",".join(map(str, RUNTIME_BUCKETS_S)),
    ]
    if settings.db is not None:
        settings.db.parent.mkdir(parents=True, exist_ok=True)
        arguments += ["--persistent=True", f"--db={settings.db}"]
        arguments += [f"--state_save_interval={SAVE_EVERY_MS}"]
    if settings.auth is not None:
        arguments += [f"--basic_auth={checked_auth(settings.auth.get_secret_value())}"]
    elif settings.host not in LOOPBACK:
        raise SetupError(
            f"Flower would show the farm to everyone who can reach {settings.host}: "
            "set FARM_FLOWER_AUTH=user:password"
        )
    return arguments


def checked_auth(auth: str) -> str:
    """Return `user:password` as it is.

    Raises:
        SetupError: It is not that, or Flower would split it.
    """
    user, colon, password = auth.partition(":")
    if not (user and colon and len(password) >= 8) or "," in auth:
        raise SetupError(
            "FARM_FLOWER_AUTH: must be user:password with at least 8 characters after the colon "
            "and no comma"
        )
    return auth
