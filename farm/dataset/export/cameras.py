"""Cameras as other tools have them; what they cannot express is refused."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.survey import Survey
from farm.errors import SpecError
from farm.spec.record import CameraModel, CameraRecord

Numbers = NDArray[np.float64]
HALF_PIXEL = 0.5
"""OpenCV and BOP count pixels from the centre of the first one; records from its corner."""
OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])


def only_pinholes(survey: Survey, reader: str) -> None:
    """Make sure that all views were taken by a pinhole.

    Raises:
        SpecError: One was not.
    """
    for model, name in survey.cameras.items():
        if model != "pinhole":
            raise SpecError(
                f"{name}: its camera is {named(model)}, but {reader} supports only pinholes: "
                "export to webdataset or huggingface, whose records hold every camera, or render "
                "it with a perspective or pinhole lens"
            )


def named(model: CameraModel) -> str:
    """Return what people call a camera that is not a pinhole."""
    return {"orthographic": "orthographic", "fisheye_polynomial": "a polynomial fisheye"}[model]


def world_from_opencv(camera: CameraRecord, scale: float) -> Numbers:
    """Return the pose (4, 4) of a camera with x right, y down, z ahead; shifts times `scale`."""
    pose = np.array(camera.world_from_camera) @ OPENCV_FROM_OPENGL
    pose[:3, 3] *= scale
    return pose


def quaternion(rotation: Numbers) -> Numbers:
    """Return w, x, y, z of a rotation (3, 3), with w at least 0."""
    m = np.asarray(rotation, dtype=np.float64)
    squares = np.array(
        [
            1 + m[0, 0] + m[1, 1] + m[2, 2],
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
        ]
    )
    products = np.array(
        [
            [squares[0], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], squares[1], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]],
            [m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], squares[2], m[1, 2] + m[2, 1]],
            [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], squares[3]],
        ]
    )
    best = products[int(squares.argmax())]  # the row that divides by the most
    unit = best / np.linalg.norm(best)
    return np.asarray(-unit if unit[0] < 0 else unit)


def without_flips(quaternions: Iterable[Numbers]) -> list[Numbers]:
    """Return quaternions of which each has the sign that is nearer to the one before."""
    found: list[Numbers] = []
    for each in quaternions:
        found.append(-each if found and float(found[-1] @ each) < 0 else each)
    return found
