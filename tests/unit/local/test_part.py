from __future__ import annotations

import os
import sys

import pytest

from farm.local.part import FIRST_PAUSE_S, Part
from farm.local.processes import stop
from tests.waiting import wait_for

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
        part = Part("part", command, os.environ, tmp_path / "part.log", clock=clock, **facts)
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
