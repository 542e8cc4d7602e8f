"""Animated scenes as video: runs of frames with the labels that lead from one to the next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from farm.spec.base import Spec
from farm.spec.camera import AnyLens, FileCamera, PathCamera, PerspectiveLens
from farm.spec.left_out import is_none, usual
from farm.spec.moment import Moment
from farm.spec.passes import PASSES, SUFFIXES, PassName
from farm.spec.randomise import Drawn, Randomise
from farm.spec.recipes.base import AssetRole, Recipe
from farm.spec.recipes.base import Setup as BaseSetup
from farm.spec.render import ImageFormat
from farm.spec.shutter import Shutter
from farm.spec.trajectory import (
    FORMATS,
    LENGTH_SLACK,
    MOST_POSES,
    TUM_COLUMNS,
    Convention,
    Pose,
    read_trajectory,
)
from farm.spec.view import View as BaseView

ROLES = (
    AssetRole("scenes", "scene", "scene"),
    AssetRole("hdrs", "hdr", "HDRI", at_least=0),
)
FINEST = 900
"""Blender stretches time by whole numbers up to this, over another."""
SUBFRAMES = 9
EVENT_THRESHOLD = 0.2
TIME_DEPENDENT = "time_dependent"
"""Of a record's values: what of the scene, its cameras aside, hangs on time, by name, each with how
it is in the frame: a hash, and of a thing with a box 12 numbers, where its middle is and that of
three sides. What is the same in all frames stands still."""
LAMP, WORLD = "the lamp ", "the world "
"""How the names of what gives light begin there."""
Multiplier = Annotated[float, Field(ge=1 / 64, le=64)]
Three = tuple[float, float, float]


class Path(Spec):
    """A camera of our own that moves through the scene; it never enters what stands there."""

    model_config = ConfigDict(allow_inf_nan=False)

    target: str | Three | None = None
    """What is looked at: an object's name, or a point; left out: the middle of the scene."""
    lens: AnyLens = PerspectiveLens()
    """What the camera sees."""
    clip_start: float = Field(default=0.1, gt=0.0, le=1e6)
    """How far in front of the camera its near plane is, in units of the scene: nothing comes nearer
    than the corners of that."""


class OrbitPath(Path):
    """Around the target at one height."""

    kind: Literal["orbit"] = "orbit"
    speed: float = Field(default=1.0, ge=-1e6, le=1e6)
    """Units of the scene per second, anticlockwise from above; below 0: clockwise."""
    radius: float | None = Field(default=None, gt=0.0, le=1e6)
    """From the axis through the target, units of the scene; left out: so that the target, or the
    scene, fills the picture, or less where something is in the way."""
    height: float | None = Field(default=None, ge=-1e6, le=1e6)
    """Above the target; left out: a third of the radius, or more where something is in the way."""


class PanPath(Path):
    """On the spot, turning from left to right; half-way it looks at the target."""

    kind: Literal["pan"] = "pan"
    speed: float = Field(default=10.0, ge=-3600.0, le=3600.0)
    """Degrees per second; below 0: from right to left."""
    position: Three | None = None
    """Left out: a free place that sees the target."""


class DollyPath(Path):
    """Straight towards the target."""

    kind: Literal["dolly"] = "dolly"
    speed: float = Field(default=1.0, ge=-1e6, le=1e6)
    """Units of the scene per second; below 0: away from the target."""
    position: Three | None = None
    """Where it starts; left out: a free place that sees the target."""


class RandomWalkPath(Path):
    """A smooth walk by chance, with the target in view."""

    kind: Literal["random_walk"] = "random_walk"
    speed: float = Field(default=1.0, gt=0.0, le=1e6)
    """Units of the scene per second."""


