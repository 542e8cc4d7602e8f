"""Where points fall in a picture, and which rays its pixels look along: one rule for every lens.

Points and rays are in the camera's frame, Blender's and OpenGL's: x right, y up, it looks along -Z.
Pixels are counted from the outer corner of the top-left one, u right, v down.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.camera import (
    FisheyeLens,
    Matrix4,
    OrbitCamera,
    OrthographicLens,
    PerspectiveLens,
    PinholeLens,
    PoseCamera,
    intrinsics,
)
from farm.spec.record import CameraRecord, FisheyeRecord, OrthographicRecord

Numbers = NDArray[np.float64]
NEAR = 1e-6
"""Points closer to the plane of a pinhole are behind it."""
HALVINGS = 60
"""Steps in which a radius is found: all that a number of 64 bits tells."""


class Rays(NamedTuple):
    """What the pixels' centres look along."""

    origins: Numbers
    """(H, W, 3)."""
    directions: Numbers
    """(H, W, 3), of length 1; NaN where a lens sees nothing."""


def project(points: Numbers, camera: CameraRecord) -> Numbers:
    """Return where points (..., 3) fall (..., 2), in the picture or beside; NaN where unseen."""
    px = projected(points, camera)
    return np.where(sees(points, camera)[..., None], px, np.nan)


def sees(points: Numbers, camera: CameraRecord) -> NDArray[np.bool_]:
    """Return which points (..., 3) the lens, with a picture that is large enough, shows."""
    if isinstance(camera.lens, FisheyeRecord):
        return np.asarray(angles_of(points) <= rim_of(camera.lens)[1])
    return np.asarray(points[..., 2] <= -NEAR)


def projected(points: Numbers, camera: CameraRecord) -> Numbers:
    """Return the same of all points, by each lens's formula; a fisheye's goes on behind its rim.

    - Pinhole: u = cx + fx x / -z, v = cy - fy y / -z (Hartley and Zisserman, Multiple View
      Geometry, 6.1, with y and z turned round).
    - Orthographic: u = cx + s x, v = cy - s y (the same, 6.3).
    - Polynomial fisheye: r(theta) (cos phi, sin phi) around (cx, cy), where theta is the angle to
      the axis, phi that around it, and r solves theta = -(k0 + k1 r + ... + k4 r^4) (Blender's
      manual, panoramic cameras of Cycles, Fisheye Lens Polynomial).
    """
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    if isinstance(camera.lens, OrthographicRecord):
        scale = camera.lens.px_per_unit
        return np.stack([camera.cx_px + scale * x, camera.cy_px - scale * y], axis=-1)
    if isinstance(camera.lens, FisheyeRecord):
        radius = radii(angles_of(points), camera.lens) / camera.lens.mm_per_px
        across = np.hypot(x, y)
        safe = np.where(across > 0, across, 1.0)
        u, v = camera.cx_px + radius * x / safe, camera.cy_px - radius * y / safe
        return np.stack([u, v], axis=-1)
    fx, fy = focal_px(camera)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([camera.cx_px - fx * x / z, camera.cy_px + fy * y / z], axis=-1)


def rays(camera: CameraRecord, resolution_px: tuple[int, int]) -> Rays:
    """Return the rays of the pixels' centres: what `project` takes back to them."""
    across, down = offsets(camera, resolution_px)
    flat = np.zeros_like(across)
    if isinstance(camera.lens, OrthographicRecord):
        scale = camera.lens.px_per_unit
        origins = np.stack([across / scale, -down / scale, flat], axis=-1)
        return Rays(origins, np.broadcast_to([0.0, 0.0, -1.0], origins.shape))
    if isinstance(camera.lens, FisheyeRecord):
        theta = pixel_angles(camera, resolution_px)
        far = np.hypot(across, down)
        sine = np.sin(theta) / np.where(far > 0, far, 1.0)
        directions = np.stack([sine * across, -sine * down, -np.cos(theta)], axis=-1)
    else:
        fx, fy = focal_px(camera)
        directions = np.stack([across / fx, -down / fy, flat - 1.0], axis=-1)
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return Rays(np.zeros_like(directions), directions)


def depths(reach: NDArray[np.float32], camera: CameraRecord) -> NDArray[np.float32]:
    """Return depths (H, W) along the axis, of what Cycles' depth pass holds.

    That is the depth itself, but of panoramic cameras the distance (Cycles' `camera_z_depth`).
    """
    if not isinstance(camera.lens, FisheyeRecord):
        return reach
    with np.errstate(invalid="ignore"):  # infinite times 0
        along = reach * np.cos(pixel_angles(camera, size_of(reach)))
    return np.where(np.isfinite(reach), along, np.inf).astype(np.float32)


