"""Datasets that commands are given: opened, with a note on those left out."""

from __future__ import annotations

import farm.dataset
from farm.cli.remote.farm_options import err_console, say
from farm.dataset.reader import Dataset


def opened(place: str, *, every: bool) -> Dataset:
    """Open the datasets of a place; say which of them are left out."""
    data = farm.dataset.open_quietly(place, every=every)
    tell_left_out(data)
    return data


def tell_left_out(data: Dataset) -> None:
    """Say which datasets of a place are left out, if any are."""
    if data.note:
        say(err_console(), f"note: {data.note}; --all includes them")
