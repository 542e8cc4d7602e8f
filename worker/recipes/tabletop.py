"""The `tabletop` recipe in Blender: several things on a table, under one sky."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue

from farm.errors import AssetError, OutOfFrameError
from farm.projection import as_matrix
from farm.spec.asset import Asset
from farm.spec.camera import Matrix4, PoseCamera, turn_matrix
from farm.spec.passes import PassName
from farm.spec.randomise import Drawn
from farm.spec.recipes.tabletop import SUPPORTED, DomePose, Settled, Setup, View
from farm.spec.record import CameraRecord
from farm.spec.task import RenderTask
from farm.spec.view import View as BaseView
from farm.words.banned import banned_nouns
from worker.finish import Finish
from worker.images.multilayer import read_index
from worker.labels.objects import Thing, thing_at
from worker.points.followed import Flags
from worker.points.silhouettes import silhouette
from worker.points.surfaces import Eye
from worker.recipes import Shot
from worker.recipes.light import shine
from worker.recipes.several import ModelsStage
from worker.tabletop.settled import read_settled, write_settled
from worker.tabletop.standing import standing
from worker.tabletop.telling import Teller
from worker.tabletop.visibility import count_seen, share_of

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.session import BlenderSession

LITTLE = 0.2
"""Most metal that leaves a surface the colour that it scatters."""
SURFACE, DISTRACTOR = "surface", "distractor"
"""What the category of a table is, and of what no sentence names."""


@dataclass(frozen=True, eq=False)
class TabletopStage(ModelsStage):
    """The table and what stands on it, the table first."""

    session: BlenderSession
    task: RenderTask
    setup: Setup
    settled: Settled
    skies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """File name of an HDRI -> what was corrected of it, and what was found."""

    @property
    def label_passes(self) -> tuple[PassName, ...]:
        return (*SUPPORTED, "material")  # by which colours and materials are measured

    @property
    def needs_silhouettes(self) -> bool:
        return True

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        return self.skies

    def arrange(self, view: BaseView) -> Shot:
        assert isinstance(view, View)
        drawn = view.drawn or Drawn()
        if view.hdr is not None:
            with named(self.task.assets[view.hdr]) as asset:
                assert asset is not None
                self.session.load_hdr(asset)
        scene_from_world = np.array(turn_matrix(view.light.rotation_deg))
        poses = (self.settled.surface, *(prop.world_from_file for prop in self.settled.props))
        for model, pose in zip(self.models, poses, strict=True):
            model.place(as_matrix(scene_from_world @ np.array(pose)))
        self._paint(drawn)
        gain, true_strength = shine(
            self.session, view.light, drawn.lamps, models_shine=self.models.true_strength
        )
        things = tuple(self._thing(number, pose) for number, pose in enumerate(poses))
        camera, tries = self._camera(view, scene_from_world, things)
        teller = Teller(
            self.setup, self.settled, things, self._finishes(drawn), banned=self._banned(view)
        )
        values: dict[str, JsonValue] = {
            "camera_tries": tries,
            "scene_tries": self.settled.draw + 1,
        }
        if isinstance(taken := view.cameras[tries - 1], DomePose):
            values["drawn"] = {"camera": taken.model_dump(mode="json", exclude={"kind"})}
        return Shot(
            camera=camera,
            gain=gain,
            true_strength=true_strength,
            exposure=drawn.exposure_gain,
            world_from_scene=turn_matrix(-view.light.rotation_deg),
            things=things,
            values=values,
            tell=lambda looked: teller.tell(looked, view),
        )

    def _banned(self, view: View) -> frozenset[str]:
        """Return the nouns that the sky of a view shows, too."""
        sky = self.task.assets[view.hdr] if view.hdr is not None else None
        return banned_nouns(sky, (prop.words for prop in self.setup.props))

    def _finishes(self, drawn: Drawn) -> tuple[Finish, ...]:
        """Return how materials treat light, in the order of their numbers.

        Paint of shapes has no number of its own. Where some of it is metal, whose colour the
        albedo does not tell, nothing is known of what has none.
        """
        metal = any(paint.colour and (paint.metallic or 0.0) > LITTLE for paint in drawn.paints)
        return (*self.models.finishes, *((Finish(),) if metal else ()))

    def _paint(self, drawn: Drawn) -> None:
        """Let materials and table look as they were drawn."""
        place = drawn.surface.texture if drawn.surface else None
        table = (self.models[0], self.settled.surface)
        with named(None if place is None else self.task.assets[place]) as picture:
            self.session.dressing.wear(self.models[1:], drawn, table=table, picture=picture)

    def category(self, number: int) -> str:
        if number == 0:
            return SURFACE
        return super().category(number) if self.setup.props[number - 1].words else DISTRACTOR

    def _thing(self, number: int, world_from_file: Matrix4) -> Thing:
        """Return a model as a thing where it stands."""
        asset = self.assets[number]
        return thing_at(
            world_from_file,
            self.models[number],
            name=asset.credit.name or asset.title,
            category=self.category(number),
            asset=self.places[number],
        )

    def _camera(
        self, view: View, scene_from_world: np.ndarray, things: tuple[Thing, ...]
    ) -> tuple[CameraRecord, int]:
        """Take the first of a view's cameras that sees enough; return it and how many were tried.

        Raises:
            OutOfFrameError: None does.
        """
        tried = [each.camera if isinstance(each, DomePose) else each for each in view.cameras]
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


@contextmanager
def named(asset: Asset | None) -> Iterator[Asset | None]:
    """Give an asset; errors call it as people do."""
    try:
        yield asset
    except AssetError as error:
        raise AssetError(asset.name if asset else error.path, error.reason) from error


def prepare(task: RenderTask, session: BlenderSession) -> TabletopStage:
    """Stand the things of a scene as they have settled."""
    assert isinstance(task.setup, Setup)
    settled = settled_of(task)
    assets, places = standing(task, session)
    models = session.load_models(assets)
    skies = notes_of_skies(task, session)
    return TabletopStage(models, assets, places, session, task, task.setup, settled, skies)


def settled_of(task: RenderTask) -> Settled:
    """Return how the things of a scene stand: as the task says, else as its maker has found."""
    assert isinstance(task.setup, Setup)
    if task.setup.settled is not None:
        return task.setup.settled
    assert task.needs is not None
    return read_settled(task.needs)


def notes_of_skies(task: RenderTask, session: BlenderSession) -> dict[str, tuple[str, ...]]:
    """Return what there is to note of the HDRIs of a task's views; the first one is loaded."""
    found: dict[str, tuple[str, ...]] = {}
    used = dict.fromkeys(view.hdr for view in task.views if isinstance(view, View))
    for place in reversed(used):
        if place is not None:
            session.load_hdr(task.assets[place])
            found[task.assets[place].name] = session.environment.notes
    return {name: notes for name, notes in found.items() if notes}


def make(task: RenderTask, session: BlenderSession, folder: Path) -> None:
    """Let the things of a scene settle; note how they stand."""
    from worker.tabletop.settle import settle

    write_settled(settle(task, session), folder)
