"""What a camera sees of boxes, sheets and balls, by the geometry of school, without Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from farm.spec.record import CameraRecord, FisheyeRecord

RADII = np.linspace(0.0, 100.0, 400_001)
"""Millimetres from the middle of a fisheye, as a table has them."""


def transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def turned(axis: str, angle_deg: float) -> np.ndarray:
    """A 4 x 4 turn about an axis, counter-clockwise when it points at you."""
    a, b = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    matrix = np.eye(4)
    matrix[[a, b], [a, b]] = cos
    matrix[a, b], matrix[b, a] = -sin, sin
    return matrix


def shifted(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = (x, y, z)
    return matrix


@dataclass(frozen=True, eq=False)
class Solid:
    """A shape in its own frame: `box` and `sheet` of 1 around the origin, `ball` of radius 1."""

    shape: str
    world_from_solid: np.ndarray

    def hit(self, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far (N,) along each ray (N, 3) the surface is, and its normal (N, 3).

        Rays come from one origin (3,), or each from its own (N, 3).
        """
        inverse = np.linalg.inv(self.world_from_solid)
        start, along = transform(origin, inverse), rays @ inverse[:3, :3].T
        with np.errstate(divide="ignore", invalid="ignore"):
            reach, normal = getattr(self, f"_{self.shape}")(start, along)
        normal = normal @ inverse[:3, :3]  # normals go by the inverse, transposed
        normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        away = (normal * rays).sum(axis=-1, keepdims=True) > 0
        return np.where(reach > 0, reach, np.inf), np.where(away, -normal, normal)

    def corners(self) -> np.ndarray:
        """The corners of its box, in the world."""
        depth = 0.0 if self.shape == "sheet" else 0.5
        side = 1.0 if self.shape == "ball" else 0.5
        own = [
            (x * side, y * side, z * (side if self.shape == "ball" else depth))
            for x in (-1, 1)
            for y in (-1, 1)
            for z in (-1, 1)
        ]
        return transform(np.array(own), self.world_from_solid)

    def outline(self) -> np.ndarray:
        """Points in the world that reach as far as it does, from wherever it is seen."""
        if self.shape != "ball":
            return self.corners()
        way = np.random.default_rng(1).normal(size=(20_000, 3))
        return transform(way / np.linalg.norm(way, axis=-1, keepdims=True), self.world_from_solid)

    def _box(self, start, along):
        one, other = (-0.5 - start) / along, (0.5 - start) / along
        near, far = np.minimum(one, other), np.maximum(one, other)
        reach = near.max(axis=-1)
        reach = np.where(reach <= far.min(axis=-1), reach, np.inf)
        return reach, np.eye(3)[near.argmax(axis=-1)]

    def _sheet(self, start, along):
        reach = -start[..., 2] / along[:, 2]
        at = start + reach[:, None] * along
        inside = (np.abs(at[:, :2]) <= 0.5).all(axis=-1)
        return np.where(inside, reach, np.inf), np.tile([0.0, 0.0, 1.0], (len(along), 1))

    def _ball(self, start, along):
        a, b = (along**2).sum(axis=-1), (along * start).sum(axis=-1)
        inner = b**2 - a * ((start * start).sum(axis=-1) - 1)
        reach = np.where(inner >= 0, (-b - np.sqrt(np.maximum(inner, 0))) / a, np.inf)
        at = start + np.where(np.isfinite(reach), reach, 0.0)[:, None] * along
        return reach, np.where(np.isfinite(reach)[:, None], at, [0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Seen:
    """What is at the centre of each pixel, (H, W, ...)."""

    depth: np.ndarray
    """Along the axis; infinite where there is nothing."""
    distance: np.ndarray
    position: np.ndarray
    normal_world: np.ndarray
    normal: np.ndarray
    which: np.ndarray
    """Place of the solid, from 1; 0 where there is nothing."""


def look(
    camera: CameraRecord, resolution_px: tuple[int, int], solids: list[Solid], *, border_px: int = 0
) -> Seen:
    """Send a ray through the centre of each pixel, and of `border_px` around the picture."""
    width, height = resolution_px
    u = np.arange(-border_px, width + border_px) + 0.5
    v = np.arange(-border_px, height + border_px) + 0.5
    u, v = np.meshgrid(u, v)
    own_origins, own = own_rays(camera, u, v)
    world_from_camera = np.array(camera.world_from_camera, dtype=np.float64)
    turn = world_from_camera[:3, :3]
    rays = own.reshape(-1, 3) @ turn.T
    origin = transform(own_origins.reshape(-1, 3), world_from_camera)
    with np.errstate(invalid="ignore"):  # rays that a lens has not, which are NaN
        hits = [solid.hit(origin, rays) for solid in solids]
    reach = np.stack([hit[0] for hit in hits])
    first = reach.argmin(axis=0)
    depth = reach.min(axis=0)
    there = np.isfinite(depth)
    normals = np.stack([hit[1] for hit in hits])[first, np.arange(len(first))]
    rays = np.where(there[:, None], rays, 0.0)
    safe = np.where(there, depth, 0.0)[:, None]
    normals = np.where(there[:, None], normals, 0.0)
    length = np.linalg.norm(rays, axis=-1)
    along = -(rays @ turn)[:, 2]
    shape = u.shape
    return Seen(
        depth=np.where(there, safe[:, 0] * along, np.inf).reshape(shape),
        distance=np.where(there, safe[:, 0] * length, np.inf).reshape(shape),
        position=np.where(there[:, None], origin + safe * rays, 0.0).reshape(*shape, 3),
        normal_world=normals.reshape(*shape, 3),
        normal=(normals @ turn).reshape(*shape, 3),
        which=np.where(there, first + 1, 0).reshape(shape),
    )


def own_rays(camera: CameraRecord, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return origins and directions (..., 3) in the camera's frame of places in the picture."""
    x, y, nothing = u - camera.cx_px, camera.cy_px - v, np.zeros_like(u)
    lens = camera.lens
    if lens is None:
        rays = np.stack([x / camera.fx_px, y / camera.fy_px, nothing - 1], axis=-1)
        return np.zeros_like(rays), rays
    if lens.kind == "orthographic":
        origins = np.stack([x / lens.px_per_unit, y / lens.px_per_unit, nothing], axis=-1)
        return origins, np.broadcast_to([0.0, 0.0, -1.0], origins.shape)
    phi = np.arctan2(y, x)
    radius = np.hypot(x, y) * lens.mm_per_px
    theta = fisheye_angle(lens, radius)
    table = fisheye_angle(lens, RADII)
    folds = RADII[np.argmax(np.diff(table, append=-np.inf) <= 0)]  # it shows things again there
    theta = np.where((np.degrees(theta) <= lens.fov_deg / 2) & (radius < folds), theta, np.nan)
    rays = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), -np.cos(theta)], axis=-1
    )
    return np.zeros_like(rays), rays


