"""What is known of a rendered view: one line of `views.jsonl`."""

from __future__ import annotations

from pydantic import Field

from farm.spec.asset import Asset
from farm.spec.base import Spec
from farm.spec.camera import Matrix4
from farm.spec.label import IndexLabel, ObjectLabel
from farm.spec.passes import PassName
from farm.spec.view import View


class FileRecord(Spec):
    """One file of a view."""

    path: str
    """Relative to the dataset."""
    sha256: str
    size_bytes: int


class CameraRecord(Spec):
    """The camera that took the picture, in the frame of the model scaled to 1 and centred."""

    world_from_camera: Matrix4
    """Blender/OpenGL camera: looks along -Z, +Y up."""
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    distance: float
    """From the model's centre; with `fit`, the distance that was found."""


class Timings(Spec):
    """Seconds spent, by stage."""

    load_s: float
    """Loading the model and the HDRI; on the first view of a task only."""
    render_s: float
    """Cycles, from the call to the passes on disk."""
    sample_s: float
    """Of these, path tracing."""
    read_s: float
    encode_s: float
    write_s: float
    pass_s: dict[PassName, float] = Field(default_factory=dict)
    """Of encoding and writing, what each pass took."""


class ViewRecord(Spec):
    """A finished view: files with hashes, camera, light, assets, versions, times."""

    view_id: str
    """Hash of all that the pixels depend on."""
    view: View
    """What was asked for: camera, light, seed."""
    task_id: str
    attempt: int
    worker: str
    files: dict[PassName, FileRecord]
    previews: dict[PassName, FileRecord] = Field(default_factory=dict)
    """8-bit pictures of labels, for people."""
    resolution_px: tuple[int, int]
    camera: CameraRecord
    world_from_model: Matrix4
    """The model's own coordinates to the frame in which it is centred and scaled to 1."""
    missing_textures: tuple[str, ...] = ()
    """Files that the model's materials want and that were not there: what they cover is magenta."""
    vertex_colours: bool = False
    """The model shows colours that its points carry: a material asks for them, or there is none."""
    unread: tuple[str, ...] = ()
    """Parts of the model's file that could not be read and are not shown as it says, such as
    `glTF extension KHR_gaussian_splatting`."""
    see_through: bool = False
    """Some of the model is half clear or a volume: there the mask may be whole, and labels those of
    what is behind, if anything."""
    hdr_notes: tuple[str, ...] = ()
    """What was corrected of the HDRI, such as its colours, and what else was found."""
    model: Asset
    hdr: Asset
    samples: int
    denoiser: str | None
    device: str
    true_strength: bool
    """The HDRI's strength was set in the scene (a model with light of its own), not multiplied
    onto the linear pixels."""
    coverage: float
    """Mean of the mask, 0..1."""
    metres_per_unit: float = 1.0
    """Of the model's own size: depth, distance and position are in units of the view's world."""
    objects: tuple[ObjectLabel, ...] = ()
    """The things that the picture shows, with boxes and poses."""
    indices: tuple[IndexLabel, ...] = ()
    """What the values of the index pass mean, where there is one."""
    materials: tuple[IndexLabel, ...] = ()
    """What the values of the material pass mean, where there is one."""
    versions: dict[str, str]
    """Of `viewfarm` and `blender`."""
    timings: Timings
