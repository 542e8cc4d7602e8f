"""Cameras of scripts: where points of the world fall in the picture."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from worker.scripts.btb import utils
from worker.scripts.btb.here import ground
from worker.scripts.failures import RefusedCall

Points = NDArray[np.float64]
Origin = Literal["upper-left", "lower-left"]


class Camera:
    """A camera of the scene, with the matrices that it had when it was last updated."""

    def __init__(self, bpy_camera: Any = None, shape: tuple[int, int] | None = None) -> None:
        self.bpy_camera = bpy_camera or camera_of_scene()
        self.shape = shape or self.shape_from_bpy()
        self.view_matrix: Any = None
        self.proj_matrix: Any = None
        self.update_view_matrix()
        self.update_proj_matrix()

    def update_view_matrix(self) -> None:
        """Take the pose that the camera has now."""
        self.view_matrix = self.view_from_bpy(self.bpy_camera)

    def update_proj_matrix(self) -> None:
        """Take the lens that the camera has now."""
        self.proj_matrix = self.proj_from_bpy(self.bpy_camera, self.shape)

    @property
    def type(self) -> str:
        """Such as PERSP, ORTHO."""
        return str(self.bpy_camera.data.type)

    @property
    def clip_range(self) -> tuple[float, float]:
        """Nearest and farthest visible distance."""
        return self.bpy_camera.data.clip_start, self.bpy_camera.data.clip_end

    @staticmethod
    def shape_from_bpy(bpy_render: Any = None) -> tuple[int, int]:
        """Return (height, width) of the farm's pictures."""
        del bpy_render
        width, height = ground().resolution_px
        return height, width

    @staticmethod
    def view_from_bpy(bpy_camera: Any = None) -> Any:
        """Return `camera_from_world`, as Blender's matrix."""
        graph = ground().update()
        camera = bpy_camera or camera_of_scene()
        return camera.evaluated_get(graph).matrix_world.normalized().inverted()

    @staticmethod
    def proj_from_bpy(bpy_camera: Any = None, shape: tuple[int, int] | None = None) -> Any:
        """Return the projection of the lens, as Blender's matrix."""
        height, width = shape or Camera.shape_from_bpy()
        graph = ground().update()
        camera = (bpy_camera or camera_of_scene()).evaluated_get(graph)
        return camera.calc_matrix_camera(graph, x=width, y=height)

    def world_to_ndc(self, xyz_world: Any, return_depth: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Return points of the world (N, 3) in normalised device coordinates (N, 3).

        Args:
            xyz_world: The points.
            return_depth: Return (N,) beside: how far off each is along the camera's axis.
        """
        points = np.atleast_2d(np.asarray(xyz_world, dtype=float))
        seen = utils.hom(points) @ np.asarray(self.view_matrix).T
        with np.errstate(divide="ignore", invalid="ignore"):  # of points in the camera's plane
            ndc = utils.dehom(seen @ np.asarray(self.proj_matrix).T)
        return (ndc, -seen[:, 2]) if return_depth else ndc

    def ndc_to_pixel(self, ndc: Any, origin: Origin = "upper-left") -> Points:
        """Return normalised device coordinates (N, 2 or 3) as pixels (N, 2)."""
        return pixels(np.atleast_2d(np.asarray(ndc, dtype=float)), self.shape, origin)

    def ndc_to_linear(self, ndc: Any, origin: Origin = "upper-left") -> tuple[Points, Points]:
        """Return pixels (N, 2), and depths (N,) between the clip distances."""
        points = np.atleast_2d(np.asarray(ndc, dtype=float))
        near, far = self.clip_range
        return pixels(points, self.shape, origin), near + (far - near) * (points[:, 2] + 1) / 2

    def object_to_pixel(self, *objs: Any, return_depth: bool = False) -> Any:
        """Return where the vertices of objects fall (N, 2)."""
        return self._pixels(utils.world_coordinates(*objs), return_depth=return_depth)

    def bbox_object_to_pixel(self, *objs: Any, return_depth: bool = False) -> Any:
        """Return where the corners of the boxes of objects fall (8 N, 2)."""
        return self._pixels(utils.bbox_world_coordinates(*objs), return_depth=return_depth)

    def look_at(self, look_at: Any = None, look_from: Any = None) -> None:
        """Turn the camera, and move it where it is told from where to look."""
        camera = self.bpy_camera
        if look_from is not None:
            camera.location = list(map(float, look_from))
        target = np.zeros(3) if look_at is None else np.asarray(look_at, dtype=float)
        away = target - np.array(camera.location)
        if not np.linalg.norm(away) > 0:
            raise RefusedCall("look_at: the camera stands where it is to look: move one of both")
        vector = type(camera.location)(away.tolist())
        camera.rotation_mode = "XYZ"
        camera.rotation_euler = vector.to_track_quat("-Z", "Y").to_euler()
        self.update_view_matrix()

    def set_as_active_camera(self) -> None:
        """Let the scene render with it."""
        ground().scene.camera = self.bpy_camera

    def _pixels(self, points: Points, *, return_depth: bool) -> Any:
        ndc, depth = self.world_to_ndc(points, return_depth=True)
        found = self.ndc_to_pixel(ndc)
        return (found, depth) if return_depth else found


def camera_of_scene() -> Any:
    """Return the camera that the scene renders with.

    Raises:
        RefusedCall: It has none.
    """
    camera = ground().scene.camera
    if camera is None:
        raise RefusedCall("the scene has no camera: add one, and set scene.camera")
    return camera


def pixels(ndc: Points, shape: tuple[int, int], origin: Origin) -> Points:
    """Return normalised device coordinates as pixels, from a corner of the picture."""
    if origin not in ("upper-left", "lower-left"):
        raise RefusedCall(f"origin: {origin!r} is not upper-left or lower-left")
    height, width = shape
    parts = (ndc[:, :2] + 1) / 2
    if origin == "upper-left":
        parts = np.stack([parts[:, 0], 1 - parts[:, 1]], axis=-1)
    return np.asarray(parts * np.array([width, height]))


def project_points(
    obj: Any,
    camera: Any = None,
    view_matrix: Any = None,
    proj_matrix: Any = None,
    **_more: Any,
) -> Points:
    """Return where the vertices of an object fall (N, 2), from the picture's upper left."""
    seen = camera if isinstance(camera, Camera) else Camera(camera)
    if view_matrix is not None:
        seen.view_matrix = view_matrix
    if proj_matrix is not None:
        seen.proj_matrix = proj_matrix
    return np.asarray(seen.object_to_pixel(obj))


def view_matrix(camera: Any = None) -> Any:
    """Return `camera_from_world` of the scene's camera, or of another one."""
    return Camera.view_from_bpy(camera)


def projection_matrix(camera: Any = None, shape: tuple[int, int] | None = None) -> Any:
    """Return the projection of the scene's camera, or of another one."""
    return Camera.proj_from_bpy(camera, shape)
