"""What each recipe does in Blender; one file each, found by its name."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from pydantic import JsonValue

from farm.errors import SpecError
from farm.spec.camera import IDENTITY, Matrix4
from farm.spec.label import IndexLabel
from farm.spec.passes import PassName
from farm.spec.recipes import RECIPES
from farm.spec.record import CameraRecord
from farm.spec.shutter import Shutter
from farm.spec.task import RenderTask
from farm.spec.view import View
from worker.labels.flow import Shape
from worker.labels.objects import Thing
from worker.labels.tables import material_table
from worker.labels.telling import Looked, Told
from worker.points.bodies import Body
from worker.points.followed import Flags
from worker.points.forms import Form
from worker.points.silhouettes import EVERYWHERE, Clip
from worker.points.tracking import Tracking

if TYPE_CHECKING:  # the session imports Blender, which finding a recipe does not need
    from worker.blender.session import BlenderSession


@dataclass(frozen=True)
class Seen:
    """What a view shows, where that is not the same for all views of its task."""

    indices: tuple[IndexLabel, ...] = ()
    """What the values of the index pass mean."""
    materials: tuple[IndexLabel, ...] = ()
    """What the values of the material pass mean."""
    missing_textures: tuple[str, ...] = ()
    vertex_colours: bool = False
    see_through: bool = False
    untold: tuple[str, ...] = ()
    """Names of materials of which surface passes say nothing."""


class Ground(NamedTuple):
    """A plane that is not seen and catches the shadow of what stands on it."""

    height: float
    """In the renderer's coordinates."""
    size: float
    """Of what stands on it."""
    in_picture: bool
    """The shadow is in the picture, beside its own pass."""


@dataclass(frozen=True)
class Shot:
    """What a recipe arranged for one view, and how to finish its picture."""

    camera: CameraRecord
    gain: float
    """Factor on the scene-linear picture."""
    true_strength: bool
    """The light's strength was set in the scene."""
    exposure: float = 1.0
    """Factor on the finished picture alone: what is no picture stays as it is."""
    ground: Ground | None = None
    """Where a shadow falls, if one is asked for."""
    values: dict[str, JsonValue] = field(default_factory=dict)
    """What the record tells of the view beside."""
    world_from_scene: Matrix4 = IDENTITY
    """From the renderer's coordinates to those in which the record speaks: a turn and a shift."""
    things: tuple[Thing, ...] = ()
    """What the picture shows, in the coordinates in which the record speaks."""
    tracking: Tracking | None = None
    """Of a frame of a sequence: what is followed."""
    shapes: Mapping[int, Shape] = field(default_factory=dict)
    """Of a frame of a sequence that has flow: index -> what the mesh is made of that is seen now,
    known once it is rendered."""
    forms: Mapping[int, Form] = field(default_factory=dict)
    """Of a frame of a sequence: index -> where the points of that mesh are."""
    bodies: Mapping[int, Body] | None = None
    """Index -> what the silhouette of that object is told by, known once it is rendered; None where
    things bring theirs, or nobody asks."""
    silhouettes: Mapping[int, Flags] = field(default_factory=dict)
    """Place of a thing -> its whole silhouette (H, W), of those that were rendered alone."""
    clip: Clip = EVERYWHERE
    """Between what the camera sees."""
    notes: dict[str, tuple[str, ...]] | None = None
    """What was corrected of its assets, where that is not the same for all views of its task."""
    seen: Seen | None = None
    """What it shows, where that is another thing than the task's other views do."""
    fields: dict[str, JsonValue] = field(default_factory=dict)
    """What the user's script returned."""
    deterministic: bool | None = None
    """Of a view that was made twice: it came out the same."""
    tell: Callable[[Looked], Told] | None = None
    """Says more of what was rendered; it runs beside the next render, on any thread."""


def brighter(shot: Shot, stops: float | None) -> Shot:
    """Return a shot whose finished picture is brighter by so many stops."""
    return replace(shot, exposure=shot.exposure * 2.0**stops) if stops else shot


