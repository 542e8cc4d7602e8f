"""What every recipe's spec has."""

from __future__ import annotations

from typing import ClassVar

from farm.spec.base import Spec
from farm.spec.render import ImageFormat


class Recipe(Spec):
    """The kind of dataset that a spec asks for; `kind` names the three files of a recipe."""

    kind: str
    default_format: ClassVar[ImageFormat] = "png"
    """Taken where the spec names no format."""
