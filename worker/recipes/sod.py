"""Salient objects: one model under one environment, seen from a dome."""

from __future__ import annotations

import math
from dataclasses import dataclass

from farm.spec.camera import Matrix4, intrinsics, orbit_matrix
from farm.spec.record import CameraRecord
from farm.spec.task import RenderTask
from farm.spec.view import View
from worker.blender.model import Model
from worker.blender.session import BlenderSession
from worker.bounds import fit_distance
from worker.recipes import Shot


@dataclass(frozen=True)
class DomeStage:
    """One model under one environment."""

    session: BlenderSession
    model: Model
    resolution_px: tuple[int, int]

    @property
    def world_from_model(self) -> Matrix4:
        return self.model.unit_from_model

    @property
    def missing_textures(self) -> tuple[str, ...]:
        return self.model.missing_textures

    def arrange(self, view: View) -> Shot:
        """Set one view.

        The environment itself is never turned, which would cost Cycles a second: model and
        camera turn under it instead. For the record the model stands still.
        """
        camera, light = view.camera, view.light
        distance = self._distance(view)
        self.model.turn(math.radians(light.rotation_deg))
        self.session.set_camera(
            orbit_matrix(
                yaw_deg=camera.yaw_deg - light.rotation_deg,
                pitch_deg=camera.pitch_deg,
                distance=distance,
            ),
            camera,
            distance=distance,
        )
        true_strength = self.model.true_strength
        self.session.set_light(light.strength if true_strength else 1.0)
        return Shot(
            camera=self._record(view, distance),
            gain=1.0 if true_strength else light.strength,
            true_strength=true_strength,
        )

    def _distance(self, view: View) -> float:
        if not view.camera.fit:
            return view.camera.distance
        return fit_distance(self.model.bounds.unit_support, view.camera, self.resolution_px)

    def _record(self, view: View, distance: float) -> CameraRecord:
        fx, fy, cx, cy = intrinsics(view.camera, self.resolution_px)
        matrix = orbit_matrix(
            yaw_deg=view.camera.yaw_deg, pitch_deg=view.camera.pitch_deg, distance=distance
        )
        return CameraRecord(
            world_from_camera=matrix, fx_px=fx, fy_px=fy, cx_px=cx, cy_px=cy, distance=distance
        )


def prepare(task: RenderTask, session: BlenderSession) -> DomeStage:
    """Load a task's model and environment."""
    model = session.load_model(task.model, file_lights=task.file_lights)
    session.load_hdr(task.hdr)
    return DomeStage(session, model, task.render.resolution_px)
