"""How a scene stands once it has settled: what its maker makes for the tasks of its views."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from farm.errors import ProductError
from farm.spec.base import Spec
from farm.spec.camera import Matrix4
from farm.spec.task import Need

NAME = "settled.json"


class SettledProp(Spec):
    """One thing of the scene, in the order of the setup's `props`."""

    world_from_file: Matrix4
    """Turns, scales and shifts the file's coordinates; the world is in metres, its origin the
    middle of the table's top, z up."""
    on: tuple[int, ...] = ()
    """Places among the props of what it rests on; -1 is the table."""
    inside: tuple[int, ...] = ()
    """Of what it lies in."""
    touches: tuple[int, ...] = ()
    """Of all that it touches."""


class Settled(Spec):
    """A scene at rest."""

    surface: Matrix4
    """`world_from_file` of the table."""
    props: tuple[SettledProp, ...]
    draw: int = Field(default=0, ge=0)
    """Which of the setup's draws came to rest; those before did not."""


def write_settled(settled: Settled, folder: Path) -> None:
    """Write how a scene stands into a product's folder."""
    (folder / NAME).write_text(settled.model_dump_json(), encoding="utf-8")


def read_settled(need: Need) -> Settled:
    """Read how a scene stands.

    Raises:
        ProductError: It is not there, or not what this version writes.
    """
    try:
        return Settled.model_validate_json(Path(need.path, NAME).read_bytes())
    except (OSError, ValidationError) as error:
        raise ProductError(need.product, need.made_by, f"{NAME} cannot be read") from error
