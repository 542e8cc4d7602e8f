"""The passes of a view: what each one holds, and where its files live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

PassName = Literal[
    "rgb", "mask", "depth", "distance", "normal", "normal_world", "index", "material",
    "flow_forward", "flow_backward", "flow_forward_valid", "flow_backward_valid",
    "scene_flow_forward", "scene_flow_backward", "scene_flow_forward_world",
    "scene_flow_backward_world", "occlusion_forward", "occlusion_backward",
    "out_of_frame_forward", "out_of_frame_backward", "position",
    "albedo", "diffuse", "specular", "cryptomatte", "uv", "tracks", "blur", "rolling_shutter",
    "events",
    "base_color", "roughness", "metallic", "emission", "transmission", "opacity",
    "normal_geometry", "surface_valid",
    "amodal",
    "linear", "foreground", "background", "foreground_linear", "background_linear", "shadow",
]  # fmt: skip
PASS_NAMES: tuple[PassName, ...] = get_args(PassName)

PassKind = Literal[
    "picture", "integers", "yes_or_no", "floats", "cryptomatte", "arrays",
    "cutout", "halves",
]  # fmt: skip
"""`picture`: 8 or 16 bits in the spec's format. `integers`: 16-bit PNG, exact. `yes_or_no`: 8-bit
PNG, 255 or 0. `floats`: EXR with 32 bits, ZIP. `cryptomatte`: the EXR that the Cryptomatte
specification describes. `arrays`: NumPy's NPZ, named arrays with a row for each of what they tell
of, and no pixels. `cutout`: PNG with as many bits as pictures, RGB and straight alpha. `halves`:
EXR with 16 bits, ZIP."""


class Column(NamedTuple):
    """One of the arrays of a pass: a number, or a few, for each row."""

    name: str
    type: str
    """As NumPy calls it, with the order of its bytes: `<f4`."""
    width: int = 1
    """Numbers of a row; more than one makes an (N, width) array."""
    gaps: bool = False
    """NaN stands where there is no value."""


class PassInfo(NamedTuple):
    """What a pass's files are."""

    folder: str
    """Inside a dataset."""
    kind: PassKind
    channels: tuple[str, ...] = ()
    """Of an EXR file, in the order of the array's last axis; one channel makes an (H, W) array."""
    background: float = 0.0
    """What pixels hold at whose centre nothing of the model is; NaN also where it is not known."""
    columns: tuple[Column, ...] = ()
    """Of a file with arrays."""


TRACKS = (
    Column("id", "<u4"),
    Column("px", "<f4", 2, gaps=True),
    Column("world", "<f4", 3, gaps=True),
    Column("depth", "<f4", gaps=True),
    Column("visible", "|b1"),
    Column("lost", "|b1"),
)
EVENTS = (Column("t", "<f8"), Column("x", "<u2"), Column("y", "<u2"), Column("p", "|i1"))
RUNS = (Column("object", "<u2"), Column("start", "<u4"), Column("length", "<u4"))
"""Of masks that overlap: which of the record's `objects`, and runs of pixels, row by row."""
NAN = float("nan")
ONE, TWO, THREE = ("Y",), ("R", "G"), ("R", "G", "B")  # names that every reader of EXR knows
FOUR = (*THREE, "A")

