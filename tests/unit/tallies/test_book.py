from __future__ import annotations

import pytest

from farm.tallies import book as module
from farm.tallies.book import TallyBook, points
from farm.tallies.model import STAGES, LinePoint, Share, Tally


@pytest.fixture
def book(redis_url):
    made = TallyBook(redis_url)
    yield made
    made.close()


def test_what_several_workers_did_is_added_up(book):
    book.add("job", Share(node="a", views=2, timed=1, stages={"sample": 1.5, "load": 0.25}))
    book.add("job", Share(node="b", views=3, timed=3, stages={"sample": 2.0}, spent_s=7.5))
    book.add("job", Share(node="b", spent_s=0.5))
    book.add("other", Share(node="b", views=9))

    told = book.read("job")
    assert (told.views, told.timed) == (5, 4)
    assert {name: s for name, s in told.stages.items() if s} == {"load": 0.25, "sample": 3.5}
    assert [(each.node, each.seconds, each.views) for each in told.workers] == [("b", 8.0, 3)]
    assert sum(point.views for point in told.line) == 5


def test_a_job_of_which_nothing_was_told_has_empty_sums(book):
    told = book.read("job")

    assert told == Tally(stages=dict.fromkeys(STAGES, 0.0))


def test_textures_that_lack_are_told_by_asset(book):
    book.add("job", Share(node="a", missing={"chair.obj": ("wood.png", "seat.png")}))

    assert book.read("job").missing == {"chair.obj": ("wood.png", "seat.png")}


def test_of_very_many_workers_and_assets_the_first_are_told_apart(book, monkeypatch):
    monkeypatch.setattr(module, "MOST_WORKERS", 2)
    monkeypatch.setattr(module, "MOST_TEXTURES", 1)
    for at in range(5):
        missing = {f"{at}.obj": ("wood.png",)}
        book.add("job", Share(node=f"w{at}", views=1, spent_s=1.0 + at, missing=missing))

    told = book.read("job")
    assert {each.node: (each.seconds, each.views) for each in told.workers} == {
        "w0": (1.0, 1),
        "w1": (2.0, 1),
        "": (12.0, 3),
    }
    assert list(told.missing) == ["0.obj"]


@pytest.mark.parametrize("ago_steps", [1, 3, 7, 1000, 10**6])
def test_the_steps_of_the_line_become_longer_so_that_there_are_never_many(
    book, monkeypatch, ago_steps
):
    """A job that began long ago: its first view lies `ago_steps` steps before now."""
    monkeypatch.setattr(module, "MOST_POINTS", 4)
    monkeypatch.setattr(module, "FIRST_STEP_S", 1)
    now = int(book.client.time()[0])
    first = now - ago_steps
    book.client.hset("farm:tally:job:line", mapping={"step": 1, "first": first, first: 8})

    book.add("job", Share(node="a", views=1))

    line = book.read("job").line
    assert 1 <= len(line) <= 4
    assert sum(point.views for point in line) == 9
    assert line[0].start_s <= first < line[0].start_s + max(line[0].seconds, 1) * 2
    assert line[0].views >= 8


def test_steps_without_views_are_told_and_the_newest_is_as_long_as_it_lasts():
    line = {"step": "10", "first": "100", "100": "5", "103": "2"}

    assert points(line, 1034.0) == (
        LinePoint(start_s=1000, seconds=10, views=5),
        LinePoint(start_s=1010, seconds=10, views=0),
        LinePoint(start_s=1020, seconds=10, views=0),
        LinePoint(start_s=1030, seconds=4, views=2),
    )


def test_nothing_of_a_job_is_kept_for_ever(book):
    book.add("job", Share(node="a", views=1, spent_s=1.0, missing={"chair.obj": ("wood.png",)}))

    names = list(book.client.scan_iter("farm:tally:job*"))
    assert len(names) == 5
    assert all(0 < book.client.ttl(name) <= module.KEPT_S for name in names)
    book.forget("job")
    assert list(book.client.scan_iter("farm:tally:job*")) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("", {"views": "many"}), (":line", {"step": "x"}), (":textures", {"a": "{"}), ("", None)],
)
def test_sums_that_somebody_damaged_harm_nobody_and_begin_anew(book, key, value):
    if value is None:
        book.client.set("farm:tally:job", "a text")
    else:
        book.client.hset(f"farm:tally:job{key}", mapping=value)

    assert book.read("job").views == 0
    for _ in range(2):
        book.add("job", Share(node="a", views=1))
    book.read("job")


def test_workers_go_on_where_redis_is_away():
    book = TallyBook("redis://127.0.0.1:1/0")
    book.add("job", Share(node="a", views=1))
    book.close()
