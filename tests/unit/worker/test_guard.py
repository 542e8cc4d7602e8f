"""Memory: what a process uses, and when it is too much."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_for
from worker.guard import MemoryGuard, memory_in_use
from worker.limits import machine_memory, memory_bound

if not Path("/proc/self/status").exists():
    pytest.skip("this system does not tell what a process uses", allow_module_level=True)


@pytest.fixture
def sleeper():
    """A process that uses about 50 MB until its input ends."""
    code = "import sys; kept = b'1' * 50_000_000; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_what_a_process_uses_is_known_until_it_is_gone(sleeper):
    assert memory_in_use(sleeper.pid) > 50_000_000
    sleeper.kill()
    sleeper.wait()
    assert memory_in_use(sleeper.pid) is None


def test_a_process_within_its_bound_is_left_alone(sleeper):
    guard = MemoryGuard(most_bytes=500_000_000)
    guard.watch(sleeper.pid)
    guard.start()

    wait_for(lambda: guard.used_bytes[sleeper.pid] > 50_000_000, "it was looked at")
    guard.stop()
    assert sleeper.poll() is None
    assert guard.tell(sleeper.pid) is None


def test_a_process_beyond_its_bound_is_killed_with_a_sentence(sleeper):
    guard = MemoryGuard(most_bytes=40_000_000)
    guard.watch(sleeper.pid)
    guard.start()

    assert sleeper.wait(timeout=30) == -9
    guard.stop()
    assert "of the 40 MB that it may use (FARM_MEMORY_BYTES)" in guard.tell(sleeper.pid)
    assert guard.tell(os.getpid()) is None
    assert guard.tell(None) is None


def test_a_bound_is_what_is_given_or_a_share_of_what_there_is():
    assert memory_bound(1000) == 1000
    assert 0 < memory_bound(None) < machine_memory()
