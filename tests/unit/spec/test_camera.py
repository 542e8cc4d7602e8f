import math
import re

import numpy as np
import pytest
from pydantic import ValidationError

from farm.projection import recorded
from farm.spec.base import first_reason
from farm.spec.camera import (
    IDENTITY,
    FisheyeLens,
    OrbitCamera,
    PinholeLens,
    PoseCamera,
    intrinsics,
    orbit_matrix,
)


@pytest.mark.parametrize("yaw", [0, 45, 90, 213])
@pytest.mark.parametrize("pitch", [0, 30, 89, 90])
def test_the_camera_stands_where_yaw_pitch_and_distance_say_and_looks_at_the_centre(yaw, pitch):
    matrix = np.array(orbit_matrix(yaw_deg=yaw, pitch_deg=pitch, distance=3.5))
    y, p = math.radians(yaw), math.radians(pitch)
    position = 3.5 * np.array([math.cos(p) * math.sin(y), math.cos(p) * math.cos(y), math.sin(p)])

    assert matrix[:3, 3] == pytest.approx(position)
    assert -matrix[:3, 2] * 3.5 == pytest.approx(-position)  # looks along its own -Z
    assert matrix[:3, :3] @ matrix[:3, :3].T == pytest.approx(np.eye(3))
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
    assert matrix[2, 1] >= -1e-9  # up is never down


def test_views_from_above_still_turn_with_the_yaw():
    above = [np.array(orbit_matrix(yaw_deg=yaw, pitch_deg=90, distance=1)) for yaw in (0, 90)]

    assert not np.allclose(above[0], above[1])


def test_the_sensor_spans_the_longer_side():
    camera = OrbitCamera(yaw_deg=0, pitch_deg=0, distance=3.5)

    assert intrinsics(camera, (640, 480))[0] == pytest.approx(50 / 36 * 640)
    assert intrinsics(camera, (480, 640)) == pytest.approx((50 / 36 * 640, 50 / 36 * 640, 240, 320))


def scaled(by: float) -> list[list[float]]:
    return (np.array(orbit_matrix(yaw_deg=20, pitch_deg=10, distance=2)) * [by, by, by, 1]).tolist()


SHEARED = [[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
MIRRORED = [[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
BOTTOM = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]]


@pytest.mark.parametrize(
    ("camera", "reason"),
    [
        ({"world_from_camera": scaled(2.0)}, "world_from_camera: it scales by 2, 2, 2 along"),
        ({"world_from_camera": SHEARED}, "world_from_camera: it (shears|scales)"),
        ({"world_from_camera": MIRRORED}, "world_from_camera: it mirrors: give a rotation"),
        ({"world_from_camera": BOTTOM}, r"its last row is \[0.0, 0.0, 0.0, 2.0\]"),
        ({"world_from_camera": scaled(math.nan)}, "it holds a value that is not a number"),
        ({"lens": {"kind": "orthographic", "width": 0}}, "width: .*greater than 0"),
        ({"lens": {"kind": "perspective", "focal_length_mm": -1}}, "focal_length_mm: .*than 0"),
        ({"lens": {"kind": "perspective", "shift_x": math.inf}}, "shift_x: .*finite"),
        ({"lens": {"kind": "pinhole", "fx_px": 1e4, "fy_px": 10, "cx_px": 0, "cy_px": 0}},
         "fx_px 10000 and fy_px 10 make pixels that are more than 200 times"),
        ({"lens": {"kind": "fisheye_polynomial", "k1": 0}}, "k1 0 is not below 0, .* single point"),
        ({"lens": {"kind": "fisheye_polynomial", "k1": 0.1}},
         "k1 0.1 is not below 0, so the picture would be turned by 180 degrees: .* signs"),
        ({"lens": {"kind": "fisheye_polynomial", "k1": -0.1, "k0": 0.3}}, "k0 0.3 puts nothing"),
        ({"lens": {"kind": "fisheye_polynomial", "k1": -0.1, "fov_deg": 400}}, "fov_deg: .*360"),
        ({"lens": {"kind": "fisheye_polynomial", "k1": -0.1, "fov_deg": 0}}, "fov_deg: .*than 0"),
        ({"lens": {"kind": "fisheye_polynomial", "k1": -0.1, "k2": 0.005}},
         "k0 to k4 turn back 10(.0)? mm from the middle, at 28.65 degrees, .* fov_deg of 57.3 or"),
    ],
)  # fmt: skip
def test_a_camera_that_cannot_be_is_refused_with_a_remedy(camera, reason):
    with pytest.raises(ValidationError) as raised:
        PoseCamera(**({"world_from_camera": scaled(1.0)} | camera))

    assert re.search(reason, first_reason(raised.value))


def test_a_principal_point_may_be_far_outside_of_the_picture():
    lens = PinholeLens(fx_px=100, fy_px=100, cx_px=-5000, cy_px=9000)
    camera = recorded(PoseCamera(world_from_camera=IDENTITY, lens=lens), (64, 64))
    assert (camera.cx_px, camera.cy_px) == (-5000, 9000)


def test_blenders_own_polynomial_is_taken():
    lens = FisheyeLens(
        k0=-1.17351e-05, k1=-0.0199887, k2=-3.3525e-06, k3=3.0993e-06, k4=-2.61e-08, fov_deg=180
    )
    assert lens.turns_back() is None
