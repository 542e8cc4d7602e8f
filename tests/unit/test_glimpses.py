from __future__ import annotations

import pytest

from farm.glimpses import KEPT, LARGEST_BYTES, Glimpse, GlimpseBook


@pytest.fixture
def book(redis_url):
    made = GlimpseBook(redis_url)
    yield made
    made.close()


def show(book, number, job="job"):
    glimpse = Glimpse(view=f"v{number}", title="a\nb", caption="c")
    book.show(job, glimpse, b"RIFF\n%d" % number)


def test_the_newest_come_first_and_their_pictures_are_whole(book):
    for number in range(1, 4):
        show(book, number)
    show(book, 9, job="other")

    assert [(each.number, each.view) for each in book.newest("job")] == [
        (3, "v3"), (2, "v2"), (1, "v1"),
    ]  # fmt: skip
    assert book.picture("job", 2) == b"RIFF\n2"
    assert book.newest("job")[0].title == "a\nb"


def test_a_job_keeps_only_so_many(book):
    for number in range(1, KEPT + 3):
        show(book, number)

    assert len(book.newest("job")) == KEPT
    assert book.picture("job", 1) is None
    assert book.picture("job", KEPT + 2) is not None


def test_what_is_too_large_is_left_out(book):
    book.show("job", Glimpse(view="v", title="t", caption=""), bytes(LARGEST_BYTES + 1))

    assert book.newest("job") == ()


def test_a_renderer_goes_on_while_redis_is_away(tmp_path):
    book = GlimpseBook("redis://127.0.0.1:1/0")

    book.show("job", Glimpse(view="v", title="t", caption=""), b"x")
    book.close()
