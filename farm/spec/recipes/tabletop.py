"""Several things on a table, seen from around it, with sentences that say which is which."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from farm.spec.base import Spec
from farm.spec.camera import Matrix4, PerspectiveLens, PoseCamera
from farm.spec.expression import ExpressionRules
from farm.spec.left_out import is_none
from farm.spec.passes import PassName
from farm.spec.randomise import (
    Angle,
    Distractors,
    DomeCamera,
    Drawn,
    Elevation,
    Focal,
    Length,
    Materials,
    Offset,
    Randomise,
    Shape,
    Sky,
    Surfaces,
    uniform,
)
from farm.spec.recipes.base import AssetRole, Recipe
from farm.spec.recipes.base import Setup as BaseSetup
from farm.spec.view import Light
from farm.spec.view import View as BaseView
from farm.spec.words import AssetWords, read_words

ROLES = (
    AssetRole("objects", "model", "object"),
    AssetRole("surfaces", "model", "surface", at_least=0),
    AssetRole("distractors", "model", "distractor", at_least=0),
    AssetRole("textures", "image", "texture", at_least=0),
    AssetRole("hdrs", "hdr", "HDRI", at_least=0, tagged=True),
)
MOST_OBJECTS = 100
MOST_SCENES = 10_000_000
MOST_VIEWS = 100_000_000
LEAST_TABLE_M, MOST_TABLE_M = 0.05, 100.0
SUPPORTED: tuple[PassName, ...] = ("index", "depth", "albedo")
"""Passes from which sentences are made, and by which they are proven."""

Three = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
"""(w, x, y, z), of length 1."""


def _range(value: Any) -> Any:
    """Let `6..12`, or one number, stand for a range."""
    if isinstance(value, list | tuple) and len(value) == 1:  # of a flag without a comma
        return _range(value[0])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value, value)
    if not isinstance(value, str):
        return value
    low, dots, high = value.partition("..")
    try:
        float(low), float(high or low)
    except ValueError:
        raise ValueError(f"{value!r} is not a range, such as 6..12") from None
    return (low.strip(), high.strip() if dots else low.strip())


Whole = Annotated[tuple[int, int], BeforeValidator(_range)]
Range = Annotated[tuple[float, float], BeforeValidator(_range)]


class Dome(DomeCamera):
    """Where cameras stand around the table; each number is drawn evenly, or as it says."""

    elevation_deg: Elevation = uniform(25.0, 65.0)
    """Above the table: 90 looks straight down."""
    distance_m: Length = uniform(0.9, 1.4)
    """From the point that is looked at."""
    roll_deg: Angle = uniform(-10.0, 10.0)
    """Turn of the picture."""
    focal_length_mm: Focal = uniform(35.0, 50.0)
    """On a sensor 36 mm wide."""
    look_at_m: Offset = uniform(-0.05, 0.05)
    """Shift of that point from the middle of the table, along x and along y."""


class TableRandomise(Randomise):
    """What is drawn anew for each view or scene; what is not named stays as it is."""

    hdri: Sky | None = None
    """How the HDRI stands and shines, in place of any turn and `strength`."""
    camera: DomeCamera | None = None
    """Where cameras stand, in place of `camera`."""
    materials: Materials | None = None
    """What becomes of the materials of objects."""
    surface: Surfaces | None = None
    """How the table looks."""
    distractors: Distractors | None = None
    """Things beside the objects that no sentence names."""


class RecipeSpec(Recipe):
    """Scenes of several things that settle on a table, each seen several times."""

    roles: ClassVar[tuple[AssetRole, ...]] = ROLES
    file_flags: ClassVar[dict[str, tuple[str, ...]]] = {"words": (".yaml", ".yml")}
    names_show_assets: ClassVar[bool] = False
    silhouette_tells: ClassVar[bool] = False

    kind: Literal["tabletop"] = "tabletop"
    """Name of the recipe."""
    scenes: int = Field(default=10, ge=1, le=MOST_SCENES)
    """How many scenes."""
    views: int = Field(default=5, ge=1, le=1000)
    """Views of each scene."""
    words: str | dict[str, AssetWords] = Field(default_factory=dict)
    """What the objects are called: a file that `farm words propose` makes."""
    per_scene: Whole = (6, 12)
    """Objects in a scene, such as 6..12."""
    copies: Whole = (1, 2)
    """How often an asset stands in a scene that has it."""
    categories: Whole | None = None
    """How many kinds of things, by noun, a scene has; left out: any number."""
    arrangement: Literal["drop", "place"] = "drop"
    """Objects fall onto the table, or are put on it."""
    rows: int = Field(default=4, ge=1, le=20)
    """Of `place`: rows of the grid, the last one in front."""
    columns: int = Field(default=4, ge=1, le=20)
    """Of `place`: its columns."""
    free: bool = False
    """Of `place`: anywhere, with some clearance, instead of in a grid."""
    stacks: float = Field(default=0.0, ge=0.0, le=1.0)
    """Of `place`: share of objects that are put onto another one."""
    table_m: tuple[float, float] = (1.0, 0.7)
    """Length and width of the table, where no surface is named."""
    scale: Literal["file", "expected"] = "file"
    """Objects are as large as their files say, or as their words do (`size_m`)."""
    skies: int = Field(default=1, ge=1, le=1000)
    """HDRIs that light the views of a scene, one after the other."""
    strength: Range = (0.7, 1.5)
    """Lowest and highest strength of the HDRI."""
    camera: Dome = Dome()
    """Where cameras stand."""
    camera_tries: int = Field(default=10, ge=1, le=100)
    """Cameras of a view, each tried where the one before it does not see enough."""
    min_visible: int = Field(default=3, ge=0, le=MOST_OBJECTS)
    """Objects of which a view must show `visible_fraction` and `visible_px`."""
    visible_fraction: float = Field(default=0.4, ge=0.0, le=1.0)
    """Least share to be seen of what sentences name."""
    visible_px: int = Field(default=200, ge=1)
    """Least pixels of it."""
    scene_tries: int = Field(default=10, ge=1, le=100)
    """Scenes that are drawn, each where the one before it did not settle."""
    expressions: ExpressionRules = ExpressionRules()
    """Which sentences a view gets."""
    randomise: TableRandomise | None = Field(default=None, exclude_if=is_none)
    """What is drawn anew: `all`, or some of lights, exposure, hdri, camera, materials, surface,
    distractors; each has fields of its own."""
    holdout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of scenes, the last ones, that show a share of the objects which no other scene does:
    so that `farm dataset split` has something to keep apart."""

    @field_validator("per_scene", "copies", "categories", "strength")
    @classmethod
    def _is_a_range(cls, value: tuple[float, float] | None) -> Any:
        if value is not None and not 0 < value[0] <= value[1]:
            raise ValueError(f"{value[0]}..{value[1]} is not a range, such as 6..12")
        return value

    @field_validator("table_m")
    @classmethod
    def _is_a_table(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not all(LEAST_TABLE_M <= side <= MOST_TABLE_M for side in value):
            raise ValueError(
                f"{value[0]:g} x {value[1]:g} m is not a table: use {LEAST_TABLE_M:g} to "
                f"{MOST_TABLE_M:g} m"
            )
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.scenes * self.views > MOST_VIEWS:
            raise ValueError(
                f"scenes: {self.scenes:,} of {self.views:,} views each are more than "
                f"{MOST_VIEWS:,} views: lower one of both"
            )
        if self.arrangement == "drop" and (self.free or self.stacks):
            given = "free" if self.free else "stacks"
            raise ValueError(f"{given}: is of things that are put: say --arrangement place")
        if self.per_scene[1] > MOST_OBJECTS:
            raise ValueError(f"per_scene: {self.per_scene[1]} is more than {MOST_OBJECTS}")
        if self.arrangement == "place" and not self.free:
            cells = self.rows * self.columns
            if self.per_scene[0] > cells:
                raise ValueError(
                    f"per_scene: {self.per_scene[0]} objects do not fit into {self.rows} x "
                    f"{self.columns} cells: give more rows or columns, or --free"
                )
        return self

    @property
    def passes_with_it(self) -> tuple[PassName, ...]:
        """Those by which sentences are proven again."""
        return SUPPORTED if self.expressions.per_view else ()

    def with_files(self, read: Callable[[str], str]) -> Self:
        if not isinstance(self.words, str):
            return self
        return self.model_copy(update={"words": read_words(read(self.words), name=self.words)})


class Prop(Spec):
    """One thing of a scene."""

    asset: int | None = None
    """Place among the task's assets; None of a `shape`."""
    shape: Shape | None = Field(default=None, exclude_if=is_none)
    """Of a distractor that the farm itself brings: what it is."""
    size_m: float | None = Field(default=None, gt=0.0, exclude_if=is_none)
    """Of such a one: how large it is from side to side; `worker.tabletop.standing` brings it so."""
    words: AssetWords | None = None
    """What it is called; of a distractor nothing."""
    falls: bool = True
    """It moves by gravity; else it floats where it is put."""


class Placement(Spec):
    """Where a thing is before it settles."""

    at_m: Three
    """Of `drop`, where the middle of its box is let go; of `place`, where it is put, at any
    height: x right, y away, z up from the middle of the table's top."""
    turn: Quaternion = (1.0, 0.0, 0.0, 0.0)
    """How its file's axes are turned."""
    on: int | None = Field(default=None, exclude_if=is_none)
    """Of a stack: place among the scene's things of the one that it is put onto."""


class Surface(Spec):
    """What things lie on."""

    asset: int | None = None
    """Place among the task's assets; None: a plain board."""
    size_m: tuple[float, float]
    """Length and width of the plain board."""


class SettledProp(Spec):
    """One thing of a scene at rest, in the order of the setup's `props`."""

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


class Setup(BaseSetup):
    """A scene: what stands on which table."""

    kind: Literal["tabletop"] = "tabletop"
    arrangement: Literal["drop", "place"] = "drop"
    scale: Literal["file", "expected"] = "file"
    surface: Surface
    props: tuple[Prop, ...]
    """What stands there."""
    draws: tuple[tuple[Placement, ...], ...] = ()
    """Of a maker: where each is let go; then again, for when those do not settle, and so on."""
    min_visible: int = 0
    visible_fraction: float = 0.4
    visible_px: int = 200
    expressions: ExpressionRules | None = None
    """Of a maker: none."""
    settled: Settled | None = Field(default=None, exclude_if=is_none)
    """How it stands, where records tell; left out: what a maker made says so."""


class DomePose(Spec):
    """A camera around a table, in numbers."""

    kind: Literal["dome"] = "dome"
    azimuth_deg: float
    elevation_deg: float
    distance_m: float
    roll_deg: float
    focal_length_mm: float
    look_at_m: tuple[float, float]

    @property
    def camera(self) -> PoseCamera:
        """The camera that stands so."""
        lens = PerspectiveLens(focal_length_mm=self.focal_length_mm)
        return PoseCamera(world_from_camera=self.world_from_camera, lens=lens)

    @property
    def world_from_camera(self) -> Matrix4:
        """Where it stands and looks."""
        (ca, sa), (ce, se), (cr, sr) = map(
            cos_sin, (self.azimuth_deg, self.elevation_deg, self.roll_deg)
        )
        right, up, back = (-sa, ca, 0.0), (-se * ca, -se * sa, ce), (ce * ca, ce * sa, se)
        target = (*self.look_at_m, 0.0)

        def row(axis: int) -> tuple[float, float, float, float]:
            return (
                round(cr * right[axis] + sr * up[axis], 9),
                round(cr * up[axis] - sr * right[axis], 9),
                round(back[axis], 9),
                round(target[axis] + self.distance_m * back[axis], 9),
            )

        return (row(0), row(1), row(2), (0.0, 0.0, 0.0, 1.0))


def cos_sin(angle_deg: float) -> tuple[float, float]:
    """Return cosine and sine."""
    return math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))


class View(BaseView):
    """A scene from one side."""

    kind: Literal["tabletop"] = "tabletop"
    camera: PoseCamera
    """The first of `cameras`."""
    cameras: tuple[Annotated[DomePose | PoseCamera, Field(discriminator="kind")], ...] = ()
    """Tried one after the other, where those before do not see enough."""
    drawn: Drawn | None = Field(default=None, exclude_if=is_none)
    """What `randomise` drew beside camera and environment."""
    light: Light = Light()
    hdr: int | None = None
    """Place among the task's assets of the HDRI."""
    words_seed: int = 0
    """What the choice of sentences is drawn from."""
    scene: int = 0
    number: int = 0
    """Of the view in its scene."""

    @property
    def caption(self) -> str:
        return f"view {self.number}"

    @property
    def facets(self) -> dict[str, str]:
        return {}
