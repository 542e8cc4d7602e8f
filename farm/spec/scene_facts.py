"""What is known of an animated scene before any of it is rendered."""

from __future__ import annotations

from pydantic import Field, PositiveFloat

from farm.spec.base import Spec

ALL_CLIPS = "all"
"""Stands for all animations of a file at once."""


class Clip(Spec):
    """One animation of a file that has several: of a glTF, or a take of an FBX."""

    name: str
    frame_start: int
    frame_end: int
    """Inclusive."""


class CameraCut(Spec):
    """From `frame` on, the scene is seen by another camera: a marker of the file says so."""

    frame: int
    camera: str


class Baked(Spec):
    """What moves by physics and was baked in its file, or beside it."""

    name: str
    """As people know it: `cloth of Flag`."""
    frame_end: int
    """The last frame for which it was; after it stands still."""


class Cache(Spec):
    """A file beside a scene that moves things in it."""

    name: str
    frame_start: float = Field(allow_inf_nan=False)
    frame_end: float = Field(allow_inf_nan=False)
    """In frames of the scene, inclusive; beyond, what it moves stands still."""


class SceneFacts(Spec):
    """What a scene's file says of its time and its cameras, and what stands in the way."""

    fps: PositiveFloat
    """Frames per second of the file's own time."""
    frame_start: int
    frame_end: int
    """Inclusive."""
    is_still: bool = False
    """Nothing in it moves and it states no frames: any will do."""
    is_dark: bool = False
    """It has no world and no lamp, and nothing in it glows."""
    cameras: tuple[str, ...] = ()
    """Names, sorted; those that labels cannot follow are not among them."""
    camera: str | None = None
    """The one that the file renders with; None where it has none, or none that can be used."""
    unfit_cameras: dict[str, str] = Field(default_factory=dict)
    """Name -> why labels cannot follow it."""
    cuts: tuple[CameraCut, ...] = ()
    """Markers that switch cameras, by frame."""
    clips: tuple[Clip, ...] = ()
    """Of a file with several animations: each, in the file's order."""
    simulations: tuple[str, ...] = ()
    """What must be baked, as people know it: `cloth of Flag`. What is baked already is not here."""
    baked: tuple[Baked, ...] = ()
    """What is baked already."""
    caches: tuple[Cache, ...] = ()
    """Alembic and USD files that move things in it, as far as their times are known."""
    whole_frames: tuple[str, ...] = ()
    """What Blender shows rightly at whole frames alone: `particles Hair of Head`."""
    refused: tuple[str, ...] = ()
    """Why no frame of it would be right, one sentence each: a missing library, a fluid without
    its cache."""
    python_drivers: tuple[str, ...] = ()
    """What Python drives, which never runs: `Cube: location[0]`."""

    def __hash__(self) -> int:
        values = self.__dict__ | {"unfit_cameras": tuple(self.unfit_cameras.items())}
        return hash(tuple(values.values()))
