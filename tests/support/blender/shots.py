"""Single pictures for tests: one view, rendered and read back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from PIL import Image

from farm.dataset.images import decode_pass
from farm.spec.asset import Asset
from farm.spec.camera import OrbitCamera
from farm.spec.passes import VIEW_PASSES, PassName
from farm.spec.recipes.sod import SodSetup, SodView
from farm.spec.record import ViewRecord
from farm.spec.render import ResolvedRender
from farm.spec.task import RenderTask, records_key
from farm.spec.view import Light, View
from farm.storage import FolderStorage
from tests.builders import a_task
from worker.blender.session import BlenderSession
from worker.images.multilayer import Passes, read_passes
from worker.recipes import Shot, find_recipe
from worker.render.task import render_task


class OurLease:
    """A task that nobody takes away."""

    def confirm(self) -> None:
        """It is still ours."""

    def secure(self) -> None:
        """Its files may be written."""

    def view_done(self, _done: object = None) -> None:
        """Nobody counts."""

    def views_found(self, count: int) -> None:
        """Nobody counts."""


class Rendered:
    """A view on storage: its record, files and passes."""

    def __init__(self, storage: FolderStorage, record: ViewRecord) -> None:
        self.storage = storage
        self.record = record

    def data(self, name) -> bytes:
        return self.storage.get(f"vases/{self.record.files[name].path}")

    def __getitem__(self, name) -> np.ndarray:
        return decode_pass(self.data(name), self.record.files[name].path, name)


def some_render(**changes: object) -> ResolvedRender:
    settings = ResolvedRender(
        resolution_px=(64, 64),
        samples=2,
        denoise=False,
        format="png",
        bit_depth=8,
        view_transform="AgX",
    )
    return settings.model_copy(update=changes)


def some_view(
    *,
    yaw: float = 30.0,
    pitch: float = 25.0,
    distance: float = 2.2,
    fit: bool = False,
    rotation: float = 0.0,
    strength: float = 1.0,
    seed: int = 7,
    index: int = 0,
) -> View:
    return SodView(
        index=index,
        name=f"view_{index}",
        camera=OrbitCamera(yaw_deg=yaw, pitch_deg=pitch, distance=distance, fit=fit),
        light=Light(rotation_deg=rotation, strength=strength),
        seed=seed,
    )


def task_of(
    model: Asset,
    hdr: Asset,
    *views: View,
    file_lights: bool = False,
    ground: str = "none",
    **render: object,
) -> RenderTask:
    return a_task(
        model=model,
        hdr=hdr,
        views=views,
        render=some_render(**render),
        setup=SodSetup(file_lights=file_lights, ground=ground),
    )


def shoot(
    blender: BlenderSession, model: Asset, hdr: Asset, view: View, **render: object
) -> tuple[Passes, Shot]:
    """Render one view as a task would."""
    task = task_of(model, hdr, view, **render)
    blender.configure(task.render)
    shot = find_recipe("sod").prepare(task, blender).arrange(view)
    return read_once(blender.render(seed=view.seed)), shot


def picture(
    blender: BlenderSession, model: Asset, hdr: Asset, view: View, **render: object
) -> np.ndarray:
    """Return the scene-linear picture (H, W, 3) of one view."""
    passes, shot = shoot(blender, model, hdr, view, **render)
    return passes.picture(gain=shot.gain)


def again(blender: BlenderSession, view: View) -> Passes:
    """Render the scene as it stands."""
    return read_once(blender.render(seed=view.seed))


def read_once(path: Path) -> Passes:
    try:
        return read_passes(path)
    finally:
        path.unlink()


@contextlib.contextmanager
def changed(owner: object, **values: object) -> Iterator[None]:
    """Set attributes for a while."""
    before = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    yield
    for name, value in before.items():
        setattr(owner, name, value)


def blender_png(
    blender: BlenderSession, path: Path, *, transparent: bool, transform: str
) -> np.ndarray:
    """Render the scene as it stands the classic way: Blender writes the picture itself."""
    scene = blender.scene
    image = scene.render.image_settings
    with (
        changed(scene.view_settings, view_transform=transform),
        changed(scene.render, film_transparent=transparent, filepath=str(path)),
        changed(image, media_type="IMAGE"),
    ):
        image.file_format = "PNG"
        image.color_mode = "RGBA" if transparent else "RGB"
        image.color_depth = "8"
        bpy.ops.render.render(write_still=True)
    image.file_format = "OPEN_EXR_MULTILAYER"
    image.color_depth = "32"
    image.exr_codec = "NONE"
    with Image.open(path) as written:
        return np.asarray(written)


def blocks(pixels: np.ndarray, size: int = 8) -> np.ndarray:
    """Return the means of square blocks: a picture with less noise."""
    height, width, channels = pixels.shape
    return pixels.reshape(height // size, size, width // size, size, channels).mean(axis=(1, 3))


WIDE = (96, 64)


def render_labelled(
    blender: BlenderSession,
    storage: FolderStorage,
    model: Asset,
    hdr: Asset,
    view: View | None = None,
    *,
    passes: tuple[PassName, ...] = VIEW_PASSES,
    **settings: object,
) -> Rendered:
    """Render one view with these passes as a worker does, and read it back."""
    view = view or some_view(rotation=70.0, strength=1.3)
    settings = {"resolution_px": WIDE, "samples": 4} | settings
    task = task_of(model, hdr, view, **settings).model_copy(update={"passes": passes})
    render_task(task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease())
    [line] = storage.get(records_key(task)).splitlines()
    return Rendered(storage, ViewRecord.model_validate_json(line))
