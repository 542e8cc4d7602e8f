"""Fixtures of more than one kind of test."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from farm.local.redis_server import PrivateRedis

NEEDS = {
    "celery": [
        "integration",
        "unit/ledger",
        "unit/test_dispatcher.py",
        "unit/test_queue.py",
        "unit/worker/test_heart.py",
        "unit/worker/test_tasks.py",
    ],
    "OpenEXR": ["unit/worker/test_passes.py", "unit/worker/test_recipes.py"],
    "bpy": ["blender", "e2e"],
}
"""What each part of a full install brings; a laptop's install tests the rest."""

MISSING = [package for package in NEEDS if find_spec(package) is None]
collect_ignore = [path for package in MISSING for path in NEEDS[package]]


def pytest_report_header() -> list[str]:
    return [f"without {name}, which is not installed: {', '.join(NEEDS[name])}" for name in MISSING]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRedis]:
    """A private Redis with a password, on a free port of the loopback interface."""
    with PrivateRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: PrivateRedis) -> str:
    """The address of an empty Redis."""
    import redis

    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url