def distances(reach: NDArray[np.float32], camera: CameraRecord) -> NDArray[np.float32]:
    """Return distances (H, W) along the rays, of what Cycles' depth pass holds."""
    if camera.lens is not None:  # parallel rays, or distances already
        return reach
    across, down = offsets(camera, size_of(reach))
    fx, fy = focal_px(camera)
    stretch = np.sqrt(1.0 + (across / fx) ** 2 + (down / fy) ** 2)
    return np.asarray(reach * stretch, dtype=np.float32)


def reach_of(points: Numbers, camera: CameraRecord) -> Numbers:
    """Return how far off points (..., 3) are, as Cycles' depth pass of this camera has it."""
    if isinstance(camera.lens, FisheyeRecord):
        return np.asarray(np.linalg.norm(points, axis=-1))
    return -points[..., 2]


def points_at(reach: NDArray[np.float32], camera: CameraRecord) -> Numbers:
    """Return the points (H, W, 3) that pixels' centres show, in the camera's frame.

    Where there is nothing they are NaN or infinite.

    Args:
        reach: (H, W), what Cycles' depth pass holds.
        camera: What sees them.
    """
    looked = rays(camera, size_of(reach))
    far = reach.astype(np.float64)
    if not isinstance(camera.lens, FisheyeRecord):
        far = far / -looked.directions[..., 2]
    with np.errstate(invalid="ignore"):  # infinite times 0
        return np.asarray(looked.origins + looked.directions * far[..., None])


def seen_shares(camera: CameraRecord, resolution_px: tuple[int, int]) -> Numbers | None:
    """Return the share of each pixel (H, W) that a lens sees; None where it sees all of them.

    The rim is as soft as a pixel is wide.
    """
    rim = rim_px(camera)
    if rim is None:
        return None
    shares = np.clip(rim + 0.5 - np.hypot(*offsets(camera, resolution_px)), 0.0, 1.0)
    return None if (shares == 1.0).all() else np.asarray(shares)


def rim_px(camera: CameraRecord) -> float | None:
    """Return how far from where its axis falls a lens ends, pixels; None where it has no end."""
    if not isinstance(camera.lens, FisheyeRecord):
        return None
    return rim_of(camera.lens)[0] / camera.lens.mm_per_px


def recorded(camera: PoseCamera, resolution_px: tuple[int, int]) -> CameraRecord:
    """Return what records tell of a camera that takes pictures of this size."""
    width, height = resolution_px
    longer, lens = max(width, height), camera.lens
    pose = rotation_nearest(camera.world_from_camera)
    cx, cy = width / 2, height / 2
    if isinstance(lens, PinholeLens):
        return CameraRecord(
            world_from_camera=pose, fx_px=lens.fx_px, fy_px=lens.fy_px,
            cx_px=lens.cx_px, cy_px=lens.cy_px,
        )  # fmt: skip
    if isinstance(lens, PerspectiveLens):
        focal = lens.focal_length_mm / lens.sensor_width_mm * longer
        cx, cy = cx - lens.shift_x * longer, cy + lens.shift_y * longer
        return CameraRecord(
            world_from_camera=pose, fx_px=focal, fy_px=focal, cx_px=cx, cy_px=cy
        )  # fmt: skip
    if isinstance(lens, OrthographicLens):
        told: OrthographicRecord | FisheyeRecord = OrthographicRecord(
            px_per_unit=longer / lens.width
        )
    else:
        assert isinstance(lens, FisheyeLens)
        told = FisheyeRecord(
            mm_per_px=lens.sensor_width_mm / longer, k0=lens.k0, k1=lens.k1, k2=lens.k2,
            k3=lens.k3, k4=lens.k4, fov_deg=lens.fov_deg,
        )  # fmt: skip
    return CameraRecord(world_from_camera=pose, cx_px=cx, cy_px=cy, lens=told)


def orbit_recorded(
    camera: OrbitCamera, world_from_camera: Matrix4, resolution_px: tuple[int, int]
) -> CameraRecord:
    """Return what records tell of a camera on a dome that stands and looks as a matrix says."""
    fx, fy, cx, cy = intrinsics(camera, resolution_px)
    if camera.orthographic_width is None:
        return CameraRecord(
            world_from_camera=world_from_camera, fx_px=fx, fy_px=fy, cx_px=cx, cy_px=cy
        )
    scale = max(resolution_px) / camera.orthographic_width
    lens = OrthographicRecord(px_per_unit=scale)
    return CameraRecord(world_from_camera=world_from_camera, cx_px=cx, cy_px=cy, lens=lens)


