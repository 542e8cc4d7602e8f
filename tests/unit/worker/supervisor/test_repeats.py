"""The same words once a minute, and all others at once."""

from __future__ import annotations

import logging

import pytest

from worker.supervisor.repeats import AGAIN_S, MOST_KEPT, Repeats


@pytest.fixture
def passes():
    """Tells whether words pass, so many seconds after the ones before."""
    now_s = 100.0
    repeats = Repeats(lambda: now_s)

    def ask(words: str, *, later_s: float = 0.0) -> bool:
        nonlocal now_s
        now_s += later_s
        return repeats.filter(logging.LogRecord("n", logging.ERROR, "", 0, words, (), None))

    return ask


def test_the_same_words_pass_once_a_minute(passes):
    assert passes("away")
    assert not passes("away", later_s=1)
    assert passes("back")
    assert not passes("away", later_s=AGAIN_S - 2)
    assert passes("away", later_s=2)


def test_only_so_many_words_are_kept(passes):
    assert all(passes(str(number)) for number in range(MOST_KEPT + 1))
    assert passes("0"), "it was forgotten"
    assert not passes(str(MOST_KEPT))
