"""How a scene stands once it has settled: what its maker makes for the tasks of its views."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from farm.errors import ProductError
from farm.spec.recipes.tabletop import Settled
from farm.spec.task import Need

NAME = "settled.json"


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
