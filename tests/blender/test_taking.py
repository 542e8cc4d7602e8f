"""Passes from Blender's memory are those of the file that it would write."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from farm.errors import RenderError
from farm.spec.passes import PassName
from tests.support.blender.shots import changed, some_view, task_of
from worker.blender import cycles as cycles_module
from worker.blender.stages import Stages
from worker.images.multilayer import Delivery, Held, Passes, read_once, read_passes
from worker.recipes import find_recipe

PASSES: tuple[PassName, ...] = (
    "rgb", "mask", "depth", "normal", "index", "material", "position", "uv", "albedo",
)  # fmt: skip


@pytest.fixture
def deliver(blender, statue, sky):
    """Render a view with all passes, and what labels take beside."""

    def run(*, passes=PASSES, **render: object) -> list[Delivery]:
        view = some_view()
        task = task_of(statue, sky, view, **render)
        blender.configure(task.render, passes)
        find_recipe("sod").prepare(task, blender).arrange(view)
        found = [blender.render_view(seed=3)[0]]
        return found + ([blender.render_centres(seed=3)] if blender.wants_centres else [])

    return run


def as_files(monkeypatch) -> None:
    monkeypatch.setattr(cycles_module, "can_take", lambda *_: False)


@pytest.mark.parametrize(
    "render",
    [
        pytest.param({}, id="the whole picture"),
        pytest.param({"background": "looked_up"}, id="a rectangle"),
        pytest.param({"denoise": True, "samples": 4}, id="denoised"),
        pytest.param({"resolution_px": (48, 33)}, id="odd sizes"),
    ],
)
def test_memory_and_file_hold_the_same_numbers(deliver, monkeypatch, render):
    held = deliver(**render)
    with monkeypatch.context() as patch:
        as_files(patch)
        written = deliver(**render)

    assert all(isinstance(each, Held) for each in held)
    assert all(isinstance(each, Path) for each in written)
    for ours, theirs in zip(map(read_once, held), map(read_once, written), strict=True):
        assert_same(ours, theirs)


def assert_same(ours: Passes, theirs: Passes) -> None:
    assert ours.layers.keys() == theirs.layers.keys()
    for name, layer in theirs.layers.items():
        assert ours.layers[name].flags.c_contiguous
        np.testing.assert_array_equal(ours.layers[name], layer, err_msg=name)


def test_no_file_is_written_or_left(blender, deliver):
    found = deliver()

    assert not list(blender._scratch.folder.glob("*.exr"))
    for each in found:
        each.unlink()


def test_seconds_of_sampling_are_those_between_the_first_sample_and_the_end():
    """Cycles writes the same, in hundredths of a second, into its files."""
    clock = iter(range(0, 10_000_000_000, 1_000_000_000))
    stages = Stages(lambda: next(clock))

    for line in ("Initializing", "Updating Scene", "Sample 0/4", "Sample 4/4", "Finished"):
        stages.hear(f"Mem: 2M | {line}")
    stages.end()

    told = [(name, (until - since) / 1e9) for name, since, until in stages.spans()]
    assert told == [("sync", 1.0), ("build", 1.0), ("sample", 1.0), ("hand over", 1.0)]
    assert stages.sample_s == 1.0


def test_sampling_is_measured(deliver):
    (held,) = deliver(passes=("rgb", "mask"))

    assert read_once(held).sample_s > 0


def test_pictures_in_tiles_go_through_files(blender, deliver):
    """Memory does not hold them whole."""
    (tiled,) = deliver(passes=("rgb", "mask"))
    tiled.unlink()
    with changed(blender.scene.cycles, tile_size=32):
        path = blender.render(seed=3)
        picture = read_once(path)
    whole = read_once(blender.render(seed=3))

    assert isinstance(path, Path)
    np.testing.assert_array_equal(picture.layers["Combined"], whole.layers["Combined"])


def test_a_cryptomatte_is_that_of_a_file_whose_header_alone_is_read(blender, deliver, monkeypatch):
    passes = ("rgb", "mask", "normal", "cryptomatte")
    held = deliver(passes=passes)
    left = list(blender._scratch.folder.glob("*.exr"))
    with monkeypatch.context() as patch:
        as_files(patch)
        written = deliver(passes=passes)

    ours, theirs = read_once(held[0]), read_once(written[0])
    assert ours.manifest
    assert ours.manifest == theirs.manifest
    assert ours.cryptomatte_channels == theirs.cryptomatte_channels
    assert len(ours.cryptomatte_channels) == 24
    assert_same(ours, theirs)
    assert_same(read_once(held[1]), read_once(written[1]))
    assert not left


def test_what_was_let_go_cannot_be_read(deliver):
    (held,) = deliver(passes=("rgb", "mask"))
    held.unlink()

    with pytest.raises(RenderError, match="let go"):
        read_passes(held)
    with pytest.raises(RenderError, match="let go"):
        held.unlink()
    held.unlink(missing_ok=True)


def test_a_render_that_delivers_nothing_is_an_error(blender, deliver, monkeypatch):
    deliver(passes=("rgb", "mask"))[0].unlink()
    monkeypatch.setattr("worker.blender.taking.Taken.take", lambda self, engine: None)

    with pytest.raises(RenderError, match="Blender delivered no picture"):
        blender.render(seed=1)


def test_nobody_listens_between_renders(blender, deliver):
    deliver(passes=("rgb", "mask"))[0].unlink()

    assert not any("Stages" in repr(each) for each in bpy.app.handlers.render_stats)
