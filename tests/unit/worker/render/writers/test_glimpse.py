from __future__ import annotations

from worker.render.writers.glimpse import Turns


def test_a_stream_shows_no_more_pictures_than_people_see():
    seconds = iter((0.0, 0.1, 0.24, 0.25, 0.3, 5.0))
    turns = Turns(0.25, clock=lambda: next(seconds))

    assert [turns.take() for _ in range(6)] == [True, False, False, True, False, True]


def test_a_dataset_shows_each():
    turns = Turns(0.0, clock=lambda: 1.0)

    assert all(turns.take() for _ in range(3))