def fisheye_angle(lens: FisheyeRecord, radius: np.ndarray) -> np.ndarray:
    """Cycles' own formula."""
    return -(lens.k0 + lens.k1 * radius + lens.k2 * radius**2 + lens.k3 * radius**3
             + lens.k4 * radius**4)  # fmt: skip


def settled(
    camera: CameraRecord,
    resolution_px: tuple[int, int],
    solids: list[Solid],
    *,
    slack_px: float = 0.01,
) -> np.ndarray:
    """Say of which pixels (H, W) the centre sees one face, and not another one if moved so far."""
    seen = look(camera, resolution_px, solids)
    same = np.ones(seen.which.shape, bool)
    for x in (-slack_px, slack_px):
        for y in (-slack_px, slack_px):
            moved = {"cx_px": camera.cx_px + x, "cy_px": camera.cy_px + y}
            other = look(camera.model_copy(update=moved), resolution_px, solids)
            turned_by = np.linalg.norm(other.normal - seen.normal, axis=-1)
            same &= (other.which == seen.which) & (turned_by < 0.1)
    return same


def project(camera: CameraRecord, points: np.ndarray) -> np.ndarray:
    """Return where points (..., 3) of the world fall: pixels, u right, v down."""
    camera_from_world = np.linalg.inv(np.array(camera.world_from_camera, dtype=np.float64))
    x, y, z = np.moveaxis(transform(points, camera_from_world), -1, 0)
    if camera.lens is None:
        right, up = camera.fx_px * x / -z, camera.fy_px * y / -z
    elif camera.lens.kind == "orthographic":
        right, up = camera.lens.px_per_unit * x, camera.lens.px_per_unit * y
    else:
        rising = np.maximum.accumulate(fisheye_angle(camera.lens, RADII))
        far = np.interp(np.arccos(-z / np.sqrt(x**2 + y**2 + z**2)), rising, RADII)
        phi = np.arctan2(y, x)
        right, up = (far / camera.lens.mm_per_px * part for part in (np.cos(phi), np.sin(phi)))
    return np.stack([camera.cx_px + right, camera.cy_px - up], axis=-1)


def flow(
    camera: CameraRecord,
    seen: Seen,
    now: list[Solid],
    then: list[Solid],
) -> np.ndarray:
    """Return how far (H, W, 2) what is at the pixels' centres is from where it is `then`."""
    moved = np.zeros((*seen.depth.shape, 2))
    for place, (here, there) in enumerate(zip(now, then, strict=True), 1):
        mine = seen.which == place
        points = seen.position[mine]
        after = transform(points, there.world_from_solid @ np.linalg.inv(here.world_from_solid))
        moved[mine] = project(camera, after) - project(camera, points)
    return moved
