"""Events are the steps of log intensity between pictures, at the times at which it passes them."""

from __future__ import annotations

import numpy as np
import pytest

from farm.arrays import row_type
from farm.spec.passes import PASSES
from worker.labels.events import DARK, EVENT, EventSensor


def picture(*lights):
    """A picture of one row, whose log intensities are these."""
    row = np.exp(np.array(lights, dtype=np.float64)) - DARK
    return np.repeat(row[None, :, None], 3, axis=-1).astype(np.float32)


def events_of(threshold, *pictures):
    sensor = EventSensor(threshold)
    for time_s, logs in pictures:
        sensor.see(picture(*logs), time_s)
    return sensor.events()


def test_times_are_those_at_which_the_intensity_passes_each_step():
    events = events_of(0.2, (1.0, [0.0, 0.0]), (2.0, [0.5, -0.25]))
    assert events["t"] == pytest.approx([1.4, 1.8, 1.8])
    assert events[["x", "y", "p"]].tolist() == [(0, 0, 1), (0, 0, 1), (1, 0, -1)]


def test_what_is_left_of_a_step_counts_for_the_next():
    events = events_of(0.2, (0.0, [0.0]), (1.0, [0.15]), (2.0, [0.25]), (3.0, [0.3]))
    assert events["t"] == pytest.approx([1.5]), "0.2 is passed half-way from 0.15 to 0.25"


def test_a_turn_back_is_measured_from_the_last_event():
    events = events_of(0.2, (0.0, [0.0]), (1.0, [0.39]), (2.0, [0.01]), (3.0, [-0.21]))
    assert events["p"].tolist() == [1, -1, -1]
    assert events["t"] == pytest.approx([0.2 / 0.39, 2 + 0.01 / 0.22, 2 + 0.21 / 0.22])


def test_a_step_of_exactly_the_threshold_counts():
    events = events_of(0.2, (0.0, [0.0] * 4), (1.0, [0.2, -0.2, 0.4, 0.6]))
    assert np.bincount(events["x"]).tolist() == [1, 1, 2, 3]
    assert events["t"].max() <= 1.0


def test_black_white_and_infinite_light_are_no_trouble():
    sensor = EventSensor(1.0)
    for time_s, light in enumerate((0.0, np.inf, -1.0, 1e30)):
        sensor.see(np.full((1, 1, 3), light, np.float32), float(time_s))
    events = sensor.events()
    assert np.isfinite(events["t"]).all()
    assert events["p"].tolist() == [1] * 20 + [-1] * 20 + [1] * 20


def test_a_still_picture_makes_none():
    assert len(events_of(0.01, *[(float(t), [0.3, -2.0]) for t in range(4)])) == 0
    assert EventSensor(0.2).events().dtype == EVENT


def test_files_hold_events_as_they_are():
    assert row_type(PASSES["events"].columns) == EVENT