class TrajectoryPath(Path):
    """Poses of a file, between which the camera moves smoothly; time 0 is the scene's first."""

    kind: Literal["trajectory"] = "trajectory"
    speed: float = Field(default=1.0, gt=0.0, le=1e6)
    """How many seconds of the file pass in one of the scene."""
    poses: tuple[Pose, ...] = Field(default=(), max_length=MOST_POSES)
    """time_s, x, y, z, qx, qy, qz, qw each, OpenGL's camera (it looks along -Z, +Y up); made of
    `file` when the spec is read."""
    file: str | None = None
    """TUM (`.txt`, `.tum`), transforms.json (`.json`) or `.csv` with a header."""
    convention: Convention | None = None
    """Which way the file's cameras look: along -Z with +Y up (`opengl`) or along +Z with +Y down
    (`opencv`); left out: `opencv` in TUM files, else `opengl`."""
    fps: float | None = Field(default=None, gt=0.0, le=100_000.0)
    """Poses of the file per second, where it does not say."""

    @field_validator("poses")
    @classmethod
    def _leads_somewhere(cls, poses: tuple[Pose, ...]) -> tuple[Pose, ...]:
        if len(poses) == 1 or any(len(pose) != len(TUM_COLUMNS) for pose in poses):
            raise ValueError("give two or more of 8 numbers: time_s, x, y, z, qx, qy, qz, qw")
        if any(after[0] <= before[0] for before, after in itertools.pairwise(poses)):
            raise ValueError("their times do not rise")
        if any(abs(math.hypot(*pose[4:]) - 1) > LENGTH_SLACK for pose in poses):
            raise ValueError("a quaternion (qx, qy, qz, qw) does not have the length 1")
        return poses

    @property
    def seconds(self) -> float:
        """How long it takes in the scene's time."""
        return self.poses[-1][0] / self.speed if self.poses else 0.0

    def posed(self, read: Callable[[str], str]) -> TrajectoryPath:
        """Return the same by its poses alone, whichever file they were in."""
        if self.file is None:
            return self
        text = read(self.file)
        poses = read_trajectory(text, self.file, convention=self.convention, fps=self.fps)
        return self.model_copy(
            update={"poses": poses, "file": None, "convention": None, "fps": None}
        )


def _by_word(value: Any) -> Any:
    """Let one word stand for a path: its kind, or a file of poses."""
    fields = {"kind": value} if isinstance(value, str) else value
    word = fields.get("kind") if isinstance(fields, dict) else None
    if isinstance(word, str) and PurePath(word).suffix.lower() in FORMATS:
        return {**fields, "kind": "trajectory", "file": word}
    return fields


AnyPath = Annotated[
    OrbitPath | PanPath | DollyPath | RandomWalkPath | TrajectoryPath, Field(discriminator="kind")
]


