from __future__ import annotations

import pytest

from farm.local.job.feed import POLL_S, pause_s


def test_what_is_over_soon_is_noticed_soon():
    assert pause_s(1.0) <= 0.05
    assert pause_s(2.0) == pytest.approx(2 * pause_s(1.0))


def test_a_long_run_is_looked_at_no_more_rarely_for_that():
    assert pause_s(3600.0) == POLL_S
