"""Salient objects: one model under one environment, seen from a dome."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from farm.projection import as_matrix
from farm.spec.asset import Asset
from farm.spec.camera import BASE_DISTANCE, Matrix4, OrbitCamera, intrinsics, turn_matrix
from farm.spec.label import IndexLabel
from farm.spec.randomise import Drawn
from farm.spec.recipes.sod import TURNS_DEG, Front, SodSetup, SodView
from farm.spec.record import CameraRecord
from farm.spec.task import RenderTask
from farm.spec.view import Light, View
from worker.blender.models.model import Model
from worker.blender.session import BlenderSession
from worker.bounds import Points, fit_distance, transformed
from worker.labels.objects import Thing
from worker.labels.tables import index_table
from worker.recipes import Shot, Stage
from worker.recipes.light import shine
from worker.recipes.several import category_of


@dataclass(frozen=True, eq=False)
class DomeStage(Stage):
    """One model under one environment."""

    session: BlenderSession
    model: Model
    resolution_px: tuple[int, int]
    asset: Asset
    """The model."""
    hdr: Asset | None
    """None where nothing depends on light."""
    front: Front = "+y"
    """Side of the model that is turned to +y."""

    @property
    def shown(self) -> Model:
        return self.model

    @property
    def metres_per_unit(self) -> float:
        return self.model.bounds.size * self.model.metres_per_file_unit

    @cached_property
    def indices(self) -> tuple[IndexLabel, ...]:
        return index_table(self.model.objects, category=category_of(self.asset))

    @cached_property
    def thing(self) -> Thing:
        """The model, which stands still in the middle of the record's world."""
        unit = np.array(self.turn) @ np.array(self.model.unit_from_model)
        bounds = self.model.bounds
        x, y, z = ((bounds.high - bounds.low) / bounds.size).tolist()
        points = np.array([*self.model.keypoints.values()]).reshape(-1, 3)
        return Thing(
            name=self.asset.credit.name or self.asset.name,
            asset=0,
            world_from_file=as_matrix(unit),
            category=category_of(self.asset),
            indices=tuple(label.index for label in self.indices),
            world_from_object=self.turn,
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

    @cached_property
    def outline(self) -> Points:
        """Points (N, 3) of the model's surface that stand out, in the record's world."""
        return transformed(self.model.bounds.unit_support, np.array(self.turn))

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        notes = self.session.environment.notes
        return {self.hdr.name: notes} if notes and self.hdr else {}

    @property
    def probe(self) -> View:
        camera = OrbitCamera(yaw_deg=30.0, pitch_deg=20.0, distance=BASE_DISTANCE)
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
        self.session.dressing.wear((self.model,), drawn)
        distance = self._distance(view)
        self.model.turn(math.radians(light.rotation_deg + TURNS_DEG[self.front]))
        self.session.set_camera(
            camera.world_from_camera(turned_deg=light.rotation_deg, distance=distance),
            camera,
            distance=distance,
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
            values={} if self.front == "+y" else {"front": self.front},
        )

    def _distance(self, view: SodView) -> float:
        if not view.camera.fit:
            return view.camera.distance
        return fit_distance(self.outline, view.camera, self.resolution_px)

    def _record(self, view: SodView, distance: float) -> CameraRecord:
        fx, fy, cx, cy = intrinsics(view.camera, self.resolution_px)
        matrix = view.camera.world_from_camera(distance=distance)
        return CameraRecord(
            world_from_camera=matrix, fx_px=fx, fy_px=fy, cx_px=cx, cy_px=cy, distance=distance
        )


def prepare(task: RenderTask, session: BlenderSession) -> DomeStage:
    """Load a task's model and environment."""
    assert isinstance(task.setup, SodSetup)
    [asset], hdr = task.of("models"), next(iter(task.of("hdrs")), None)
    model = session.load_model(asset, file_lights=task.setup.file_lights)
    if hdr is not None:
        session.load_hdr(hdr)
    return DomeStage(session, model, task.render.resolution_px, asset, hdr, task.setup.front)
