"""Salient objects: one model under one environment, seen from a dome."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pydantic import JsonValue

from farm.projection import as_matrix, orbit_recorded
from farm.spec.asset import Asset
from farm.spec.camera import BASE_DISTANCE, Matrix4, OrbitCamera, turn_matrix
from farm.spec.label import IndexLabel
from farm.spec.randomise import Drawn
from farm.spec.recipes.sod import TURNS_DEG, Front, Grounded, SodSetup, SodView
from farm.spec.record import CameraRecord
from farm.spec.task import RenderTask
from farm.spec.view import Light, View
from worker.blender.models.model import Model
from worker.blender.session import BlenderSession
from worker.bounds import Points, fit_distance, transformed
from worker.labels.objects import Thing
from worker.labels.tables import index_table
from worker.recipes import Ground, Shot, Stage
from worker.recipes.light import shine
from worker.recipes.several import category_of

PROBE_FIT = 1.5
"""Distance of the view by which quality is decided, in those at which the model just fits."""


@dataclass(frozen=True, eq=False)
class DomeStage(Stage):
    """One model under one environment."""

    session: BlenderSession
    model: Model
    resolution_px: tuple[int, int]
    asset: Asset
    """The model."""
    hdrs: tuple[Asset, ...]
    """None where nothing depends on light; several where views share their labels."""
    front: Front = "+y"
    """Side of the model that is turned to +y."""
    grounded: Grounded = "none"
    """Where its shadow on a plane under it goes."""

    @property
    def shown(self) -> Model:
        return self.model

    @property
    def metres_per_unit(self) -> float:
        bounds = self.model.bounds
        if self.model.frame == "unit-cube":
            return bounds.size * self.model.metres_per_file_unit
        return self.model.metres_per_file_unit / bounds.scale_in(self.model.frame)

    @cached_property
    def indices(self) -> tuple[IndexLabel, ...]:
        return index_table(self.model.objects, category=category_of(self.asset))

    @cached_property
    def thing(self) -> Thing:
        """The model, which stands still in the record's world, mostly in the middle of it."""
        unit = np.array(self.turn) @ np.array(self.model.frame_from_model)
        bounds = self.model.bounds
        sides = bounds.high - bounds.low
        if self.model.frame == "unit-cube":
            x, y, z = (sides / bounds.size).tolist()
        else:
            x, y, z = (sides * bounds.scale_in(self.model.frame)).tolist()
        points = np.array([*self.model.keypoints.values()]).reshape(-1, 3)
        return Thing(
            name=self.asset.credit.name or self.asset.name,
            asset=0,
            world_from_file=as_matrix(unit),
            category=category_of(self.asset),
            indices=tuple(label.index for label in self.indices),
            world_from_object=self.stands,
            size=(x, y, z),
            outline=self.outline,
            keypoints=tuple(
                (name, (at[0], at[1], at[2]))
                for name, at in zip(
                    self.model.keypoints, transformed(points, unit).tolist(), strict=True
                )
            ),
        )

    @cached_property
    def turn(self) -> Matrix4:
        """How the model is turned to show its front at yaw 0."""
        return as_matrix(np.round(turn_matrix(TURNS_DEG[self.front])) + 0.0)  # exact, no -0.0

    @property
    def stands(self) -> Matrix4:
        """How the model is turned, and where the middle of its box is."""
        if self.model.frame != "file":
            return self.turn
        middle = transformed(
            (self.model.bounds.low + self.model.bounds.high)[None] / 2, np.array(self.turn)
        )
        placed = np.array(self.turn)
        placed[:3, 3] = middle[0]
        return as_matrix(placed)

    @cached_property
    def ground(self) -> Ground | None:
        """A plane under the lowest point of the model, which turns about the vertical alone."""
        if self.grounded == "none":
            return None
        lowest = float(self.outline[:, 2].min())
        return Ground(lowest, self.model.size, in_picture=self.grounded == "picture")

    @cached_property
    def outline(self) -> Points:
        """Points (N, 3) of the model's surface that stand out, in the record's world."""
        framed = transformed(self.model.bounds.support, np.array(self.model.frame_from_model))
        return transformed(framed, np.array(self.turn))

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        return self.notes_of(self.hdrs[:1])

    def notes_of(self, shining: Iterable[Asset]) -> dict[str, tuple[str, ...]]:
        """Return what was corrected of the environment that shines now."""
        notes = self.session.environment.notes
        return {hdr.name: notes for hdr in shining if notes}

    def lit(self, view: SodView) -> tuple[Asset, ...]:
        """Return the environment of a view, once it shines; none where nothing depends on light."""
        if view.relit is None:
            return self.hdrs
        shining = tuple(each for each in self.hdrs if each.id == view.relit.hdr)
        for hdr in shining:
            self.session.load_hdr(hdr)
        return shining

    @property
    def probe(self) -> View:
        fit = self.model.frame != "unit-cube"  # where it is as large as it likes
        distance = PROBE_FIT if fit else BASE_DISTANCE
        camera = OrbitCamera(yaw_deg=30.0, pitch_deg=20.0, distance=distance, fit=fit)
        return SodView(index=0, name="probe", camera=camera, light=Light(), seed=0)

    def arrange(self, view: View) -> Shot:
        assert isinstance(view, SodView)
        return self.shoot(view)

    def shoot(self, view: SodView) -> Shot:
        """Set one view.

        The environment itself is never turned, which would cost Cycles a second: model and
        camera turn under it instead. For the record the model stands still.
        """
        camera, light, drawn = view.camera, view.light, view.drawn or Drawn()
        shining = self.lit(view)
        self.session.dressing.wear((self.model,), drawn)
        distance = self._distance(view)
        self.model.turn(math.radians(light.rotation_deg + TURNS_DEG[self.front]))
        self.session.set_camera(
            camera.world_from_camera(turned_deg=light.rotation_deg, distance=distance),
            camera,
            distance=distance,
            size=self.model.size,
        )
        gain, true_strength = shine(
            self.session, light, drawn.lamps, models_shine=self.model.true_strength
        )
        return Shot(
            camera=self._record(view, distance),
            gain=gain,
            true_strength=true_strength,
            exposure=drawn.exposure_gain,
            world_from_scene=turn_matrix(-light.rotation_deg),
            things=(self.thing,),
            ground=self.ground,
            values=self.told,
            notes=self.notes_of(shining) if view.relit else None,
        )

    @property
    def told(self) -> dict[str, JsonValue]:
        """What records tell of the model's place beside."""
        front: dict[str, JsonValue] = {} if self.front == "+y" else {"front": self.front}
        frame: dict[str, JsonValue] = {"frame": self.model.frame}
        return front if self.model.frame == "unit-cube" else front | frame

    def _distance(self, view: SodView) -> float:
        if not view.camera.fit:
            return view.camera.distance
        return fit_distance(self.outline, view.camera, self.resolution_px, size=self.model.size)

    def _record(self, view: SodView, distance: float) -> CameraRecord:
        matrix = view.camera.world_from_camera(distance=distance)
        record = orbit_recorded(view.camera, matrix, self.resolution_px)
        return record.model_copy(update={"distance": distance})


def prepare(task: RenderTask, session: BlenderSession) -> DomeStage:
    """Load a task's model and environment."""
    assert isinstance(task.setup, SodSetup)
    [asset], hdrs = task.of("models"), task.of("hdrs")
    model = session.load_model(asset, file_lights=task.setup.file_lights, frame=task.setup.frame)
    for hdr in hdrs[:1]:
        session.load_hdr(hdr)
    setup, resolution_px = task.setup, task.render.resolution_px
    return DomeStage(session, model, resolution_px, asset, hdrs, setup.front, setup.ground)
