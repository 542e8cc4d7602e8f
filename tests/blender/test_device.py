"""What a device must do before it takes work, and what happens when its memory runs out."""

from __future__ import annotations

from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from farm.errors import DeviceError, GpuMemoryError, RenderError
from farm.ledger.policy import CAUSES
from tests.support.blender.shots import again, some_render, some_view, task_of
from worker.blender import cycles as cycles_module
from worker.blender import gpu_memory, test_card
from worker.images.multilayer import read_passes
from worker.recipes import find_recipe
from worker.render.self_test import TOLERANCE, prove_device

FULL = "Error: System is out of GPU memory"


def test_a_device_that_renders_what_it_should_is_taken_and_nothing_is_left_behind(blender):
    blender.free_model()
    before = {block.name for block in bpy.data.objects}

    prove_device(blender)

    assert {block.name for block in bpy.data.objects} == before
    assert not any(light.name.startswith("test card") for light in bpy.data.lights)


def test_a_device_that_cannot_render_is_refused(blender, monkeypatch, tmp_path):
    occupied = tmp_path / "file"
    occupied.touch()
    monkeypatch.setattr(blender._scratch, "new_file", lambda need: occupied / "picture.exr")
    monkeypatch.setattr(cycles_module, "can_take", lambda *_: False)

    with pytest.raises(DeviceError, match=r"^cpu \(CPU\) fails: "):
        prove_device(blender)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SUN", 3.6, id="brighter"),
        pytest.param("COLOUR", (0.8, 0.4, 0.4, 1.0), id="another colour"),
        pytest.param("COLOUR", (0.0, 0.0, 0.0, 1.0), id="black"),
        pytest.param("SIDES", test_card.SIDES[:3], id="sides are missing"),
        pytest.param("SUN", float("nan"), id="no numbers"),
    ],
)
def test_a_device_that_renders_something_else_is_refused(blender, monkeypatch, name, value):
    monkeypatch.setattr(test_card, name, value)

    with pytest.raises(DeviceError, match=r"cpu \(CPU\) renders wrong pictures: .* differs from"):
        prove_device(blender)


def test_the_known_picture_does_not_hang_on_luck(blender):
    """Other samples change it by far less than is allowed."""
    pictures = []
    for seed in (0, 1):
        blender.configure(test_card.CARD)
        path = blender.render_test_card() if seed == 0 else other_card(blender, seed)
        pictures.append(read_passes(path).layers["Combined"])
        path.unlink()

    first, second = (picture.reshape(4, 8, 4, 8, 4).mean(axis=(1, 3)) for picture in pictures)
    assert 0 < np.abs(first - second).max() < TOLERANCE


def other_card(blender, seed):
    render, blender.render = blender.render, lambda **_: render(seed=seed)
    try:
        return blender.render_test_card()
    finally:
        del blender.render


@pytest.fixture
def full_gpu(blender, statue, sky, monkeypatch):
    """A scene to render, on a GPU that has room for small tiles only, or for none."""
    settings = some_render(resolution_px=(320, 320), samples=1)
    blender.configure(settings)
    task = task_of(statue, sky, some_view())
    find_recipe("sod").prepare(task, blender).arrange(some_view())
    tiles = []

    def fill(text=FULL, *, fits):
        def render(**options):
            tiles.append(blender.scene.cycles.tile_size)
            if not fits or tiles[-1] != gpu_memory.SMALL_TILE_PX:
                raise RuntimeError(text)
            return bpy.ops.render.render(**options)

        ops = SimpleNamespace(render=SimpleNamespace(render=render))
        names = {name: getattr(bpy, name) for name in ("data", "context", "app", "types")}
        monkeypatch.setattr("worker.blender.cycles.bpy", SimpleNamespace(ops=ops, **names))
        monkeypatch.setattr(blender.cycles, "_on_gpu", True)
        return tiles

    yield fill
    monkeypatch.undo()
    blender.configure(settings)


def test_a_picture_that_does_not_fit_is_made_of_smaller_tiles(blender, full_gpu, caplog):
    large = again(blender, some_view())
    tiles = full_gpu(fits=True)

    small = again(blender, some_view())

    assert tiles == [gpu_memory.LARGE_TILE_PX, gpu_memory.SMALL_TILE_PX]
    assert "trying smaller tiles" in caplog.text
    assert np.allclose(small.layers["Combined"], large.layers["Combined"], atol=1e-4), (
        "the picture stays the same"
    )


def test_smaller_tiles_are_kept_until_the_next_task(blender, full_gpu):
    tiles = full_gpu(fits=True)
    for _ in range(2):
        again(blender, some_view())

    assert len(tiles) == 3
    blender.configure(some_render())
    assert blender.scene.cycles.tile_size == gpu_memory.LARGE_TILE_PX


def test_a_picture_that_never_fits_says_what_helps(blender, full_gpu):
    tiles = full_gpu(fits=False)

    with pytest.raises(GpuMemoryError) as told:
        blender.render(seed=0)

    assert len(tiles) == 2
    for remedy in ("resolution_px", "denoise", "other programs", "fewer samples do not help"):
        assert remedy in str(told.value)
    assert GpuMemoryError.cause in CAUSES


def test_another_failure_of_the_gpu_is_no_lack_of_memory(blender, full_gpu):
    tiles = full_gpu("Error: Illegal address in cuCtxSynchronize() (queue.cpp:232)", fits=False)

    with pytest.raises(RenderError, match="Illegal address"):
        blender.render(seed=0)
    assert len(tiles) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Error: System is out of GPU memory",
        "Error: System is out of GPU and shared host memory",
        "Out of memory in cuMemAlloc_v2(&device_pointer, size) (device_impl.cpp:525)",
        "Out of memory in CUDA queue enqueue (integrator_shade_surface)",
        "Failed to retain CUDA context (Out of memory)",
        "OPTIX_ERROR_DEVICE_OUT_OF_MEMORY in optixAccelBuild (device_impl.cpp:1030)",
    ],
)
def test_the_words_of_cycles_for_a_full_gpu_are_known(text):
    assert gpu_memory.ran_out(text)


@pytest.mark.parametrize("text", ["Illegal address in cuMemcpy", "Failed to create OptiX denoiser"])
def test_other_words_are_not_mistaken(text):
    assert not gpu_memory.ran_out(text)
