"""Memory: what a process uses, and when it is too much."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from worker.sandbox.rlimits import machine_memory, memory_bound
from worker.supervisor.watchdog import Watchdog, end_family, family, use_of, use_of_one

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
    assert use_of_one(sleeper.pid).memory_bytes > 50_000_000
    sleeper.kill()
    sleeper.wait()
    assert use_of_one(sleeper.pid) is None


def test_a_process_within_its_bound_is_left_alone(sleeper):
    guard = Watchdog(most_bytes=500_000_000, most_threads=1000)
    guard.watch(sleeper.pid)
    guard.start()

    wait_for(lambda: guard.used[sleeper.pid].memory_bytes > 50_000_000, "it was looked at")
    guard.stop()
    assert not adopts_orphans(), "who watches no more adopts no more"
    assert sleeper.poll() is None
    assert guard.tell(sleeper.pid) is None


def test_a_process_beyond_its_bound_is_killed_with_a_sentence(sleeper):
    guard = Watchdog(most_bytes=40_000_000, most_threads=1000)
    guard.watch(sleeper.pid)
    guard.start()

    assert sleeper.wait(timeout=120) == -9
    guard.stop()
    cause, sentence = guard.tell(sleeper.pid)
    assert cause == "memory"
    assert "of the 40 MB that it may use (FARM_MEMORY_BYTES)" in sentence
    assert guard.tell(os.getpid()) is None
    assert guard.tell(None) is None


FORK = """
import os, sys, time

children = 0
while children < int(sys.argv[1]):  # no more than a test bears
    if not os.fork():
        os.close(0)
        time.sleep(600)
    children += 1
sys.stdin.read()
"""


@pytest.fixture
def parent_of():
    """A process that starts so many sleepers; none of them stays."""
    started = []

    def start(children: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", FORK, str(children)], stdin=-1)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            end_family(process.pid)
        process.communicate()


def test_all_that_a_process_started_counts(parent_of):
    process = parent_of(5)

    wait_for(lambda: len(family(process.pid)) == 6, "its children are found")
    assert use_of(family(process.pid)).threads == 6


def test_a_process_that_starts_too_many_is_killed_with_all_of_them(parent_of):
    guard = Watchdog(most_bytes=1 << 40, most_threads=30)
    process = parent_of(60)
    guard.watch(process.pid)
    guard.start()

    assert process.wait(timeout=120) == -9
    guard.stop()
    cause, sentence = guard.tell(process.pid)
    assert cause == "killed"
    assert "more than the 30 allowed (FARM_PROCESSES)" in sentence


def test_what_a_killed_process_started_is_gone_too(parent_of):
    process = parent_of(20)
    wait_for(lambda: len(family(process.pid)) == 21, "its children are found")
    children = family(process.pid)[1:]

    end_family(process.pid)
    process.wait(timeout=120)

    wait_for(lambda: not any(map(is_alive, children)), "all are gone")


LEAVE_BEHIND = """
import os, sys, time

if not os.fork():
    if not os.fork():
        os.close(0)
        time.sleep(600)
    sys.stdin.read()
    os._exit(0)
sys.stdin.read()
os.wait()
"""
WATCH = """
import subprocess, sys
from pathlib import Path
from worker.supervisor.watchdog import Watchdog, family

def start(code):
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)

guard = Watchdog(most_bytes=1 << 40, most_threads=1000)
guard.start()
with start(sys.argv[1]) as renderer:
    guard.watch(renderer.pid)
    while len(guard.seen) < 3:
        pass
    renderer.stdin.close()
with start("import sys; sys.stdin.read()") as next_one:
    left = guard._orphans(next_one.pid)
    guard.watch(next_one.pid)
    while any(Path(f"/proc/{pid}").exists() for pid in left):  # not even as a zombie
        pass
    print(*left, flush=True)
    next_one.stdin.close()
guard.stop()
"""


def test_what_a_renderer_left_behind_is_gone_when_the_next_one_works():
    command = [sys.executable, "-c", WATCH, LEAVE_BEHIND]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)

    wait_for(lambda: not is_alive(int(done.stdout)), "the orphan is gone")


def adopts_orphans() -> bool:
    answer = ctypes.c_int()
    ctypes.CDLL(None).prctl(37, ctypes.byref(answer), 0, 0, 0)  # PR_GET_CHILD_SUBREAPER
    return bool(answer.value)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_bound_is_what_is_given_or_a_share_of_what_there_is():
    assert memory_bound(1000, share=0.8) == 1000
    assert memory_bound(None, share=0.25) == int(machine_memory() * 0.25)
