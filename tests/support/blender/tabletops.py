"""Scenes on a table whose things stand where a test says, rendered as a task would."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from farm.projection import as_matrix
from farm.spec.camera import IDENTITY, Matrix4, PerspectiveLens, PoseCamera
from farm.spec.passes import PassName
from farm.spec.recipes.tabletop import Prop, Settled, SettledProp, Setup, Surface, View
from farm.spec.record import ViewRecord, read_record
from farm.spec.task import Need, RenderTask, records_key
from farm.spec.view import Light
from farm.spec.words import AssetWords
from farm.storage import FolderStorage
from tests.builders import a_task
from tests.support.blender.scenes import asset_of
from tests.support.blender.shots import OurLease, Rendered, some_render
from worker.blender.session import BlenderSession
from worker.render.task import render_task
from worker.tabletop.settled import write_settled

UP = np.array([0.0, 0.0, 1.0])


class Standing(NamedTuple):
    """One thing of a scene."""

    file: Path
    at_m: tuple[float, float, float]
    """Where its file's origin is."""
    turn_deg: float = 0.0
    """About the vertical."""
    on: tuple[int, ...] = (-1,)
    words: AssetWords | None = AssetWords(noun="thing")

    @property
    def world_from_file(self) -> Matrix4:
        angle = np.radians(self.turn_deg)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        matrix = np.eye(4)
        matrix[:2, :2] = [[cos, -sin], [sin, cos]]
        matrix[:3, 3] = self.at_m
        return as_matrix(matrix)


class Here:
    """A workshop whose products are folders of this machine."""

    def hold(self, need: Need | None) -> Need | None:
        return need


def camera_from(
    place: tuple[float, float, float],
    *,
    at: tuple[float, float, float] = (0.0, 0.0, 0.05),
    lens: Any = None,
) -> PoseCamera:
    """A camera that looks from a place at another."""
    back = np.array(place) - np.array(at)
    back = back / np.linalg.norm(back)
    right = np.cross(UP, back)
    right = right / np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([right, np.cross(back, right), back])
    matrix[:3, 3] = place
    return PoseCamera(
        world_from_camera=as_matrix(matrix), lens=lens or PerspectiveLens(focal_length_mm=40.0)
    )


def a_view_of_it(
    index: int, *cameras: PoseCamera, rotation_deg: float = 0.0, scene: int = 0
) -> View:
    """A view that tries these cameras."""
    return View(
        index=index,
        name=f"scene_{scene:06d}_{index:03d}",
        camera=cameras[0],
        cameras=cameras,
        light=Light(rotation_deg=rotation_deg),
        seed=index,
        scene=scene,
        number=index,
    )


def a_tabletop_task(
    folder: Path,
    things: Iterable[Standing],
    views: Iterable[View],
    *,
    passes: tuple[PassName, ...] = ("rgb", "mask", "index"),
    resolution_px: tuple[int, int] = (96, 64),
    min_visible: int = 0,
    **setup: object,
) -> RenderTask:
    """The task of a scene that has settled; its folder holds how it stands."""
    each = tuple(things)
    folder.mkdir(parents=True, exist_ok=True)
    props = [
        SettledProp(world_from_file=thing.world_from_file, on=thing.on, touches=thing.on)
        for thing in each
    ]
    write_settled(Settled(surface=IDENTITY, props=tuple(props)), folder)
    assets = tuple(dict.fromkeys(asset_of(thing.file) for thing in each))
    assets = tuple(asset.model_copy(update={"role": "objects"}) for asset in assets)
    places = {asset.path: place for place, asset in enumerate(assets)}
    known: dict[str, object] = {
        "surface": Surface(size_m=(1.0, 0.7)),
        "props": tuple(Prop(asset=places[str(thing.file)], words=thing.words) for thing in each),
        "min_visible": min_visible,
    }
    return a_task(
        dataset="vases",
        views=tuple(views),
        recipe="tabletop",
        assets=assets,
        setup=Setup(**(known | setup)),
        needs=Need(product="products/" + "a" * 64, made_by=0, path=str(folder)),
        passes=passes,
        render=some_render(resolution_px=resolution_px),
    )


def render_tabletop(
    blender: BlenderSession, task: RenderTask, storage: FolderStorage
) -> list[Rendered]:
    """Render all views of a task."""
    render_task(
        task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease(),
        workshop=Here(),
    )  # fmt: skip
    return rendered_of(task, storage)


def rendered_of(task: RenderTask, storage: FolderStorage) -> list[Rendered]:
    """Return the views of a task that were rendered."""
    lines = (storage.get(records_key(task)) or b"").splitlines()
    records: list[ViewRecord] = [read_record(line) for line in lines]
    return [Rendered(storage, record) for record in records]
