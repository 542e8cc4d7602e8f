"""Lenses of every kind, for pictures of about 64 x 48 pixels."""

from __future__ import annotations

import math

from farm.spec.camera import (
    FisheyeLens,
    OrthographicLens,
    PerspectiveLens,
    PinholeLens,
    orbit_matrix,
)

POSE = orbit_matrix(yaw_deg=30.0, pitch_deg=25.0, distance=2.4)
BENT_FISHEYE = FisheyeLens(k0=-1e-5, k1=-0.055, k2=-1e-4, k3=2e-5, k4=-1e-7, fov_deg=120.0)
LENSES = {
    "perspective": PerspectiveLens(),
    "perspective shifted": PerspectiveLens(
        focal_length_mm=30.0, sensor_width_mm=24.0, shift_x=0.13, shift_y=-0.21
    ),
    "a very short focal length": PerspectiveLens(focal_length_mm=0.5, sensor_width_mm=0.4),
    "pinhole": PinholeLens(fx_px=90.0, fy_px=90.0, cx_px=32.0, cy_px=24.0),
    "pinhole off centre": PinholeLens(fx_px=85.3, fy_px=85.3, cx_px=20.7, cy_px=31.9),
    "pinhole with wide pixels": PinholeLens(fx_px=60.0, fy_px=101.0, cx_px=37.3, cy_px=22.2),
    "pinhole with high pixels": PinholeLens(fx_px=130.0, fy_px=61.5, cx_px=29.0, cy_px=18.5),
    "pinhole far off": PinholeLens(fx_px=300.0, fy_px=310.0, cx_px=-15.0, cy_px=90.0),
    "orthographic": OrthographicLens(width=2.2),
    "fisheye": FisheyeLens(k1=-math.pi / 36, fov_deg=200.0),
    "bent fisheye": BENT_FISHEYE,
}
