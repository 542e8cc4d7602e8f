"""Proof that a device renders what it should: one tiny picture, compared with the known answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from farm.errors import DeviceError, TaskError
from worker.images.multilayer import read_passes

if TYPE_CHECKING:  # bpy is imported by the process that renders, not by whoever imports this
    from worker.blender.session import BlenderSession

BLOCKS = 4
KNOWN = np.array(
    [
        [[0.047, 0.024, 0.007, 0.088], [0.162, 0.083, 0.024, 0.268],
         [0.180, 0.092, 0.026, 0.297], [0.027, 0.014, 0.004, 0.045]],
        [[0.139, 0.072, 0.021, 0.400], [0.426, 0.218, 0.063, 1.000],
         [0.380, 0.194, 0.055, 1.000], [0.213, 0.109, 0.031, 0.643]],
        [[0.088, 0.045, 0.014, 0.268], [0.309, 0.159, 0.046, 1.000],
         [0.289, 0.148, 0.042, 1.000], [0.149, 0.076, 0.022, 0.516]],
        [[0.002, 0.001, 0.000, 0.006], [0.190, 0.098, 0.028, 0.625],
         [0.142, 0.073, 0.021, 0.490], [0.026, 0.014, 0.004, 0.092]],
    ]
)  # fmt: skip
"""(4, 4, RGBA): the means of the test card's blocks of 8 x 8 pixels, scene-linear, rendered by
Blender 5.2 on a CPU."""
TOLERANCE = 0.02
"""Devices draw the same samples and round differently: a sample on an edge may fall to its other
side, which is 1/512 of a block. Ten such are allowed; a broken device shows black, noise, or
nothing, and is off by 0.1 and more."""


def prove_device(session: BlenderSession) -> None:
    """Render the test card; the driver compiles its kernels now, and not in a task.

    Raises:
        DeviceError: The device is listed, but cannot render, or renders something else.
    """
    name = f"{session.device} ({session.device_name})"
    try:
        path = session.render_test_card()
        try:
            picture = read_passes(path).layers["Combined"]
        finally:
            path.unlink(missing_ok=True)
    except TaskError as error:
        raise DeviceError(f"{name} fails: {error}") from error
    off = difference(picture)
    if not off <= TOLERANCE:  # also where it is not a number
        raise DeviceError(
            f"{name} renders wrong pictures: its test card differs from the known picture by "
            f"{off:.3f}; at most {TOLERANCE} is allowed; update the driver, or test the hardware"
        )


def prove_rare(session: BlenderSession) -> None:
    """Render what few scenes use, so that the driver compiles the kernels of that, too.

    Raises:
        DeviceError: The device cannot.
    """
    try:
        session.render_test_card(rare=True).unlink(missing_ok=True)
    except TaskError as error:
        raise DeviceError(f"{session.device} ({session.device_name}) fails: {error}") from error


def difference(picture: NDArray[np.float32]) -> float:
    """Return by how much a picture (H, W, 4) of the test card differs from the known one."""
    height, width, channels = picture.shape
    blocks = picture.reshape(BLOCKS, height // BLOCKS, BLOCKS, width // BLOCKS, channels)
    return float(np.abs(blocks.mean(axis=(1, 3)) - KNOWN).max())
