from __future__ import annotations

import pytest

from farm.errors import UnreachableError
from farm.glimpses import KEPT, LARGEST_BYTES, Glimpse, GlimpseBook, shown_of
from tests.builders import a_record


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


def test_whoever_listens_hears_of_each_picture_of_the_jobs_they_want(book):
    heard = book.heard(lambda job: job == "job")
    assert next(heard) is None  # they listen
    show(book, 1, job="other")
    show(book, 2)

    job, glimpse = next(each for each in heard if each is not None)
    assert (job, glimpse.number, glimpse.view) == ("job", 1, "v2")
    heard.close()


def test_whoever_listens_is_told_that_redis_is_away():
    book = GlimpseBook("redis://127.0.0.1:1/0")

    with pytest.raises(UnreachableError):
        next(book.heard(lambda _job: True))


def test_of_each_pass_the_picture_for_people_is_shown_and_of_arrays_none():
    record = a_record(files={"rgb": b"r", "depth": b"d", "normal": b"n", "tracks": b"t"})
    preview = record.files["rgb"].model_copy(update={"path": "previews/depth/v.png"})
    record = record.model_copy(update={"previews": {"depth": preview}})

    shown = shown_of(record, "cups/")

    assert {name: file.path for name, file in shown.items()} == {
        "rgb": "cups/images/view_000.png",
        "depth": "cups/previews/depth/v.png",
        "normal": "cups/normal/view_000.png",
    }
