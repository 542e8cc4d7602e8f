"""The one camera of a session, and what a scene needs of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from farm.projection import angle_at, recorded, rim_of, rotation_nearest
from farm.spec.camera import (
    AnyLens,
    FisheyeLens,
    Matrix4,
    OrbitCamera,
    OrthographicLens,
    PerspectiveLens,
    PinholeLens,
    PoseCamera,
)
from farm.spec.record import CameraRecord, FisheyeRecord

NAME = "viewfarm camera"
"""No model's: an object that came second with a name would be called otherwise in labels."""
COPY_NAME = "viewfarm copied camera"
BEYOND = (1e9, 1e10)
"""Where rays begin that are to meet nothing, and end."""
CLIP_START_SHARE = 1e-3
"""Nearest visible distance, as a share of the camera's own distance."""
CLIP_END = 1e4
"""Farthest visible distance, in sizes of the model."""
MOST_SIZES_OFF = 1e3
"""Sizes of the model that a camera is off; beyond, it sees so much farther."""
POSE_CLIPS = (1e-5, 1e9)
"""Of a camera of which nobody says how far off things are, in units of its world. Cycles' rays lose
nothing by it."""
BEYOND_RIM_PX = 3.0
"""Margin that is rendered beyond what a fisheye sees, to be cut off evenly."""
LEAST_MM = 1.0
"""Blender knows no shorter focal lengths and no narrower sensors."""
FOV_RAD = (0.175, 31.4)
"""What Blender takes as a fisheye's angle."""

Lens = Any
"""A camera's data; its stubs lack what Blender has."""


def add_camera(scene: bpy.types.Scene) -> bpy.types.Object:
    """Stand a camera in `scene` and make it the active one."""
    lens = bpy.data.cameras.new(NAME)
    lens.sensor_fit = "AUTO"  # the sensor's width spans the longer side of the picture
    camera = bpy.data.objects.new(NAME, lens)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def set_camera(
    camera: bpy.types.Object,
    world_from_camera: Matrix4,
    wanted: OrbitCamera,
    *,
    distance: float,
    size: float,
) -> None:
    """Move the camera and give it the lens of `wanted`; `size` is that of what it sees."""
    stand_still(camera)
    camera.matrix_world = Matrix(world_from_camera)
    lens: Lens = camera.data
    make_plain(lens)
    lens.lens = wanted.focal_length_mm
    lens.sensor_width = wanted.sensor_width_mm
    if wanted.orthographic_width is not None:
        set_parallel(lens, wanted.orthographic_width)
    lens.clip_start = distance * CLIP_START_SHARE
    lens.clip_end = CLIP_END * max(size, distance / MOST_SIZES_OFF)


def set_pose(scene: Any, camera: bpy.types.Object, pose: PoseCamera) -> CameraRecord:
    """Look at `scene` from a pose through its lens; return what records tell of it."""
    size_px = (scene.render.resolution_x, scene.render.resolution_y)
    record = recorded(pose, size_px)
    if camera.name not in scene.objects:
        scene.collection.objects.link(camera)
    scene.camera = camera
    stand_still(camera)
    camera.matrix_world = Matrix(record.world_from_camera)
    lens: Lens = camera.data
    make_plain(lens)
    lens.clip_start, lens.clip_end = POSE_CLIPS
    set_lens(lens, pose.lens, size_px)
    set_pixels(scene, pose.lens)
    if isinstance(record.lens, FisheyeRecord):
        set_fov(lens, record.lens)
    return record


