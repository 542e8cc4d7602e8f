"""How many threads finish views, and that so many do."""

from __future__ import annotations

import threading

import pytest

from tests.builders import a_record, a_view
from worker.images.multilayer import Held, Passes
from worker.recipes import Shot, Stage
from worker.render import views as views_module
from worker.render.views import finishers, render_views

MEGAPIXEL = 1 << 20


@pytest.mark.parametrize(
    ("on_gpu", "cores", "pixels", "threads"),
    [
        pytest.param(False, 1, MEGAPIXEL, 1, id="there is always one"),
        pytest.param(False, 2, MEGAPIXEL, 1, id="the CPU renders: a core is left to it"),
        pytest.param(False, 64, MEGAPIXEL, 4, id="the CPU renders: four at most"),
        pytest.param(True, 2, MEGAPIXEL, 2, id="a GPU renders: all cores"),
        pytest.param(True, 64, MEGAPIXEL, 8, id="a GPU renders: eight at most"),
        pytest.param(True, 64, 4 * MEGAPIXEL, 4, id="large pictures take memory"),
        pytest.param(True, 64, 64 * MEGAPIXEL, 4, id="and never fewer than before"),
    ],
)
def test_threads_suit_the_device_the_cores_and_the_picture(
    monkeypatch, on_gpu, cores, pixels, threads
):
    monkeypatch.setattr(views_module, "cpu_count", lambda: cores)

    assert finishers(on_gpu=on_gpu, pixels=pixels) == threads


class Quick(Stage):
    """A renderer that is done at once."""

    wants_centres = wants_behind = has_own_picture = False
    passes = ("rgb",)

    def arrange(self, view):
        return Shot(camera=a_record(view).camera, gain=1.0, true_strength=False)

    def render_view(self, *, seed):
        return Held(Passes({}, sample_s=0.0)), None


class Together:
    """A finisher that is only done when so many work at once."""

    def __init__(self, count: int) -> None:
        self.barrier = threading.Barrier(count, timeout=120)
        self.finished: list[str] = []

    def passes_of(self, view):
        return None

    def finish(self, rendered, around):
        self.barrier.wait()
        self.finished.append(rendered.view.name)


class OurLease:
    def confirm(self) -> None:
        """It is ours."""


def test_as_many_threads_as_are_asked_for_finish_views_beside_the_renderer():
    finisher, quick = Together(6), Quick()
    views = [a_view(index) for index in range(12)]

    render_views(views, quick, quick, finisher=finisher, lease=OurLease(), load_s=0.0, threads=6)  # type: ignore[arg-type]

    assert sorted(finisher.finished) == sorted(view.name for view in views)
