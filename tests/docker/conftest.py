"""One stack of containers for all tests of this folder: `make test-docker`, not `make test`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.docker.stack import Stack
from tests.e2e.conftest import assets  # noqa: F401 - the same tiny files


def docker_is_here() -> bool:
    if shutil.which("docker") is None:
        return False
    asked = ["docker", "compose", "ls", "--quiet"]  # needs the engine and Compose 2
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A farm of containers with two CPU workers; gone in the end, whatever happened."""
    if not docker_is_here():
        pytest.fail("these tests need a Docker engine that runs, and Docker Compose 2")
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.build()
        stack.up()
        yield stack
    except AssertionError:
        print(stack.logs())
        raise
    finally:
        stack.down()
        print()
        for what, how_much in stack.measured.items():
            print(f"{what:<24} {how_much}")
