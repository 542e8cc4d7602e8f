from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.client import Client
from farm.client.home import Home
from tests.unit.client.small_farm import TOKEN, SmallFarm


@pytest.fixture
def small() -> Iterator[SmallFarm]:
    with SmallFarm() as farm:
        yield farm


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Folders of a user who has no login."""
    for name in ("FARM_URL", "FARM_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Home(tmp_path / "config", tmp_path / "cache")


@pytest.fixture
def client(small: SmallFarm, home: Home) -> Iterator[Client]:
    """Knows the farm, and does not wait long between two tries."""
    with Client(small.url, TOKEN, home=home, patience_s=120.0) as client:
        client.connection.first_wait_s = 0.001
        yield client


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with two models and an HDR environment."""
    folder = tmp_path / "models"
    (folder / "tex").mkdir(parents=True)
    (folder / "chair.obj").write_text("mtllib chair.mtl\nv 0 0 0\n")
    (folder / "chair.mtl").write_text("map_Kd tex/wood.png\n")
    (folder / "tex/wood.png").write_bytes(b"wood" * 300)
    (folder / "table.stl").write_bytes(b"table" * 100)
    (folder / "sky.hdr").write_bytes(b"sky" * 500)
    return folder
