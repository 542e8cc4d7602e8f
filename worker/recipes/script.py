"""The `script` recipe in Blender: a scene that the user's own Python changes from view to view."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from farm.errors import ScriptError
from farm.spec.camera import FileCamera
from farm.spec.label import IndexLabel
from farm.spec.passes import PassName
from farm.spec.recipes.script import Setup, View
from farm.spec.task import RenderTask
from farm.spec.view import View as BaseView
from worker.blender.view_passes import HIGHEST_INDEX
from worker.images.multilayer import AVERAGED_LAYERS, Delivery, read_passes
from worker.labels.tables import material_table
from worker.recipes import Seen, Shot, Stage
from worker.recipes.scene import indices_of, thing_of
from worker.scripts.player import Player
from worker.scripts.program import Program, Told

if TYPE_CHECKING:  # which imports Blender
    from worker.blender.file_scene import FileScene
    from worker.blender.session import BlenderSession
    from worker.blender.user_scene import UserScene

log = logging.getLogger(__name__)

CHECK_EVERY = 10
"""Of so many tasks one has a view that is made twice, to see whether it hangs on those before."""
COMPARED: tuple[PassName, ...] = ("index", "depth")
"""Labels by which two renders of a view are compared: they are exact."""
CATEGORY = "object"
"""What kind of things the scene holds that say nothing of it themselves."""


@dataclass(frozen=True)
class Proof:
    """What becomes of a view when it is made."""

    view: str
    """Its name."""
    fields: dict[str, JsonValue]
    labels: str
    """Hash of its labels."""


@dataclass(frozen=True, eq=False)
class Run:
    """One fresh script on a freshly opened scene."""

    session: BlenderSession
    ground: UserScene
    player: Player
    script: str
    """Name of its file."""
    known: list[tuple[FileScene, tuple[str | None, ...], Seen]] = field(default_factory=list)
    """What was seen last: the scene as it was described, categories of its things, and the rest."""

    def shoot(self, view: View) -> Shot:
        """Play the script to a view; return what there is to be seen.

        Raises:
            ScriptError: The script fails, or leaves a scene that cannot be rendered.
        """
        told = self.player.show(view)
        opened = self.session.describe(self.ground)
        if opened.light.is_none:
            self.session.light_scene(opened, "file")
        bodies = self.session.bodies() if "amodal" in self.session.passes else None
        self.session.show_to(bodies)
        shot = Shot(
            camera=self.session.look_through(self._camera(view)),
            gain=1.0,
            true_strength=True,
            things=tuple(
                thing_of(placed, category=CATEGORY, asset=0) for placed in opened.placed()
            ),
            seen=self._seen(opened),
            fields=told.fields,
            values=pictures_of(told),
            bodies=bodies,
        )
        self.ground.update()
        return shot

    def prove(self, shot: Shot, view: View) -> Proof:
        """Return what becomes of a view that was shot just now."""
        path = self.session.render_labels()
        try:
            return Proof(view.name, shot.fields, hash_of_labels(path))
        finally:
            path.unlink(missing_ok=True)

    def _seen(self, opened: FileScene) -> Seen:
        """Return what a scene shows now: mostly the same as in the view before.

        Raises:
            ScriptError: There is more than labels can tell apart.
        """
        categories = opened.categories
        if not (self.known and self.known[0][0] is opened and self.known[0][1] == categories):
            if len(opened.items) > HIGHEST_INDEX:
                raise ScriptError(
                    f"{self.script}: the scene has {len(opened.items):,} objects, and labels tell "
                    f"{HIGHEST_INDEX:,} apart: let it hold fewer"
                )
            self.known[:] = [(opened, categories, seen_in(opened, self.session.untold))]
        return self.known[0][2]

    def _camera(self, view: View) -> FileCamera:
        if isinstance(view.camera, FileCamera):
            return view.camera
        try:
            return FileCamera(name=self.ground.camera_name)
        except ScriptError as error:
            raise ScriptError(f"{self.script}: {error}") from error


@dataclass(frozen=True, eq=False)
class ScriptStage(Stage):
    """A scene whose script is played from view to view; what it holds may change with it."""

    run: Run
    opened: FileScene
    """As the script's `setup` left it."""
    views: tuple[View, ...]
    proof: Proof | None = None
    """Of a view that was made alone before."""
    played: list[str] = field(default_factory=list)
    """Names of the views that were played."""

    @property
    def shown(self) -> FileScene:
        return self.opened

    @property
    def label_passes(self) -> tuple[PassName, ...]:
        return COMPARED if self.proof is not None else COMPARED[:1]

    @property
    def indices(self) -> tuple[IndexLabel, ...]:
        return indices_of(self.opened, category=CATEGORY)

    @property
    def metres_per_unit(self) -> float:
        return self.opened.metres_per_unit

    def arrange(self, view: BaseView) -> Shot:
        assert isinstance(view, View)
        place = [each.name for each in self.views].index(view.name)
        for before in self.views[len(self.played) : place]:  # finished by an earlier attempt
            self.run.player.show(before)
            self.played.append(before.name)
        shot = self.run.shoot(view)
        self.played.append(view.name)
        if self.proof is None or self.proof.view != view.name:
            return shot
        same = self.proof == self.run.prove(shot, view)
        if not same:
            log.warning(
                "%s is another view alone than after those before it: let frame() set everything "
                "that it depends on", view.name,
            )  # fmt: skip
        return replace(shot, deterministic=same)


