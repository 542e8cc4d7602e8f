from __future__ import annotations

import threading
from pathlib import Path

import pytest

from farm.client import Client
from farm.client.home import Home, Login
from farm.spec.wire import JobInfo
from farm.stream import Stream
from tests.integration.api.test_jobs import ServedFarm
from tests.support.farms.api_server import HDR, MODEL

LEASE_TTL_S = 5.0
"""For which a worker may be silent: the machine stops for seconds where it is busy."""
SILENCE_S = 120.0
"""For which streams may be silent where no test is about that: workers start slowly."""


class StreamingFarm(ServedFarm):
    """A farm whose workers hand on samples of one colour; `stream` begins a stream there."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        super().__init__(redis_url, folder, lease_ttl_s=LEASE_TTL_S)
        self.name = folder.name
        self.assets = folder / "assets"
        self.assets.mkdir()
        (self.assets / "chair.blend").write_bytes(MODEL)
        (self.assets / "studio.exr").write_bytes(HDR)

    def environment(self):
        return super().environment() | {
            "FARM_RENDERER": "tests.support.farms.streamer:open_streamer",
            "FARM_STREAM_BYTES": str(1 << 20),
        }

    def stream(self, *, views: int = 8, per_task: int = 4, **options) -> Stream:
        spec = {
            "models": [str(self.assets / "chair.blend")],
            "hdrs": [str(self.assets / "studio.exr")],
            "recipe": {"yaw": views, "pitch": 1},
            "passes": ["rgb"],
            "views_per_task": per_task,
        }
        return Stream(spec, farm=self.api.url, **{"queue": 8, "timeout_s": SILENCE_S} | options)

    def client_job(self, job_id: str) -> JobInfo:
        with Client(self.api.url) as client:
            return client.job(job_id)

    def log_in(self) -> None:
        Home.of_user().save_login(Login(self.api.url, self.api.tokens["submit"]))

    def made(self) -> dict[int, int]:
        """Return how often each view was made, by its number."""
        return {int(file.name): len(file.read_text()) for file in (self.storage / "made").iterdir()}

    def story(self, stream: Stream) -> str:
        """Return all that is known of why a stream does not go on."""
        threads = sorted(thread.name for thread in threading.enumerate())
        told = (stream.state(), self.show(stream.job_id), self.made(), threads, self.words())
        return "\n".join(map(str, told))


@pytest.fixture
def farm(redis_url, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FARM_TOKEN", raising=False)
    monkeypatch.delenv("FARM_URL", raising=False)
    with StreamingFarm(redis_url, tmp_path) as running:
        running.log_in()
        yield running
