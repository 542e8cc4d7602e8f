"""What the farm lets the process of a script show of its views."""

from __future__ import annotations

import pytest

from farm.errors import TaskError
from farm.glimpses import Glimpse, ShownFile
from tests.builders import a_task
from worker.sealed.door import Door

WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "


@pytest.fixture
def shown():
    return []


@pytest.fixture
def door(shown):
    task = a_task(dataset="datasets/job/cups", title="cups", views=2)
    return Door(task, None, None, attempt=1, show=lambda *told: shown.append(told))


def told(view="view_000", **changes):
    return Glimpse(view=view, title="t", caption="c", **changes).model_dump_json()


def test_a_view_is_shown_in_the_words_of_the_farm(door, shown):
    own = ShownFile(path="cups/images/view_000.png", sha256="a" * 64)
    of_others = ShownFile(path="cups/../../other/images/v.png", sha256="b" * 64)

    door("show", [told(pictures={"rgb": own, "mask": of_others}, task_id="x")], WEBP)

    [(job, glimpse, data)] = shown
    assert (job, data) == ("job", WEBP)
    assert (glimpse.title, glimpse.task_id) == ("cups", "vase-studio-0000")
    assert (glimpse.pictures, glimpse.dataset) == ({"rgb": own}, "cups")


@pytest.mark.parametrize(
    ("words", "data"),
    [
        pytest.param(told(view="other"), WEBP, id="a view of another task"),
        pytest.param(told(), b"<svg>", id="no WebP"),
        pytest.param("{", WEBP, id="no words"),
    ],
)
def test_anything_else_is_refused(door, shown, words, data):
    with pytest.raises(TaskError):
        door("show", [words], data)

    assert shown == []


def test_each_view_is_shown_once(door, shown):
    door("show", [told()], WEBP)

    with pytest.raises(TaskError):
        door("show", [told()], WEBP)
    assert len(shown) == 1
