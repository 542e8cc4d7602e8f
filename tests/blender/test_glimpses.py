"""The small pictures that a worker sends while it renders, of datasets, streams and scripts."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("bpy")

from PIL import Image

from farm import expand
from farm.spec.stream import TaskStream
from farm.storage import FolderStorage
from tests.support.blender.scripted import ORBIT, a_script_job, script_asset
from tests.support.blender.shots import OurLease, some_view, task_of
from worker.render.task import render_task
from worker.render.writers.glimpse import LONGEST_PX


class Sink:
    """Takes the samples of a stream."""

    def has(self, job_id: str, number: int) -> bool:
        return False

    def put(self, job_id: str, number: int, message: object) -> None:
        """Nobody reads them."""


class Audience(OurLease):
    """Who is shown pictures, and who counts views: in which order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.shown: list[tuple[str, object, bytes]] = []

    def view_done(self, *_told: object) -> None:
        self.heard.append("counted")

    def show(self, job_id: str, glimpse: object, webp: bytes) -> None:
        self.heard.append("shown")
        self.shown.append((job_id, glimpse, webp))


def rendered(blender, task, folder):
    audience = Audience()
    render_task(
        task,
        session=blender,
        storage=FolderStorage(folder),
        attempt=1,
        worker="here",
        lease=audience,
        sink=Sink(),
        show=audience.show,
    )
    return audience


def pixels(webp: bytes):
    return np.asarray(Image.open(io.BytesIO(webp)))


def test_a_picture_is_there_before_its_view_counts(blender, statue, sky, tmp_path):
    """A page that hears of the view finds the picture, and each pass by its hash."""
    task = task_of(statue, sky, some_view())
    task = task.model_copy(
        update={"dataset": "datasets/job/cups", "passes": ("rgb", "mask", "depth")}
    )
    audience = rendered(blender, task, tmp_path)

    assert audience.heard == ["shown", "counted"]
    [(job, glimpse, webp)] = audience.shown
    assert (job, glimpse.view, glimpse.dataset) == ("job", "view_0", "cups")
    assert set(glimpse.pictures) == {"rgb", "mask", "depth"}
    for file in glimpse.pictures.values():
        assert (tmp_path / "datasets" / "job" / file.path).is_file()
    assert pixels(webp).shape == (64, 64, 3)


def test_a_view_of_labels_alone_is_shown_by_its_first(blender, statue, sky, tmp_path):
    task = task_of(statue, sky, some_view()).model_copy(update={"passes": ("depth", "normal")})

    [(_, _, webp)] = rendered(blender, task, tmp_path).shown
    assert pixels(webp).std() > 5


def test_a_large_picture_is_sent_small(blender, statue, sky, tmp_path):
    task = task_of(statue, sky, some_view(), resolution_px=(256, 128), samples=1)

    [(_, _, webp)] = rendered(blender, task, tmp_path).shown
    assert pixels(webp).shape == (LONGEST_PX // 2, LONGEST_PX, 3)


def test_streams_show_pictures_without_files(blender, statue, sky, tmp_path):
    task = task_of(statue, sky, some_view())
    streamed = task.model_copy(update={"stream": TaskStream(first=0, encoding="arrays")})
    audience = rendered(blender, streamed, tmp_path)

    assert audience.heard == ["shown", "counted"]
    [(_, glimpse, webp)] = audience.shown
    assert glimpse.pictures == {}
    assert pixels(webp).shape == (64, 64, 3)


def test_scripts_show_their_views(blender, tmp_path):
    job = a_script_job(script_asset(tmp_path, ORBIT), passes=("index",), views_per_task=3)
    [task] = expand.expand(job)
    audience = rendered(blender, task, tmp_path / "storage")

    assert [glimpse.view for _, glimpse, _ in audience.shown] == [view.name for view in task.views]
    assert all(pixels(webp).shape == (64, 64, 3) for _, _, webp in audience.shown)
