"""Fixtures of more than one kind of test."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from farm.local.processes.redis_server import PrivateRedis

HERE = Path(__file__).parent
NEEDS = {
    "celery": [
        "fuzz/test_api.py",
        "fuzz/test_messages.py",
        "chaos",
        "integration",
        "unit/ledger",
        "unit/serve",
        "unit/local/job/test_feed.py",
        "unit/test_affinity.py",
        "unit/test_dispatcher.py",
        "unit/test_flower.py",
        "unit/test_queue.py",
        "unit/worker/attempt",
        "unit/worker/supervisor",
    ],
    "fastapi": [
        "unit/api",
        "unit/dataset/records/test_broken_lines.py",
        "unit/dataset/records/test_current.py",
    ],
    "OpenEXR": [
        "unit/worker/images",
        "chaos",
        "unit/dataset/test_reader.py",
        "unit/dataset/verify/test_kept_is_well.py",
        "unit/library/pictures/test_sphere.py",
        "unit/worker/panorama",
        "unit/worker/test_recipes.py",
        "unit/worker/render",
    ],
    "pycocotools": ["unit/dataset/export"],
    "bpy": ["blender", "e2e"],
    "torch": [
        "unit/dataset/test_torch.py",
        "unit/stream/test_handover.py",
        "unit/stream/test_tensors.py",
        "integration/streams/test_torch.py",
        "integration/test_remote_training.py",
    ],
}
"""What each part of a full install brings; a laptop's install tests the rest."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of a command in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else what is tested ignores it, too
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as under nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

gc.disable()  # thousands of tests are about to be collected, and none of them is garbage

MOST_PROCESSES = 8
"""Each has a Blender of its own, of half a gigabyte and more."""

STALE = {path for paths in NEEDS.values() for path in paths if not (HERE / path).exists()}
assert not STALE, f"NEEDS names what is not there: {STALE}"
MISSING = [package for package in NEEDS if find_spec(package) is None]
collect_ignore = [path for package in MISSING for path in NEEDS[package]]


def pytest_report_header() -> list[str]:
    return [f"without {name}, which is not installed: {', '.join(NEEDS[name])}" for name in MISSING]


def pytest_collection_finish() -> None:
    """Have what was collected, which stays to the end, never looked through for garbage again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)  # the laptop's install and that of PyTorch have no xdist
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `make test` takes: one more than cores, since many tests wait."""
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the commands keep for later is kept apart from what they keep for the person here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


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


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server on the loopback interface."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    from tests.support.places import s3_server

    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def s3_place(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place in a bucket that nothing was put into yet, with the environment to reach it."""
    from tests.support.places import make_place

    return make_place(s3_endpoint, monkeypatch)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty storage's name: what holds of a folder holds of a bucket."""
    if request.param == "folder":
        return str(tmp_path / "root")
    found: str = request.getfixturevalue("s3_place")
    return found


@pytest.fixture
def fake_gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Replace the driver of this process: `fake_gpus("L40S,L40S")`, or `none`, or `broken`."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    path = Path(__file__).parent / "fake_driver" / "pynvml.py"
    spec = spec_from_file_location("pynvml", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return lambda gpus: monkeypatch.setenv("FAKE_GPUS", gpus)