class RecipeSpec(Recipe):
    """Sequences of frames from animated scenes."""

    roles: ClassVar[tuple[AssetRole, ...]] = ROLES
    file_flags: ClassVar[dict[str, tuple[str, ...]]] = {"camera": tuple(FORMATS)}
    has_neighbours: ClassVar[bool] = True
    needs_facts: ClassVar[bool] = True
    silhouette_tells: ClassVar[bool] = False

    kind: Literal["sequence"] = "sequence"
    """Name of the recipe."""
    allow_empty_masks: bool = True
    """Keep frames in which nothing of the scene is to be seen."""
    sequences_per_scene: int = Field(default=1, ge=1, le=10_000)
    """How many sequences each scene is cut into; no two share a frame."""
    frames: int | None = Field(
        default=None, ge=1, le=1_000_000, validation_alias=AliasChoices("frames", "num_frames")
    )
    """Frames of each sequence, also called `num_frames`; left out: all that the scene has."""
    keyframe_multiplier: tuple[Multiplier, ...] = (1.0,)
    """Slow motion: 2 makes two frames of each of the file's. Of several, each makes sequences of
    its own."""
    frame_start: int | None = Field(default=None, ge=-1_000_000, le=1_000_000)
    """First frame of the file's time that is used; left out: the file's own."""
    frame_end: int | None = Field(default=None, ge=-1_000_000, le=1_000_000)
    """Last one, inclusive; left out: the file's own."""
    frame_step: int = Field(default=1, ge=1, le=FINEST)
    """Take every nth frame."""
    fps: float | None = Field(default=None, gt=0.0, le=100_000.0)
    """Frames per second of the file's own time; left out: what the file says."""
    cameras: tuple[str, ...] = ()
    """Names of cameras in the files, or `all`; left out: the one that each file renders with."""
    camera_offsets: dict[str, Three] = Field(default_factory=dict)
    """Name -> shift (right, up, back) of a copy of each camera, for stereo and rigs."""
    camera: Annotated[AnyPath | None, BeforeValidator(_by_word)] = None
    """A path of our own in place of the file's cameras: `orbit`, `pan`, `dolly`, `random_walk`, or
    a file of poses (.txt, .csv, .json)."""
    clip: str | None = None
    """Name of the one animation of a glTF or FBX that is used, or `all` for all at once; left out:
    each makes sequences of its own."""
    lights: Literal["file", "hdri", "both"] | None = None
    """What lights the scene: its own lamps and world, the HDRI instead of all of these, or the HDRI
    in place of its world beside its lamps; left out: `both` where there are HDRIs."""
    drivers: Literal["refuse", "freeze"] = "refuse"
    """What happens to drivers that need Python, which never runs: their scene is refused, or they
    keep the value that was saved."""
    tracks: int | None = Field(default=None, ge=1, le=100_000, exclude_if=is_none)
    """Points on surfaces that are followed through each sequence, in the pass `tracks`; left out:
    256, where that pass is asked for."""
    randomise: Randomise | None = Field(default=None, exclude_if=is_none)
    """What is drawn anew for each sequence, the same for all of its frames: lights, whose places
    are in units of the scene around its origin, and exposure."""
    allow_skips: bool = False
    """Leave out scenes that cannot be used or are too short, rather than refuse the job."""
    shutter: float = Field(default=0.0, ge=0.0, le=1.0, exclude_if=usual(0.0))
    """How long the shutter is open around each frame, in frames of the sequence, for the passes
    `blur`, `rolling_shutter` and `events`; 0: these are not to be had."""
    subframes: int = Field(default=SUBFRAMES, ge=2, le=1000, exclude_if=usual(SUBFRAMES))
    """Pictures that are taken while the shutter is open. An odd number has the frame itself among
    them, an even one takes one more."""
    event_threshold: float = Field(
        default=EVENT_THRESHOLD, ge=0.01, le=10.0,
        exclude_if=usual(EVENT_THRESHOLD),
    )  # fmt: skip
    """Difference of log intensity that makes an event."""

    @property
    def passes_with_it(self) -> tuple[PassName, ...]:
        return ("tracks",) if self.tracks is not None else ()

    @property
    def scene_fps(self) -> float | None:
        return self.fps

    @property
    def exposure(self) -> Shutter | None:
        if not self.shutter:
            return None
        return Shutter(
            open=self.shutter, subframes=self.subframes, event_threshold=self.event_threshold
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        start, end = self.frame_start, self.frame_end
        if start is not None and end is not None and start > end:
            raise ValueError(f"frame_start: {start} is after frame_end, {end}")
        if self.camera is not None and (self.cameras or self.camera_offsets):
            raise ValueError("camera: a path of our own, or cameras of the file: name one of both")
        for multiplier in self.keyframe_multiplier:
            spacing(multiplier, self.frame_step)
        if len(set(self.keyframe_multiplier)) != len(self.keyframe_multiplier):
            raise ValueError("keyframe_multiplier: names a multiplier twice")
        return self

    def with_files(self, read: Callable[[str], str]) -> Self:
        if not isinstance(self.camera, TrajectoryPath):
            return self
        return self.model_copy(update={"camera": self.camera.posed(read)})


def spacing(multiplier: float, frame_step: int) -> Fraction:
    """Return how many frames of the file lie between two of a sequence.

    Raises:
        ValueError: Blender cannot stretch time like this.
    """
    exact = frame_step / Fraction(multiplier).limit_denominator(FINEST)
    if max(exact.numerator, exact.denominator) > FINEST or not math.isclose(
        float(exact), frame_step / multiplier, rel_tol=1e-9
    ):
        raise ValueError(
            f"keyframe_multiplier: {multiplier:g} with frame_step {frame_step} is not a fraction "
            f"of whole numbers up to {FINEST}: take one such as 2.5"
        )
    return exact


class Take(Spec):
    """One sequence: which moments of which scene, seen by which camera."""

    name: str
    """The folder of the sequence in its dataset."""
    number: int
    """Of the first frame, as its files have it: in frames of the stretched time."""
    step: int = 1
    """From the number of one frame to that of the next."""
    first: float
    """Moment of the first frame, in frames of the file."""
    frames: int
    numerator: int
    denominator: int
    """Frames of the file from one frame of the sequence to the next: a fraction."""
    fps: float
    """Frames of the sequence per second."""
    place: int = 0
    """Among the takes of its scene and clip: chance is drawn by it."""

    @property
    def spacing(self) -> Fraction:
        """Frames of the file from one frame of the sequence to the next."""
        return Fraction(self.numerator, self.denominator)

    def moment(self, place: float) -> float:
        """Return the moment of a frame, in frames of the file."""
        return float(Fraction(self.first) + Fraction(place) * self.spacing)


class Start(Spec):
    """A frame of a sequence in which points are chosen."""

    place: int = Field(ge=0)
    frame: float
    camera: Annotated[FileCamera | PathCamera, Field(discriminator="kind")]


class Tracks(Spec):
    """Points that are followed through a sequence."""

    count: int = Field(ge=1)
    """How many, at most."""
    seed: int
    """What they are drawn from."""
    starts: tuple[Start, ...]
    """Each gives an equal share of the points."""


class Setup(BaseSetup):
    """What the frames of a sequence share."""

    kind: Literal["sequence"] = "sequence"
    clip: str | None = None
    lights: Literal["file", "hdri", "both"] = "file"
    freeze_drivers: bool = False
    fps: float = Field(default=24.0, gt=0.0)
    """Frames per second of the file's time."""
    numerator: int = 1
    denominator: int = 1
    """Frames of the file from one frame to the next: a fraction."""
    bake: tuple[int, int] | None = None
    """Simulations are baked over these frames of the file, inclusive."""
    path: AnyPath | None = None
    take: int = 0
    """`place` of the one whose frames these are."""
    takes: tuple[Take, ...] = ()
    """Of a maker: sequences for which it works out the camera's path."""
    seed: int = 0
    """Of a maker: what paths draw from."""
    tracks: Tracks | None = Field(default=None, exclude_if=is_none)
    """Points that are followed, where the pass is asked for."""
    shutter: Shutter | None = Field(default=None, exclude_if=is_none)
    """Of frames with passes that take more than one moment."""

    @property
    def pictures_per_view(self) -> int:
        return self.shutter.pictures if self.shutter else 1


class View(BaseView):
    """One frame of a sequence."""

    kind: Literal["sequence"] = "sequence"
    camera: Annotated[FileCamera | PathCamera, Field(discriminator="kind")]
    frame: float
    moment: Moment
    cut_before: bool = False
    """The frame before is seen by another camera."""
    cut_after: bool = False
    """So is the next one."""
    drawn: Drawn | None = Field(default=None, exclude_if=is_none)
    """What `randomise` drew for its sequence."""

    @property
    def caption(self) -> str:
        return f"{self.moment.sequence}  ·  frame {self.moment.number}"

    @property
    def facets(self) -> dict[str, str]:
        camera = self.camera.name if isinstance(self.camera, FileCamera) else "path"
        return {"sequence": self.moment.sequence, "camera": camera}

    def path_of(self, of: PassName, *, picture_format: ImageFormat) -> str:
        folder, stem, suffix = file_of(of)
        suffix = picture_format if PASSES[of].kind == "picture" else suffix
        return f"{self.moment.sequence}/{folder}/{stem}_{self.moment.number:06d}.{suffix}"

    def preview_path_of(self, of: PassName) -> str:
        folder, stem, _ = file_of(of)
        number = f"{self.moment.number:06d}"
        return f"{self.moment.sequence}/previews/{folder}/{stem}_{number}.png"


FILES: dict[PassName, tuple[str, str, str]] = {
    "rgb": ("frames", "frame", "png"),
    "mask": ("masks", "mask", "png"),
    "depth": ("depths", "depth", "exr"),
    "distance": ("distances", "distance", "exr"),
    "normal": ("normals", "normal", "exr"),
    "normal_world": ("normals_world", "normal_world", "exr"),
    "index": ("segmentations", "segmentation", "png"),
    "material": ("materials", "material", "png"),
    "flow_forward": ("flows", "forward", "exr"),
    "flow_backward": ("flows", "backward", "exr"),
    "flow_forward_valid": ("flows", "forward_valid", "png"),
    "flow_backward_valid": ("flows", "backward_valid", "png"),
    "position": ("points", "point", "exr"),
    "blur": ("blurred", "blurred", "png"),
    "rolling_shutter": ("rolling", "rolling", "png"),
    "events": ("events", "events", "npz"),
    "scene_flow_forward": ("scene_flows", "forward", "exr"),
    "scene_flow_backward": ("scene_flows", "backward", "exr"),
    "scene_flow_forward_world": ("scene_flows", "forward_world", "exr"),
    "scene_flow_backward_world": ("scene_flows", "backward_world", "exr"),
    "occlusion_forward": ("occlusions", "forward", "png"),
    "occlusion_backward": ("occlusions", "backward", "png"),
    "out_of_frame_forward": ("out_of_frame", "forward", "png"),
    "out_of_frame_backward": ("out_of_frame", "backward", "png"),
}
"""Folder, stem and suffix of a pass's files in a sequence; of others the pass is both."""


def file_of(name: PassName) -> tuple[str, str, str]:
    """Return folder, stem and suffix of a pass's files in a sequence."""
    return FILES.get(name) or (name, name, SUFFIXES.get(PASSES[name].kind, "png"))