PASSES: dict[PassName, PassInfo] = {
    "rgb": PassInfo("images", "picture"),
    "mask": PassInfo("masks", "picture"),
    "depth": PassInfo("depth", "floats", ONE, float("inf")),
    "distance": PassInfo("distance", "floats", ONE, float("inf")),
    "normal": PassInfo("normal", "floats", THREE),
    "normal_world": PassInfo("normal_world", "floats", THREE),
    "index": PassInfo("index", "integers"),
    "material": PassInfo("material", "integers"),
    "flow_forward": PassInfo("flow_forward", "floats", TWO),
    "flow_backward": PassInfo("flow_backward", "floats", TWO),
    "flow_forward_valid": PassInfo("flow_forward_valid", "yes_or_no"),
    "flow_backward_valid": PassInfo("flow_backward_valid", "yes_or_no"),
    "scene_flow_forward": PassInfo("scene_flow_forward", "floats", THREE, NAN),
    "scene_flow_backward": PassInfo("scene_flow_backward", "floats", THREE, NAN),
    "scene_flow_forward_world": PassInfo("scene_flow_forward_world", "floats", THREE, NAN),
    "scene_flow_backward_world": PassInfo("scene_flow_backward_world", "floats", THREE, NAN),
    "occlusion_forward": PassInfo("occlusion_forward", "yes_or_no"),
    "occlusion_backward": PassInfo("occlusion_backward", "yes_or_no"),
    "out_of_frame_forward": PassInfo("out_of_frame_forward", "yes_or_no"),
    "out_of_frame_backward": PassInfo("out_of_frame_backward", "yes_or_no"),
    "position": PassInfo("position", "floats", THREE),
    "albedo": PassInfo("albedo", "floats", THREE),
    "diffuse": PassInfo("diffuse", "floats", THREE),
    "specular": PassInfo("specular", "floats", THREE),
    "cryptomatte": PassInfo("cryptomatte", "cryptomatte"),
    "uv": PassInfo("uv", "floats", TWO),
    "tracks": PassInfo("tracks", "arrays", columns=TRACKS),
    "blur": PassInfo("blur", "picture"),
    "rolling_shutter": PassInfo("rolling_shutter", "picture"),
    "events": PassInfo("events", "arrays", columns=EVENTS),
    "amodal": PassInfo("amodal", "arrays", columns=RUNS),
    "linear": PassInfo("linear", "halves", THREE),
    "foreground": PassInfo("foreground", "cutout", FOUR),
    "background": PassInfo("background", "picture"),
    "foreground_linear": PassInfo("foreground_linear", "floats", FOUR),
    "background_linear": PassInfo("background_linear", "floats", THREE),
    "shadow": PassInfo("shadow", "halves", THREE, 1.0),
    "base_color": PassInfo("base_color", "floats", THREE),
    "roughness": PassInfo("roughness", "floats", ONE),
    "metallic": PassInfo("metallic", "floats", ONE),
    "emission": PassInfo("emission", "floats", THREE),
    "transmission": PassInfo("transmission", "floats", ONE),
    "opacity": PassInfo("opacity", "floats", ONE),
    "normal_geometry": PassInfo("normal_geometry", "floats", THREE),
    "surface_valid": PassInfo("surface_valid", "integers"),
}

PICTURED: tuple[PassName, ...] = tuple(n for n in PASS_NAMES if PASSES[n].kind != "arrays")
"""All that are made of pixels."""
OUTLINED: tuple[PassName, ...] = ("amodal",)
"""All that are arrays and can be drawn as pictures."""
SHUTTERED: tuple[PassName, ...] = ("blur", "rolling_shutter", "events")
"""Passes that are made of several pictures, taken while the shutter is open."""
CUTOUTS: tuple[PassName, ...] = (
    "foreground", "background", "foreground_linear", "background_linear",
)  # fmt: skip
"""Passes that hold what stands in the picture apart from what is behind it."""
BACKGROUNDS: frozenset[PassName] = frozenset({"background", "background_linear"})
"""Those of what is behind, also where something stands before it."""
LAYERS: tuple[PassName, ...] = ("linear", *CUTOUTS, "shadow")
"""All that pictures are put together from."""
PICTURES: frozenset[PassName] = frozenset({"rgb", *SHUTTERED, "linear", *CUTOUTS})
"""Passes that are made of the picture."""
AVERAGED: frozenset[PassName] = frozenset(
    {*PICTURES, "mask", "albedo", "diffuse", "specular", "cryptomatte", "shadow"}
)
"""Means over all samples of a pixel. All other passes hold what is at the pixel's centre, and take
one sample."""
LIT: frozenset[PassName] = frozenset({*PICTURES, "diffuse", "specular", "shadow"})
"""Passes that depend on light."""

