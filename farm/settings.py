"""The environment, read once: `FARM_*`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from farm.errors import SetupError

T = TypeVar("T", bound=BaseSettings)


class Settings(BaseSettings):
    """How a process of the farm is set up; each field is an environment variable `FARM_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="FARM_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    """Where the queue and the ledger live: `redis://:password@host:port/0`."""
    storage: str = "datasets"
    """Storage that all workers share and datasets are written to: a folder or `s3://bucket/prefix`."""
    device: str = "auto"
    """Device that this worker renders on: `auto`, `cpu`, `cuda:N` or `optix:N`."""
    require_gpu: bool = False
    """Refuse to start if `auto` finds no GPU, instead of rendering on the CPU."""
    kernel_cache: Path | None = None
    """Folder in which the driver keeps the kernels that it compiles; left out: its default."""
    name: str | None = None
    """Name of this worker, unique on its machine; left out: its device."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads for Cycles; left out: all."""
    scratch: Path | None = None
    """Folder for temporary files, best in memory; left out: the system's."""
    cache: Path | None = None
    """Folder on this machine for assets from the library, which its workers may share; left out:
    `~/.cache/viewfarm/assets`."""
    cache_bytes: int = Field(default=32 << 30, ge=0)
    """Bytes of the cache that files from a bucket and corrected HDRIs may take."""
    task_logs: bool = True
    """Keep the log of each attempt on the storage, under `jobs/<job>/log/`."""
    lease_ttl_s: float = Field(default=10.0, gt=0)
    """Silence after which a worker loses its tasks."""
    task_timeout_s: float = Field(default=43200.0, gt=0)
    """Longest time for any attempt, whatever it has to do."""
    task_timeout_scale: float = Field(default=1.0, gt=0)
    """Factor on the time limit of an attempt, which depends on its work: 10 minutes, and 30 times
    the estimate of its views."""
    memory_bytes: int | None = Field(default=None, ge=1)
    """Most memory of a renderer: one that uses more is killed, and one that used half of it is
    renewed after its task; left out: a share of the machine's memory, or of the container's."""
    memory_share: float = Field(default=0.8, gt=0, le=1)
    """That share; `farm render` and `farm up` divide it among their workers."""
    processes: int = Field(default=4096, ge=1)
    """Most threads of a renderer and the processes that it started; one with more is killed."""
    script_log: Path | None = None
    """File to which what users' scripts print is added, beside the logs of their tasks."""
    script_timeout_s: float = Field(default=300.0, gt=0)
    """Longest time for a function of a user's script to return (recipe `script`)."""
    sandbox: Literal["auto", "require", "off"] = "auto"
    """Let a renderer write only to its own folders and start no programs: if the system can
    (`auto`), or else refuse to start (`require`), or not at all (`off`)."""
    read_wall: Literal["auto", "require", "off"] = "auto"
    """Let a renderer read only its task's assets and its own software: if the system can (`auto`),
    or else refuse to start (`require`), or not at all (`off`). Not done if `sandbox` is off."""
    shared_storage: str = ""
    """Folders, separated by `:`, whose assets are submitted without an upload: those that a
    renderer behind the read wall may read for such a task."""
    stop_timeout_s: float = Field(default=45.0, ge=0)
    """Longest time for a worker that is asked to stop to finish the current view."""
    renderer: str = "worker.attempt.renderer:open_blender"
    """Renderer to use, as `module:function`: called once with these settings, it returns a
    `worker.attempt.celery_task.Renderer`. A seam for tests and for other renderers."""
    stream_bytes: int = Field(default=256 << 20, ge=1 << 20)
    """Most bytes of samples of streams that wait for consumers, of all streams together; the same
    for all processes of a farm."""
    stream_folder: Path | None = None
    """Folder in memory through which samples of streams go to consumers, where all of these run on
    this machine; left out: they go through Redis."""
    alive_file: Path | None = None
    """File that the dispatcher touches at every step, so that others see that it does not hang."""
    worker_id: str = ""
    """Set by a worker for its own child; leave it alone."""

    @property
    def shared_folders(self) -> tuple[Path, ...]:
        """The folders whose assets need no upload."""
        return tuple(Path(path).absolute() for path in self.shared_storage.split(":") if path)

    def environment(self) -> dict[str, str]:
        """Return the settings as environment variables, for a child process."""
        values = self.model_dump()
        values["redis_url"] = self.redis_url.get_secret_value()
        return {
            f"FARM_{name.upper()}": str(value)
            for name, value in values.items()
            if value is not None
        }


def load_settings(**given: Any) -> Settings:
    """Read the environment; `given` values that are not None win.

    Raises:
        SetupError: A variable or a given value is not valid.
    """
    return read_environment(Settings, given)


def read_environment(kind: type[T], given: Mapping[str, Any]) -> T:
    """Return the settings of one `kind`; `given` values that are not None win.

    Raises:
        SetupError: A variable or a given value is not valid.
    """
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        prefix = kind.model_config.get("env_prefix", "")
        reason = first["msg"].removeprefix("Value error, ")
        raise SetupError(f"{prefix}{name}: {reason}; correct it and try again") from None