class Shown(Protocol):
    """What stands in the scene: a model, several, or a file's own scene."""

    @property
    def materials(self) -> tuple[str, ...]: ...

    @property
    def missing_textures(self) -> tuple[str, ...]: ...

    @property
    def vertex_colours(self) -> bool: ...

    @property
    def unread(self) -> tuple[str, ...]: ...

    @property
    def clear_cut(self) -> object: ...


class Stage(ABC):
    """A scene that is loaded for a task and is arranged anew for each view."""

    @property
    def shown(self) -> Shown | None:
        """What stands in the scene, of which records tell the rest where nothing else is said."""
        return None

    @property
    def missing_textures(self) -> tuple[str, ...]:
        """Pictures that the scene wants and that are not there."""
        return self.shown.missing_textures if self.shown is not None else ()

    @property
    def vertex_colours(self) -> bool:
        """Something shows colours that its points carry."""
        return self.shown is not None and self.shown.vertex_colours

    @property
    def unread(self) -> tuple[str, ...]:
        """What of the files could not be read."""
        return self.shown.unread if self.shown is not None else ()

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        """File name of an asset -> what was corrected of it, and what was found."""
        return {}

    @property
    def see_through(self) -> bool:
        """Something is half clear, so that labels may look through all of it."""
        return self.shown is not None and bool(self.shown.clear_cut)

    @property
    def metres_per_unit(self) -> float:
        """Metres of real size that one unit of the world stands for."""
        return 1.0

    @property
    def indices(self) -> tuple[IndexLabel, ...]:
        """What the values of the index pass mean."""
        return ()

    @property
    def materials(self) -> tuple[IndexLabel, ...]:
        """What the values of the material pass mean."""
        return material_table(self.shown.materials) if self.shown is not None else ()

    @property
    def label_passes(self) -> tuple[PassName, ...]:
        """Passes that labels need, and that are rendered though nobody asked for their files.

        What tells several things apart is the index.
        """
        return ()

    @property
    def probe(self) -> View | None:
        """A view by which the quality of all pictures of these assets can be decided, whichever of
        them a task has; None where there is no such."""
        return None

    @property
    def needs_silhouettes(self) -> bool:
        """Records tell how much of each thing is hidden, also where only a render of it alone can
        say; else they do where triangles tell, or where the pass `amodal` is asked for."""
        return False

    @property
    def is_sequence(self) -> bool:
        """Views are frames of sequences, whose flow leads to the `neighbours` of each."""
        return False

    def neighbours(self, view: View) -> tuple[View | None, View | None]:
        """Return the frames before and after a view that its flow leads to; mostly there is none.

        They need not be among the views of the task.
        """
        return (None, None)

    @property
    def shutter(self) -> Shutter | None:
        """How long the shutter is open around each view, where its passes take that."""
        return None

    def beside(self, view: View, offset: float) -> View:
        """Return what is seen `offset` frames of the sequence after a view, by the same camera."""
        raise NotImplementedError

    @abstractmethod
    def arrange(self, view: View) -> Shot:
        """Set scene, light and camera for one view."""


Make = Callable[[RenderTask, "BlenderSession", Path], None]
"""Writes the product of a task into an empty folder."""


class StageModule(Protocol):
    """A module of this package. One whose jobs have makers also has `make`."""

    def prepare(self, task: RenderTask, session: BlenderSession) -> Stage:
        """Load what all views of a task share."""


def find_recipe(name: str) -> StageModule:
    """Return what the recipe `name` does in Blender.

    Raises:
        SpecError: There is none.
    """
    known = RECIPES.get(name)
    if known is None:
        raise SpecError(
            f"recipe {name!r} is unknown to this worker, which may be older than the farm"
        )
    return cast(StageModule, importlib.import_module(known.stage))


def find_maker(name: str) -> Make:
    """Return what makes the products of the recipe `name` in Blender.

    Raises:
        SpecError: Nothing does.
    """
    make: Make | None = getattr(find_recipe(name), "make", None)
    if make is None:
        raise SpecError(
            f"recipe {name!r} makes nothing on this worker, which may be older than the farm"
        )
    return make
