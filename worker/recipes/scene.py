"""What recipes share whose views show a file's own scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm.spec.camera import FileCamera, PoseCamera
from farm.spec.label import IndexLabel
from farm.spec.passes import VALIDITY, PassName
from farm.spec.record import CameraRecord
from farm.spec.view import View
from worker.labels.objects import Thing
from worker.labels.tables import index_table
from worker.recipes import Shot, Stage

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.file_scene import FileScene, Placed
    from worker.blender.session import BlenderSession
    from worker.blender.tracks import Follower


@dataclass(frozen=True, eq=False)
class SceneStage(Stage):
    """A scene that plays: each view is a moment of it, seen by a camera of the file or a pose."""

    session: BlenderSession
    opened: FileScene
    category: str = "object"
    """What kind of things the scene holds that its file says nothing of."""
    asset: int = 0
    """Place of the scene among the task's assets."""

    @property
    def shown(self) -> FileScene:
        return self.opened

    @property
    def label_passes(self) -> tuple[PassName, ...]:
        return ("index",)

    @property
    def indices(self) -> tuple[IndexLabel, ...]:
        return indices_of(self.opened, category=self.category)

    @property
    def metres_per_unit(self) -> float:
        return self.opened.metres_per_unit

    def arrange(self, view: View) -> Shot:
        if view.frame is not None:
            self.opened.show_frame(view.frame)
        camera = self.session.look_through(self.camera_of(view), motion=self.motion_of(view))
        valid = self.is_sequence and not VALIDITY.isdisjoint(self.session.passes)
        tracking = self.track(camera)
        shapes = self.opened.shapes() if valid else None
        bodies = self.session.bodies() if "amodal" in self.session.passes else None
        self.session.show_to(tracking, shapes, bodies)
        return Shot(
            camera=camera,
            gain=1.0,
            true_strength=True,
            things=self.things(),
            tracking=tracking,
            shapes=shapes if shapes is not None else {},
            forms=self.opened.forms() if valid else {},
            bodies=bodies,
        )

    def track(self, camera: CameraRecord) -> Follower | None:
        """Return what follows points in the frame that is rendered next, if the recipe does."""
        return None

    def camera_of(self, view: View) -> FileCamera | PoseCamera:
        """Return what a view is seen by."""
        assert isinstance(view.camera, FileCamera | PoseCamera), "an orbit is around a model"
        return view.camera

    def motion_of(self, view: View) -> tuple[PoseCamera, PoseCamera] | None:
        """Return where the camera of a pose is one frame before and after a view, if it moves."""
        return None

    def things(self) -> tuple[Thing, ...]:
        """Return what is rendered, where it is now."""
        return tuple(self.thing(placed) for placed in self.opened.placed())

    def thing(self, placed: Placed) -> Thing:
        """Return an object of the scene as labels know it."""
        return thing_of(placed, category=self.category, asset=self.asset)


def indices_of(opened: FileScene, *, category: str) -> tuple[IndexLabel, ...]:
    """Return what the values of the index pass mean in a file's own scene.

    Args:
        opened: The scene.
        category: What kind of things it holds that its file says nothing of.
    """
    labels = index_table(opened.objects, category=category)
    return tuple(
        label if own is None else label.model_copy(update={"category": own})
        for label, own in zip(labels, opened.categories, strict=True)
    )


def thing_of(placed: Placed, *, category: str, asset: int) -> Thing:
    """Return an object of a file's own scene as labels know it."""
    return Thing(
        name=placed.name,
        category=placed.category or category,
        indices=(placed.index,),
        world_from_object=placed.world_from_object,
        size=placed.size,
        outline=placed.outline,
        asset=asset,
    )
