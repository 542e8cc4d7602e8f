"""A view that Cycles has rendered, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from farm.spec.view import View
from worker.images.multilayer import Passes, read_passes
from worker.recipes import Shot


@dataclass(frozen=True)
class Rendered:
    """A view that Cycles has rendered and nobody has looked at."""

    view: View
    shot: Shot
    path: Path
    load_s: float
    render_s: float
    centres: Path | None = None
    """A second file, with the labels that the first cannot tell, of the pixels' centres."""

    def drop(self) -> None:
        """Remove what was rendered."""
        for path in (self.path, self.centres):
            if path is not None:
                path.unlink(missing_ok=True)

    def read(self) -> Passes:
        """Read the passes and remove the files.

        Raises:
            RenderError: They are not there or not whole.
        """
        passes = read_once(self.path)
        return passes if self.centres is None else read_once(self.centres).over(passes)


def read_once(path: Path) -> Passes:
    """Read a render and remove its file."""
    try:
        return read_passes(path)
    finally:
        path.unlink(missing_ok=True)