def set_motion(
    scene: Any, camera: bpy.types.Object, poses: tuple[PoseCamera, PoseCamera, PoseCamera]
) -> None:
    """Let a camera come from one pose, be at another now, and go on to a third, frame by frame."""
    camera.rotation_mode = "QUATERNION"
    step = scene.render.frame_map_old / scene.render.frame_map_new  # keys are in stretched time
    turn = None
    for place, pose in enumerate(poses, -1):
        at, new_turn, _ = Matrix(rotation_nearest(pose.world_from_camera)).decompose()
        if turn is not None and turn.dot(new_turn) < 0:
            new_turn.negate()  # the same turn; in between, the short way
        turn = new_turn
        camera.location, camera.rotation_quaternion = at, turn
        for path in ("location", "rotation_quaternion"):
            camera.keyframe_insert(path, frame=scene.frame_current_final + place * step)
    camera.matrix_world = Matrix(rotation_nearest(poses[1].world_from_camera))


def stand_still(camera: bpy.types.Object) -> None:
    """Take away how a camera moved."""
    if camera.animation_data is not None:
        action = camera.animation_data.action
        camera.animation_data_clear()
        if action is not None:
            bpy.data.actions.remove(action)
        camera.rotation_mode = "XYZ"


def make_plain(lens: Lens) -> None:
    """Undo what other lenses are set by."""
    lens.type = "PERSP"
    lens.sensor_fit = "AUTO"
    lens.shift_x = lens.shift_y = 0.0
    lens.dof.use_dof = False


def set_lens(lens: Lens, wanted: AnyLens, size_px: tuple[int, int]) -> None:
    """Set the numbers of a lens that is plain."""
    if isinstance(wanted, PerspectiveLens):
        set_focal(lens, wanted.focal_length_mm, wanted.sensor_width_mm)
        lens.shift_x, lens.shift_y = wanted.shift_x, wanted.shift_y
    elif isinstance(wanted, PinholeLens):
        set_pinhole(lens, wanted, size_px)
    elif isinstance(wanted, OrthographicLens):
        set_parallel(lens, wanted.width)
    else:
        assert isinstance(wanted, FisheyeLens)
        set_fisheye(lens, wanted.coefficients, wanted.sensor_width_mm)


def set_parallel(lens: Lens, width: float) -> None:
    """Let rays run side by side; `width` spans the longer side of the picture."""
    lens.type = "ORTHO"
    lens.ortho_scale = width


def set_focal(lens: Lens, focal_length_mm: float, sensor_width_mm: float) -> None:
    """Set a focal length and a sensor, or the same in larger: only their ratio matters."""
    larger = max(1.0, LEAST_MM / focal_length_mm, LEAST_MM / sensor_width_mm)
    lens.lens, lens.sensor_width = focal_length_mm * larger, sensor_width_mm * larger


def set_pinhole(lens: Lens, wanted: PinholeLens, size_px: tuple[int, int]) -> None:
    """Set intrinsics. With a sensor that fits the width, all numbers are in parts of the width.

    Blender measures up and down in the same unit as across, so what is vertical is longer by as
    much as a pixel is.
    """
    width, height = size_px
    lens.sensor_fit = "HORIZONTAL"
    set_focal(lens, wanted.fx_px, width)
    lens.shift_x = (width / 2 - wanted.cx_px) / width
    lens.shift_y = (wanted.cy_px - height / 2) / width * wanted.fx_px / wanted.fy_px


def set_fisheye(lens: Lens, coefficients: tuple[float, ...], sensor_width_mm: float) -> None:
    """Set a polynomial fisheye; its angle is that of `set_fov`."""
    lens.type, lens.panorama_type = "PANO", "FISHEYE_LENS_POLYNOMIAL"
    lens.sensor_width = max(sensor_width_mm, LEAST_MM)
    larger = lens.sensor_width / sensor_width_mm
    for power, number in enumerate(coefficients):
        setattr(lens, f"fisheye_polynomial_k{power}", number / larger**power)


def set_fov(lens: Lens, fisheye: FisheyeRecord) -> None:
    """Let Cycles render a bit more than what a fisheye sees.

    What its own angle cuts off is opaque, by the share of each pixel's samples that fall outside,
    which nothing tells afterwards. So all samples of a pixel on the rim are to be inside, and
    `worker.labels.rim` cuts.
    """
    radius, angle = rim_of(fisheye)
    beyond = radius + np.linspace(0.0, BEYOND_RIM_PX, 16) * fisheye.mm_per_px
    widest = max(angle, *(angle_at(float(each), fisheye) for each in beyond))
    lens.fisheye_fov = min(max(2 * widest, FOV_RAD[0]), FOV_RAD[1])


