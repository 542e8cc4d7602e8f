import math

import numpy as np
import pytest

from farm.spec.camera import OrbitCamera, intrinsics, orbit_matrix


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
