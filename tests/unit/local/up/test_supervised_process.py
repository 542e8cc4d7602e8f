from __future__ import annotations

import os
import sys

import pytest

from farm.local.processes.children import stop
from farm.local.up.supervised_process import FIRST_PAUSE_S, SupervisedProcess
from tests.support.waiting import wait_for

STAYS = "import time; time.sleep(600)"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def a_part(tmp_path, clock):
    """A part that runs some Python; its process is gone after the test."""
    made = []

    def make(script, **facts):
        command = [sys.executable, "-c", script]
        part = SupervisedProcess(
            "part", command, os.environ, tmp_path / "part.log", clock=clock, **facts
        )
        part.start()
        made.append(part)
        return part

    yield make
    stop([part.process for part in made if part.process], grace_s=0)


def test_a_part_that_dies_is_started_again(a_part, clock):
    part = a_part(STAYS)
    first = part.process
    first.kill()

    wait_for(part.keep, "its death is noticed")
    assert part.state().pid is None
    assert not part.keep(), "not at once"
    clock.now_s += FIRST_PAUSE_S
    assert part.keep()

    assert part.state().pid not in (None, first.pid)


def test_a_part_that_dies_again_and_again_is_started_ever_more_slowly(a_part, clock):
    part = a_part("raise SystemExit(1)")
    pauses = []
    for _round in range(7):
        wait_for(part.keep, "its death is noticed")
        pauses.append(part.again_s - clock.now_s)
        clock.now_s = part.again_s
        assert part.keep()

    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_a_part_that_cannot_run_here_is_left_alone_and_says_why(a_part, clock):
    part = a_part("import sys; print('error: no such GPU'); raise SystemExit(3)", hopeless_exit=3)

    wait_for(part.keep, "its end is noticed")
    clock.now_s += 1000

    assert not part.keep()
    assert part.state().problem == "no such GPU"


def test_a_long_log_is_put_aside_while_its_part_goes_on(a_part, monkeypatch, tmp_path):
    monkeypatch.setattr("farm.local.up.supervised_process.LONGEST_LOG_BYTES", 1000)
    talks = "import sys, time\nwhile True: print('x' * 99, flush=True); time.sleep(0.001)"
    part = a_part(talks)
    aside = tmp_path / "part.log.1"

    wait_for(lambda: part.keep() or aside.exists(), "the log is put aside")
    wait_for(lambda: part.log_file.stat().st_size, "the part goes on")

    assert part.process.poll() is None
    assert aside.stat().st_size > 1000
    assert b"\0" not in part.log_file.read_bytes(), "no hole where the old lines were"
