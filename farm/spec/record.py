"""The record of a rendered view: one line of `views.jsonl`."""

from __future__ import annotations

import json
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, PositiveFloat, ValidationError, model_validator

from farm.spec import release_0_1
from farm.spec.asset import Asset
from farm.spec.base import Spec
from farm.spec.camera import Matrix4
from farm.spec.expression import Expression
from farm.spec.label import IndexLabel, ObjectLabel
from farm.spec.left_out import is_empty, is_none, usual
from farm.spec.passes import PassName
from farm.spec.recipes import DEFAULT_RECIPE, RECIPES, AnyView
from farm.spec.recipes.base import of_role
from farm.spec.render import (
    Background,
    Engine,
    Prefilter,
    Quality,
)
from farm.spec.view import OtherView


class FileRecord(Spec):
    """One file of a view."""

    path: str
    """Relative to the dataset. Of a file in a shard: the shard, the byte at which it begins there,
    its name."""
    sha256: str
    size_bytes: int


IllLit = Literal["black", "clipped"]
CameraModel = Literal["pinhole", "orthographic", "fisheye_polynomial"]


class OrthographicRecord(Spec):
    """Rays that run side by side."""

    kind: Literal["orthographic"] = "orthographic"
    px_per_unit: PositiveFloat
    """Pixels that a unit of the view's world spans, at every depth."""


class FisheyeRecord(Spec):
    """A polynomial fisheye: theta = -(k0 + k1 r + k2 r^2 + k3 r^3 + k4 r^4), radians.

    Theta is the angle to the camera's axis, r the distance in the picture from (cx_px, cy_px)
    times `mm_per_px`.
    """

    kind: Literal["fisheye_polynomial"] = "fisheye_polynomial"
    mm_per_px: PositiveFloat
    k0: float
    k1: float
    k2: float
    k3: float
    k4: float
    fov_deg: float
    """From rim to rim; what is outside is not seen."""

    @property
    def coefficients(self) -> tuple[float, float, float, float, float]:
        """k0 to k4."""
        return (self.k0, self.k1, self.k2, self.k3, self.k4)


AnyLensRecord = Annotated[OrthographicRecord | FisheyeRecord, Field(discriminator="kind")]


class CameraRecord(Spec):
    """The camera that took the picture, in the view's world."""

    world_from_camera: Matrix4
    """Blender/OpenGL camera: looks along -Z, +Y up."""
    fx_px: PositiveFloat | None = Field(default=None, exclude_if=is_none)
    """Focal lengths of a pinhole, as most cameras are; absent of any other `lens`."""
    fy_px: PositiveFloat | None = Field(default=None, exclude_if=is_none)
    cx_px: float
    """Where the camera's axis meets the picture, of every lens; it may be outside."""
    cy_px: float
    distance: float | None = None
    """Of a camera on a dome, from its middle; with `fit`, the distance that was found."""
    lens: AnyLensRecord | None = Field(default=None, exclude_if=is_none)
    """Of what is not a pinhole: what it is; absent of a pinhole."""

    @model_validator(mode="after")
    def _has_one_lens(self) -> Self:
        focal = [self.fx_px is not None, self.fy_px is not None]
        if any(focal) == (self.lens is not None) or any(focal) != all(focal):
            raise ValueError("a camera has either fx_px and fy_px or a lens")
        return self

    @property
    def model(self) -> CameraModel:
        """How it projects."""
        return "pinhole" if self.lens is None else self.lens.kind

    @property
    def height(self) -> float:
        """Where it stands above the origin."""
        return self.world_from_camera[2][3]

    @property
    def sees_behind(self) -> bool:
        """Something in its picture may be behind its plane, at a depth below 0."""
        return isinstance(self.lens, FisheyeRecord) and self.lens.fov_deg > 180.0


class Timings(Spec):
    """Seconds spent, by stage."""

    load_s: float
    """Loading the assets; on the first view of a task only."""
    render_s: float
    """Cycles, from the call to the passes on disk."""
    sample_s: float
    """Of these, path tracing."""
    read_s: float
    encode_s: float
    write_s: float
    pass_s: dict[PassName, float] = Field(default_factory=dict)
    """Of encoding and writing, what each pass took."""


class AddedPass(Spec):
    """How a pass came to a view that was there already."""

    proof: tuple[PassName, ...]
    """Passes that were rendered again beside it, and were equal to the files pixel for pixel."""
    samples: int
    """Of each pixel."""
    device: str
    versions: dict[str, str]
    """Of `viewfarm` and `blender`."""


