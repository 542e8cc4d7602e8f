"""The card of a dataset on the Hugging Face Hub: what each column of its Parquet files is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

import yaml

from farm.dataset.records.attribution import ATTRIBUTION_FILE, licence
from farm.dataset.records.collect import DatasetSummary
from farm.dataset.records.read import VIEWS_FILE, Report, read_file
from farm.spec.record import FileRecord, ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage
from farm.storage.shards import PARQUET, SHARDS_FOLDER, member_of

CARD = "README.md"
OURS = "<!-- farm writes this file anew; without this line it is yours -->"
COLUMNS = {
    "view": "unique name",
    "view_id": "hash of all that its pixels depend on",
    "rgb": "the picture, sRGB",
    "mask": "how much of a pixel the objects cover: 0 none, 255 all",
    "depth": "along the camera's axis, in units of the view's world; inf where there is nothing",
    "distance": "from the camera's centre, in units of the view's world; inf where there is "
    "nothing",
    "normal": "unit vectors in the camera's frame: x right, y up, z towards it; 0 where there "
    "is nothing",
    "normal_world": "unit vectors in the view's world, z up; 0 where there is nothing",
    "position": "points in the view's world; 0 where there is nothing",
    "index": "number of the object, as in `indices` of `record`; 0 where there is nothing",
    "material": "number of the material, as in `materials` of `record`; 0 where there is nothing",
    "flow_forward": "motion to the next frame, pixels: x right, y down",
    "flow_backward": "motion to the frame before, pixels: x right, y down",
    "flow_forward_valid": "255 where the next frame shows the same point of a surface, else 0",
    "flow_backward_valid": "255 where the frame before shows the same point, else 0",
    "scene_flow_forward": "place in the next frame's camera minus place in this one's, units of "
    "the view's world: x right, y up, z towards it; NaN where it is not known",
    "scene_flow_backward": "the same to the frame before",
    "scene_flow_forward_world": "motion in the view's world to the next frame; NaN where it is not "
    "known",
    "scene_flow_backward_world": "the same to the frame before",
    "occlusion_forward": "255 where something hides the point in the next frame's picture, else 0",
    "occlusion_backward": "255 where something hides it in the frame before, else 0",
    "out_of_frame_forward": "255 where the point is outside of the next frame's picture, else 0",
    "out_of_frame_backward": "255 where it is outside of the picture of the frame before, else 0",
    "uv": "texture coordinates; 0 where there is nothing",
    "blur": "the picture as a camera with an open shutter sees it, sRGB",
    "rolling_shutter": "the picture, read row by row while the shutter is open, sRGB",
    "albedo": "share of light that is scattered, linear Rec. 709",
    "diffuse": "scattered light, linear Rec. 709",
    "specular": "reflected light, linear Rec. 709",
    "base_color": "colour of the material, whatever lies over it, linear Rec. 709; 0 where "
    "`surface_valid` says that it has no meaning",
    "roughness": "roughness of the material, 0..1",
    "metallic": "how much of a metal the material is, 0..1",
    "emission": "light that the surface gives, linear Rec. 709",
    "transmission": "how much of the surface lets light through by refraction, as glass, 0..1",
    "opacity": "how much of what is behind the surface it hides, 0..1",
    "normal_geometry": "unit vectors in the camera's frame, without bump and normal maps; 0 where "
    "there is nothing",
    "surface_valid": "bits of what has a meaning: 1 base_color, 2 roughness, 4 metallic, "
    "8 emission, 16 transmission, 32 opacity, 64 normal_geometry",
    "objects": "visible objects: `class`, and `bbox` (left, top, width, height) and `area` of "
    "the mask",
    "intrinsics": "fx, fy, cx, cy, pixels, from the outer corner of the top-left pixel; null for a "
    "camera that is not a pinhole: its numbers are in `record`",
    "world_from_camera": "the camera's pose, 4 x 4: it looks along its -z, y up",
    "metres_per_unit": "metres per unit of the view's world: depth times this is in metres",
    "title": "what the view shows",
    "model": "file name of its first model",
    "hdr": "file name of its first HDRI",
    "assets": "its assets: role, file name and licence, where it is known, of each",
    "record": "everything known about the view, as JSON",
}
"""What each column is, in the order of the card."""
FACTS = {
    "intrinsics": "4 float64",
    "world_from_camera": "4 x 4 float64",
    "metres_per_unit": "float64",
    "title": "string",
    "model": "string",
    "hdr": "string",
    "assets": "list",
    "record": "string",
}
"""Columns of views that stand behind those of their files, each with its type."""
PICTURES = {".png", ".jpg", ".jpeg"}


def write_card(storage: Storage, dataset: str, summary: DatasetSummary, report: Report) -> None:
    """Write the card of a dataset whose views are in Parquet files, unless it has one of a person.

    It tells `datasets` which files to read: there are others beside them.
    """
    if not any(key.endswith(PARQUET) for key in storage.keys(dataset_key(dataset, SHARDS_FOLDER))):
        return
    key = dataset_key(dataset, CARD)
    there = storage.get(key)
    if there is not None and OURS.encode() not in there:
        return
    for entry in read_file(storage, dataset_key(dataset, VIEWS_FILE), report):
        if entry.record.shard is not None and entry.record.shard.path.endswith(PARQUET):
            storage.put(key, card_of(summary, entry.record).encode())
            return


def card_of(summary: DatasetSummary, record: ViewRecord) -> str:
    """Return the card of a dataset, of which `record` is a view in a Parquet file."""
    files = {"split": "train", "path": f"{SHARDS_FOLDER}/*{PARQUET}"}
    licences = {asset.credit.licence or "" for asset in summary.assets}
    head = card_head([files], licences, task="image-segmentation")
    columns = [f"| `{name}` | {kind} | {text} |" for name, kind, text in columns_of(record)]
    return "\n".join(
        [
            head, f"{summary.views:,} rendered views with labels, made by Viewfarm.",
            f"`{ATTRIBUTION_FILE}` names the authors and licences of its models and HDRIs.", OURS,
            "", "## Columns", "", "| column | type | what |", "|---|---|---|", *columns, "",
        ]
    )  # fmt: skip


def card_licence(names: Iterable[str]) -> dict[str, str]:
    """Return what the card says of licences: the one there is, if it is Creative Commons'."""
    titles = {licence(name).title for name in names}
    title = titles.pop() if len(titles) == 1 else ""
    if title.startswith("CC"):
        return {"license": title.lower().replace(" ", "-")}
    return {
        "license": "other",
        "license_name": "see-attribution",
        "license_link": ATTRIBUTION_FILE,
    }


