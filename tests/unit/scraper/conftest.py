"""The command line against sites on the loopback interface, with a clock of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farm.cli.main import make_app
from farm.errors import FarmError
from tests.support.sites import FakeBlenderKit, FakePolyHaven


@dataclass
class FakeClock:
    """Time that passes only by sleeping."""

    now: float = 1_795_000_000.0
    slept: list[float] = field(default_factory=list)

    def now_s(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self):
        return json.loads(self.stdout)


@dataclass
class Assets:
    """`farm assets ...` in a folder of its own."""

    folder: Path
    clock: FakeClock

    def __call__(self, *args: object) -> Done:
        result = CliRunner().invoke(make_app(), ["assets", *map(str, args)], obj=self.clock)
        if isinstance(result.exception, FarmError):
            return Done(2, result.stdout, f"{result.stderr}error: {result.exception}\n")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"

    def files(self) -> set[str]:
        """All that a user sees in the folder of downloads."""
        return {
            path.relative_to(self.downloads).as_posix()
            for path in self.downloads.rglob("*")
            if path.is_file() and not path.name.startswith(".farm-assets")
        }


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Assets:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    # a test that forgets its site must not reach a real one
    monkeypatch.setenv("BLENDERKIT_SERVER", "http://127.0.0.1:9")
    monkeypatch.setenv("POLYHAVEN_SERVER", "http://127.0.0.1:9")
    monkeypatch.delenv("BLENDERKIT_API_KEY", raising=False)
    return Assets(tmp_path, clock)


@pytest.fixture
def blenderkit(assets: Assets, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBlenderKit]:
    site = FakeBlenderKit()
    monkeypatch.setenv("BLENDERKIT_SERVER", site.address)
    with site.running():
        yield site


@pytest.fixture
def polyhaven(assets: Assets, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePolyHaven]:
    site = FakePolyHaven()
    monkeypatch.setenv("POLYHAVEN_SERVER", site.address)
    with site.running():
        yield site
