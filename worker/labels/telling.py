"""What was rendered of a view, and what a recipe tells of it in the record."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.spec.expression import Expression
from farm.spec.label import ObjectLabel
from farm.spec.record import CameraRecord
from worker.images.multilayer import Passes


class Looked(NamedTuple):
    """What was rendered of a view, for a recipe that has more to say of it."""

    objects: tuple[ObjectLabel, ...]
    """Of the shot's things, in their order."""
    camera: CameraRecord
    passes: Passes
    """What Cycles delivered."""
    indices: NDArray[np.uint16] | None
    """(H, W), which of the task's `indices` each pixel shows; None where all is of one thing."""


class Told(NamedTuple):
    """What the record tells of a view, once it was looked at."""

    objects: tuple[ObjectLabel, ...]
    expressions: tuple[Expression, ...] = ()