class ViewRecord(Spec):
    """A finished view: files with hashes, camera, light, assets, versions, times."""

    view_id: str
    """Hash of all that the pixels depend on."""
    view: AnyView
    """What was asked for: camera, light, seed."""
    title: str
    """What people call what is seen: `vase · studio`."""
    group: str
    """Views of one group show the same things: no two splits share it."""
    task_id: str
    attempt: int
    worker: str
    files: dict[PassName, FileRecord]
    previews: dict[PassName, FileRecord] = Field(default_factory=dict)
    """8-bit pictures of labels, for people."""
    shard: FileRecord | None = Field(default=None, exclude_if=is_none)
    """The tar or Parquet file that its files are in, where they are not files of their own."""
    resolution_px: tuple[int, int]
    camera: CameraRecord
    missing_textures: tuple[str, ...] = ()
    """Files that the model's materials want and that were not there: what they cover is magenta."""
    vertex_colours: bool = False
    """The model shows colours that its points carry: a material asks for them, or there is none."""
    unread: tuple[str, ...] = ()
    """Parts of the model's file that could not be read and are not shown as it says, such as
    `glTF extension KHR_gaussian_splatting`."""
    see_through: bool = False
    """Some of what is seen is half clear or a volume: there the mask may be whole, and labels those
    of what is behind, if anything."""
    notes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Asset -> what was corrected of it, such as an HDRI's colours, and what else was found."""
    assets: tuple[Asset, ...]
    """What the view is made of, by role."""
    samples: int
    """Of each pixel; with a `noise_threshold`, at most."""
    noise_threshold: float | None = Field(default=None, exclude_if=is_none)
    """Noise at which a pixel of the picture got no more samples."""
    engine: Engine = Field(default="cycles", exclude_if=usual("cycles"))
    """What made the picture; labels and mask are by Cycles."""
    background: Background = Field(default="traced", exclude_if=usual("traced"))
    """How pixels that show nothing but the HDRI were made: by Cycles, or by a look-up in it."""
    quality: Quality = Field(default="plain", exclude_if=usual("plain"))
    """What was asked for by name; the fields beside it say what that was here."""
    prefilter: Prefilter = Field(default="accurate", exclude_if=usual("accurate"))
    """How the denoiser cleaned what guides it."""
    exposure_ev: float | None = Field(default=None, exclude_if=is_none)
    """Stops by which the picture is brighter than its light makes it, where that was asked for:
    with `auto`, as they were metered. What `randomise` drew comes on top, as does the strength."""
    denoiser: str | None
    device: str
    true_strength: bool
    """The environment's strength was set in the scene (which has light of its own), not multiplied
    onto the linear pixels."""
    ill_lit: IllLit | None = Field(default=None, exclude_if=is_none)
    """98 % of what is seen of the model or more is black, or clipped to white: the light is too
    weak or too strong for the exposure, or the model is like this."""
    coverage: float
    """Mean of the mask, 0..1."""
    metres_per_unit: float = 1.0
    """Of real size: depth, distance and position are in units of the view's world."""
    objects: tuple[ObjectLabel, ...] = ()
    """The things that the picture shows, with boxes and poses."""
    indices: tuple[IndexLabel, ...] = ()
    """What the values of the index pass mean, where there is one."""
    materials: tuple[IndexLabel, ...] = ()
    """What the values of the material pass mean, where there is one."""
    expressions: tuple[Expression, ...] = Field(default=(), exclude_if=is_empty)
    """Sentences about the view, each with what it refers to."""
    values: dict[str, JsonValue] = Field(default_factory=dict)
    """What the recipe tells of the view beside."""
    fields: dict[str, JsonValue] = Field(default_factory=dict, exclude_if=is_empty)
    """What the user's script returned for the view; arrays are lists of lists."""
    deterministic: bool | None = Field(default=None, exclude_if=is_none)
    """Of a view that was made twice to find out: its script makes the same of it alone as in a run
    of views."""
    versions: dict[str, str]
    """Of `viewfarm` and `blender`."""
    timings: Timings
    siblings: tuple[str, ...] = Field(default=(), exclude_if=is_empty)
    """Names of the views that show the same under another light: labels of all are one file, linked
    where the storage can."""
    added: dict[PassName, AddedPass] = Field(default_factory=dict, exclude_if=is_empty)
    """Passes that were rendered later than the view itself."""

    @property
    def all_files(self) -> tuple[FileRecord, ...]:
        """Its files, then those for people."""
        return (*self.files.values(), *self.previews.values())

    @property
    def passes_at_first(self) -> tuple[PassName, ...]:
        """Those of its passes that it was rendered with."""
        return tuple(name for name in self.files if name not in self.added)

    def asset_of(self, label: ObjectLabel | None) -> Asset:
        """Return the asset that an object is of; where that is not said, the first one."""
        return self.assets[label.asset if label and label.asset is not None else 0]

    def of(self, role: str) -> tuple[Asset, ...]:
        """Return the assets that were taken for `role`."""
        return of_role(self.assets, role)


class OtherRecord(ViewRecord):
    """A view by a recipe that is not known here: its package is not installed."""

    view: OtherView


def read_record(line: bytes | str) -> ViewRecord:
    """Return the record in a line of `views.jsonl`, by any recipe and of any release.

    Raises:
        ValidationError: It is not a record.
    """
    try:
        return ViewRecord.model_validate_json(line)
    except ValidationError as error:
        try:
            written = json.loads(line)
        except (ValueError, RecursionError):
            raise error from None
        data = release_0_1.record_of(written)
        view = data.get("view") if isinstance(data, dict) else None
        kind = view.get("kind", DEFAULT_RECIPE) if isinstance(view, dict) else DEFAULT_RECIPE
        if kind not in RECIPES:
            return OtherRecord.model_validate(data)
        if data is written:
            raise
        return ViewRecord.model_validate(data)