def prepare(task: RenderTask, session: BlenderSession) -> ScriptStage:
    """Open the scene and run the script's setup; where it is this task's turn, make its last view
    alone before.
    """
    views = tuple(view for view in task.views if isinstance(view, View))
    proof = prove_alone(task, session, views[-1]) if task.index % CHECK_EVERY == 0 else None
    run = begin(task, session)
    return ScriptStage(run, session.describe(run.ground), views, proof)


def prove_alone(task: RenderTask, session: BlenderSession, view: View) -> Proof:
    """Make one view alone, from the opened file on."""
    more = tuple(name for name in COMPARED if name not in task.passes)
    session.configure(task.render, task.passes + more)
    run = begin(task, session)
    return run.prove(run.shoot(view), view)


def begin(task: RenderTask, session: BlenderSession) -> Run:
    """Open the scene as its file has it, and start the script on it.

    Raises:
        AssetError: The scene cannot be read.
        ScriptError: The script fails.
    """
    setup, [script] = task.setup, task.of("script")
    assert isinstance(setup, Setup)
    ground = session.open_user_scene(next(iter(task.of("scene")), None))
    file = Path(script.path)
    beside = [file.parent / each.path for each in script.dependencies]
    program = Program(file, script.name, ground, beside)
    program.start(setup.params, seed=setup.seed)
    player = Player(program, ground, setup, lambda: meet(session, ground))
    return Run(session, ground, player, script.name)


def meet(session: BlenderSession, ground: UserScene) -> None:
    """Let the renderer meet rigid bodies before they move, and in the frame after.

    When it first meets them later, or when something of them has changed in that frame, Bullet
    makes their shapes anew: they lose their speed, or are rendered where they began.
    """
    if ground.has_rigid_bodies:
        session.describe(ground)
        session.render_labels().unlink()


def seen_in(opened: FileScene, untold: tuple[str, ...]) -> Seen:
    """Return what a scene shows now."""
    return Seen(
        indices=indices_of(opened, category=CATEGORY),
        materials=material_table(opened.materials),
        missing_textures=opened.missing_textures,
        untold=untold,
        vertex_colours=opened.vertex_colours,
        see_through=bool(opened.clear_cut),
    )


def pictures_of(told: Told) -> dict[str, JsonValue]:
    """Return what the record tells of pictures that a script published: which passes they are."""
    return {"pictures": dict(told.pictures)} if told.pictures else {}


def hash_of_labels(path: Delivery) -> str:
    """Return what tells the labels of a render from others: all that is no average of samples."""
    layers = read_passes(path).layers
    found = hashlib.sha256()
    for name in sorted(layers):
        if not AVERAGED_LAYERS.fullmatch(name):
            found.update(name.encode() + layers[name].tobytes())
    return found.hexdigest()
