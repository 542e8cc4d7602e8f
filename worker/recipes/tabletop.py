"""The `tabletop` recipe in Blender: several things on a table, under one sky."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from farm.errors import OutOfFrameError
from farm.projection import as_matrix
from farm.spec.camera import Matrix4, PoseCamera, turn_matrix
from farm.spec.passes import PassName
from farm.spec.recipes.tabletop import SUPPORTED, Setup, View
from farm.spec.record import CameraRecord
from farm.spec.task import RenderTask
from farm.spec.view import View as BaseView
from farm.words.banned import banned_nouns
from worker.images.multilayer import read_index
from worker.labels.objects import Thing, thing_at
from worker.points.followed import Flags
from worker.points.silhouettes import silhouette
from worker.points.surfaces import Eye
from worker.recipes import Shot
from worker.recipes.several import ModelsStage, category_of
from worker.tabletop.settled import Settled, read_settled, write_settled
from worker.tabletop.standing import standing
from worker.tabletop.telling import Teller
from worker.tabletop.visibility import count_seen, share_of

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession

SURFACE = "surface"
"""What the category of a table is."""


@dataclass(frozen=True, eq=False)
class TabletopStage(ModelsStage):
    """The table and what stands on it, the table first."""

    session: BlenderSession
    task: RenderTask
    setup: Setup
    settled: Settled

    @property
    def label_passes(self) -> tuple[PassName, ...]:
        return (*SUPPORTED, "material")  # by which colours and materials are measured

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        notes = self.session.environment.notes
        return {asset.name: notes for asset in self.task.of("hdrs") if notes}

    def arrange(self, view: BaseView) -> Shot:
        assert isinstance(view, View)
        if view.hdr is not None:
            self.session.load_hdr(self.task.assets[view.hdr])
        scene_from_world = np.array(turn_matrix(view.light.rotation_deg))
        poses = (self.settled.surface, *(prop.world_from_file for prop in self.settled.props))
        for model, pose in zip(self.models, poses, strict=True):
            model.place(as_matrix(scene_from_world @ np.array(pose)))
        shines = self.models.true_strength
        self.session.set_light(view.light.strength if shines else 1.0)
        things = tuple(self._thing(number, pose) for number, pose in enumerate(poses))
        camera, tries = self._camera(view, scene_from_world, things)
        teller = Teller(
            self.setup, self.settled, things, self.models.finishes, banned=self._banned(view)
        )
        return Shot(
            camera=camera,
            gain=1.0 if shines else view.light.strength,
            true_strength=shines,
            world_from_scene=turn_matrix(-view.light.rotation_deg),
            things=things,
            values={"camera_tries": tries, "scene_tries": self.settled.draw + 1},
            tell=lambda looked: teller.tell(looked, view),
        )

    def _banned(self, view: View) -> frozenset[str]:
        """Return the nouns that the sky of a view shows, too."""
        sky = self.task.assets[view.hdr] if view.hdr is not None else None
        return banned_nouns(sky, (prop.words for prop in self.setup.props))

    def _thing(self, number: int, world_from_file: Matrix4) -> Thing:
        """Return a model as a thing where it stands."""
        asset = self.assets[number]
        return thing_at(
            world_from_file,
            self.models[number],
            name=asset.credit.name or asset.title,
            category=category_of(asset) if number else SURFACE,
            asset=self.places[number],
        )

    def _camera(
        self, view: View, scene_from_world: np.ndarray, things: tuple[Thing, ...]
    ) -> tuple[CameraRecord, int]:
        """Take the first of a view's cameras that sees enough; return it and how many were tried.

        Raises:
            OutOfFrameError: None does.
        """
        tried = (view.camera, *view.more_cameras)
        for number, camera in enumerate(tried, 1):
            pose = as_matrix(scene_from_world @ np.array(camera.world_from_camera))
            record = self.session.look_through(PoseCamera(world_from_camera=pose, lens=camera.lens))
            record = record.model_copy(update={"world_from_camera": camera.world_from_camera})
            if self._sees_enough(record, things):
                return record, number
        raise OutOfFrameError(
            f"none of {len(tried)} cameras sees {self._wanted} objects by "
            f"{self.setup.visible_fraction:.0%} and {self.setup.visible_px} pixels: let the camera "
            "stand nearer or higher, render more pixels, or lower min_visible"
        )

    def _sees_enough(self, camera: CameraRecord, things: tuple[Thing, ...]) -> bool:
        """Say whether enough of the things that sentences may name are seen, by one sample."""
        if not self._wanted:
            return True
        index = read_index(self.session.render_index())
        eye = Eye(camera, self.task.render.resolution_px)
        shares = (
            share_of(thing, index, self._silhouette(thing, eye))
            for thing, prop in zip(things[1:], self.setup.props, strict=True)
            if prop.words is not None
        )
        fraction, pixels = self.setup.visible_fraction, self.setup.visible_px
        return count_seen(shares, fraction=fraction, pixels=pixels) >= self._wanted

    @property
    def _wanted(self) -> int:
        """Objects that must be seen: of a scene with fewer of them all."""
        named = sum(prop.words is not None for prop in self.setup.props)
        return min(self.setup.min_visible, named)

    def _silhouette(self, thing: Thing, eye: Eye) -> Flags:
        """Return the whole silhouette of a thing; the renderer says what triangles do not tell."""
        if thing.body is not None and thing.body.whole:
            return silhouette(thing.body.surfaces, eye, self.session.clip)
        return read_index(self.session.render_alone(thing.indices)) > 0


def prepare(task: RenderTask, session: BlenderSession) -> TabletopStage:
    """Stand the things of a scene as they have settled."""
    assert isinstance(task.setup, Setup)
    assert task.needs is not None
    settled = read_settled(task.needs)
    assets, places = standing(task, session)
    models = session.load_models(assets)
    return TabletopStage(models, assets, places, session, task, task.setup, settled)


def make(task: RenderTask, session: BlenderSession, folder: Path) -> None:
    """Let the things of a scene settle; note how they stand."""
    from worker.tabletop.settle import settle

    write_settled(settle(task, session), folder)