def card_head(files: Sequence[dict[str, str]], licences: Iterable[str], *, task: str) -> str:
    """Return the head of a card, which readers go by.

    Args:
        files: Of each split its name and the pattern of its files.
        licences: Of all assets.
        task: What the Hub calls what the rows are for.
    """
    head = yaml.safe_dump(
        {
            "configs": [{"config_name": "default", "data_files": list(files)}],
            **card_licence(licences),
            "task_categories": [task],
            "tags": ["synthetic"],
        },
        sort_keys=False,
    )
    return f"---\n{head}---\n"


def columns_of(record: ViewRecord) -> Iterator[tuple[str, str, str]]:
    """Yield the columns of a Parquet file that has a view, each with its type and what it is."""
    files: dict[str, FileRecord] = {str(name): file for name, file in record.files.items()}
    files |= {f"{name}_preview": file for name, file in record.previews.items()}
    kinds = {name: kind_of(file) for name, file in files.items() if member_of(file.path)}
    for name in (*list(COLUMNS)[:2], *kinds, *FACTS):
        yield name, kinds.get(name) or FACTS.get(name, "string"), text_of(name)


def text_of(column: str) -> str:
    """Return what a column is."""
    of = column.removesuffix("_preview")
    shown = f"`{of}` as a picture for people"
    return shown if of != column else COLUMNS.get(column, f"pass `{column}`")


def kind_of(file: FileRecord) -> str:
    """Return what the bytes of a file are."""
    suffix = PurePosixPath(file.path).suffix
    return "picture" if suffix in PICTURES else f"bytes of a file: {suffix[1:].upper()}"