FLOWS: tuple[PassName, ...] = (
    "flow_forward", "flow_backward", "flow_forward_valid", "flow_backward_valid",
)  # fmt: skip
"""What the word `flow` asks for: to the neighbouring frames, and where it can be trusted."""
VALIDITY: frozenset[PassName] = frozenset({"flow_forward_valid", "flow_backward_valid"})
"""Passes that say where flow can be trusted."""
SCENE_FLOWS: tuple[PassName, ...] = ("scene_flow_forward", "scene_flow_backward")
"""What the word `scene_flow` asks for; that in the world is asked for by name."""
OCCLUSIONS: tuple[PassName, ...] = (
    "occlusion_forward", "occlusion_backward", "out_of_frame_forward", "out_of_frame_backward",
)  # fmt: skip
"""What the word `occlusion` asks for: why points are not seen in the neighbouring frames."""
CARRIED: frozenset[PassName] = frozenset(
    {*SCENE_FLOWS, "scene_flow_forward_world", "scene_flow_backward_world", *OCCLUSIONS}
)
"""Passes for which the point of each pixel is carried to the neighbouring frames by its mesh."""
LED: frozenset[PassName] = frozenset({*FLOWS, *CARRIED})
"""Passes of a frame of a sequence that depend on its neighbours."""
SURFACES: tuple[PassName, ...] = (
    "base_color", "roughness", "metallic", "emission", "transmission", "opacity",
    "normal_geometry", "surface_valid",
)  # fmt: skip
"""What the word `surface` asks for: what materials say of themselves, and where that has a meaning.
"""
SURFACE_BITS: dict[PassName, int] = {
    "base_color": 1, "roughness": 2, "metallic": 4, "emission": 8, "transmission": 16,
    "opacity": 32, "normal_geometry": 64,
}  # fmt: skip
"""Bits of `surface_valid`: the pass has a meaning at the pixel."""
SHARES: frozenset[PassName] = frozenset(
    {"base_color", "roughness", "metallic", "transmission", "opacity"}
)
"""Passes of which no number is outside of 0..1."""
SEVERAL: dict[str, tuple[PassName, ...]] = {
    "flow": FLOWS, "scene_flow": SCENE_FLOWS, "occlusion": OCCLUSIONS, "surface": SURFACES,
}  # fmt: skip
"""Words that ask for several passes."""
OF_SEQUENCES: frozenset[PassName] = VALIDITY | CARRIED | {"tracks", *SHUTTERED}
"""Passes that only frames of sequences have."""
VIEW_PASSES: tuple[PassName, ...] = tuple(
    name for name in PASS_NAMES if name not in OF_SEQUENCES and name not in LAYERS
)
"""All that a view has by itself, whatever its recipe and however it is rendered."""

SUFFIXES: dict[PassKind, str] = {
    "integers": "png", "yes_or_no": "png", "floats": "exr", "cryptomatte": "exr", "arrays": "npz",
    "cutout": "png", "halves": "exr",
}  # fmt: skip
"""Of the files of each kind; those of pictures end as the spec says."""

PASS_FOLDERS: dict[PassName, str] = {name: info.folder for name, info in PASSES.items()}
"""Folder of each pass inside a dataset."""
PREVIEWS_FOLDER = "previews"
"""Holds a folder for each label with 8-bit pictures of it, for people."""


def pass_path(name: PassName, stem: str, *, picture_format: str) -> str:
    """Return where the file of a view's pass lies in its dataset."""
    info = PASSES[name]
    suffix = picture_format if info.kind == "picture" else SUFFIXES[info.kind]
    return f"{info.folder}/{stem}.{suffix}"


def preview_path(name: PassName, stem: str) -> str:
    """Return where the 8-bit picture of a view's label lies in its dataset."""
    return f"{PREVIEWS_FOLDER}/{PASSES[name].folder}/{stem}.png"


def samples_for(passes: Iterable[PassName], samples: int) -> int:
    """Return how many of the `samples` asked for a view with these passes is rendered with."""
    return samples if AVERAGED.intersection(passes) else 1