def set_pixels(scene: Any, lens: AnyLens | None = None) -> None:
    """Set the shape of a scene's pixels: square, but for a pinhole whose focal lengths differ."""
    ratio = lens.fx_px / lens.fy_px if isinstance(lens, PinholeLens) else 1.0
    scene.render.pixel_aspect_x = max(1.0, 1 / ratio)
    scene.render.pixel_aspect_y = max(1.0, ratio)


def is_blurred(scene: Any) -> bool:
    """Say whether the scene's camera has a depth of field."""
    if scene.camera is None or scene.camera.type != "CAMERA":
        return False
    lens: Lens = scene.camera.data
    if not lens.dof.use_dof and lens.animation_data is None:
        return False
    return bool(evaluated(scene, scene.camera).data.dof.use_dof)


@contextmanager
def sharp(scene: Any) -> Iterator[None]:
    """Have all in focus: look through a camera that goes along with the scene's own."""
    with through_a_copy(scene) as lens:
        lens.dof.use_dof = False
        if lens.animation_data is not None:
            scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
            now = evaluated(scene, scene.camera).data
            if now.dof.use_dof:  # its animation switches it on
                copy_numbers(now, lens)
                lens.animation_data_clear()
                lens.dof.use_dof = False
        yield


@contextmanager
def past_everything(scene: Any) -> Iterator[None]:
    """See what is behind all things: look through a camera whose rays begin beyond them.

    Nothing of the scene changes, so that Cycles need not read any of it again.
    """
    own = scene.camera
    with through_a_copy(scene) as lens:
        if lens.animation_data is not None:  # which may move where its rays begin
            now = evaluated(scene, own).data
            lens.animation_data_clear()
            copy_numbers(now, lens)
        lens.clip_start, lens.clip_end = BEYOND
        yield


@contextmanager
def through_a_copy(scene: Any) -> Iterator[Lens]:
    """Look through a copy of the scene's camera that goes along with it; yield the copy's lens."""
    own = scene.camera
    lens: Lens = own.data.copy()  # with its animation
    camera = bpy.data.objects.new(COPY_NAME, lens)
    follow(camera, own)
    scene.collection.objects.link(camera)
    scene.camera = camera
    try:
        yield lens
    finally:
        scene.camera = own
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(lens)


def follow(camera: bpy.types.Object, other: bpy.types.Object) -> None:
    """Let a camera be wherever another one is, in the frames before and after, too."""
    constraint: Any = camera.constraints.new("COPY_TRANSFORMS")
    constraint.target = other


NUMBERS = (
    "type", "sensor_fit", "lens", "sensor_width", "sensor_height", "shift_x", "shift_y",
    "ortho_scale", "clip_start", "clip_end", "panorama_type", "fisheye_fov",
    *(f"fisheye_polynomial_k{power}" for power in range(5)),
)  # fmt: skip
"""What makes a lens; not its depth of field."""
BLUR = ("use_dof", "aperture_fstop", "aperture_blades", "aperture_rotation", "aperture_ratio",
        "focus_distance", "focus_object", "focus_subtarget")  # fmt: skip


def copy_numbers(source: Lens, target: Lens) -> None:
    """Give a lens the numbers that another one has now."""
    for name in NUMBERS:
        setattr(target, name, getattr(source, name))
    for name in BLUR:
        setattr(target.dof, name, getattr(source.dof, name))


def evaluated(scene: Any, item: bpy.types.Object) -> Any:
    """Return an object as it is now, with what animates it."""
    layer = scene.view_layers[0]
    layer.update()
    return item.evaluated_get(layer.depsgraph)
