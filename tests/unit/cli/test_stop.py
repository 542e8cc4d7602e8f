"""Signals to a run that renders here."""

import signal

import pytest
from rich.console import Console

from farm.cli.render_run import stop_on_signal


def test_the_first_signal_asks_and_the_second_insists():
    with stop_on_signal(Console(quiet=True)) as stop:
        signal.raise_signal(signal.SIGHUP)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGHUP)


def test_what_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signal(Console(quiet=True)) as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