def rotation_nearest(matrix: Matrix4) -> Matrix4:
    """Return a rotation and a shift that were written with few digits as what they mean."""
    exact = np.array(matrix, dtype=np.float64)
    left, _, right = np.linalg.svd(exact[:3, :3])
    exact[:3, :3] = left @ right
    exact[3] = (0.0, 0.0, 0.0, 1.0)
    return as_matrix(exact)


def as_matrix(matrix: Numbers) -> Matrix4:
    """Return an array (4, 4) as records have it."""
    first, second, third, fourth = (tuple(row) for row in matrix.tolist())
    return (first, second, third, fourth)


def focal_px(camera: CameraRecord) -> tuple[float, float]:
    """Return the focal lengths of a pinhole."""
    assert camera.fx_px is not None
    assert camera.fy_px is not None
    return camera.fx_px, camera.fy_px


def size_of(pixels: NDArray[np.float32]) -> tuple[int, int]:
    """Return (width, height) of pixels (H, W)."""
    return pixels.shape[1], pixels.shape[0]


def offsets(camera: CameraRecord, resolution_px: tuple[int, int]) -> tuple[Numbers, Numbers]:
    """Return how far right and down (H, W) pixels' centres are of where the axis falls."""
    width, height = resolution_px
    across, down = np.meshgrid(
        np.arange(width) + 0.5 - camera.cx_px, np.arange(height) + 0.5 - camera.cy_px
    )
    return across, down


def angles_of(points: Numbers) -> Numbers:
    """Return the angles (...) of points (..., 3) to the camera's axis, radians."""
    return np.asarray(np.arctan2(np.hypot(points[..., 0], points[..., 1]), -points[..., 2]))


def pixel_angles(camera: CameraRecord, resolution_px: tuple[int, int]) -> Numbers:
    """Return the angles (H, W) of a fisheye's pixels to its axis; NaN where it sees nothing."""
    assert isinstance(camera.lens, FisheyeRecord)
    radius = np.hypot(*offsets(camera, resolution_px)) * camera.lens.mm_per_px
    inside = radius <= rim_of(camera.lens)[0]
    return np.where(inside, angles_at(radius, camera.lens), np.nan)


def angles_at(radius: Numbers, lens: FisheyeRecord) -> Numbers:
    """Return the angles (...) of a fisheye at distances from its middle (...), mm."""
    return np.asarray(-np.polynomial.polynomial.polyval(radius, lens.coefficients))


@functools.lru_cache(maxsize=64)
def rim_of(lens: FisheyeRecord) -> tuple[float, float]:
    """Return how far from its middle a fisheye ends, mm, and at which angle.

    That is half of its fov, or less where the polynomial turns back before: two places would show
    one direction.
    """
    half = float(np.radians(lens.fov_deg)) / 2
    slope = np.polynomial.polynomial.polyder(lens.coefficients)
    turns = np.asarray(np.polynomial.polynomial.polyroots(slope), np.complex128)
    real = turns.real[(np.abs(turns.imag) < 1e-9) & (turns.real > 0)].tolist()
    far = min(real, default=0.0) or 1.0
    while not real and angle_at(far, lens) < half:
        far *= 2
    top = min(half, angle_at(far, lens))
    return float(bisected(np.array(top), lens, far)), top


def radii(theta: Numbers, lens: FisheyeRecord) -> Numbers:
    """Return where angles (...) fall, mm from the middle: what `angles_at` takes back.

    Beyond the rim they continue evenly.
    """
    rim, top = rim_of(lens)
    return np.where(theta > top, rim * theta / top, bisected(theta, lens, rim))


def bisected(theta: Numbers, lens: FisheyeRecord, far: float) -> Numbers:
    """Return where angles (...) fall, mm from the middle, of which none is beyond `far`."""
    low, high = np.zeros_like(theta), np.full_like(theta, far)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        over = angles_at(middle, lens) > theta
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    return (low + high) / 2


def angle_at(radius: float, lens: FisheyeRecord) -> float:
    """Return the angle of a fisheye at a distance from its middle, mm."""
    return float(angles_at(np.array(radius), lens))
