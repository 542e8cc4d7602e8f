"""Parquet with pictures inside, described so that `datasets` reads pictures, boxes and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from datasets import Array2D, Array3D, ClassLabel, Features, Image, List, Value
from numpy.typing import NDArray

from farm.dataset.export.base import Exporter, ExportJob, ExportPart, Lines, NumberedView, Written
from farm.dataset.export.instances import box_of, find_instances
from farm.dataset.export.pictures import pass_file
from farm.dataset.records.attribution import ATTRIBUTION_FILE, licence
from farm.errors import SpecError
from farm.projection import focal_px
from farm.spec.passes import PASSES, PassKind, PassName
from farm.spec.record import CameraRecord

Row = dict[str, Any]
GROUP_BYTES = 32_000_000
"""Bytes at which rows are written; a reader also takes as many at a time."""
GROUP_ROWS = 100
CARD = "README.md"
NOT_HELD: frozenset[PassKind] = frozenset({"cryptomatte", "arrays"})
AS_PICTURES: frozenset[PassKind] = frozenset({"picture", "integers", "yes_or_no", "cutout"})
"""Kinds of passes that are left out: other numbers for each view, or as many as it likes."""
SPLIT_NAME = re.compile(r"\w+(\.\w+)*")
"""As `datasets` has it."""
COLUMNS = {
    "view": "unique name",
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
    "assets": "its assets: role, file name and licence, where it is known, of each",
    "record": "everything known about the view, as JSON",
}
"""What each column is, in the order of the card."""


class ParquetExporter(Exporter[Row]):
    """`data/<split>-<number>.parquet` and `README.md`, the card that says which split is where."""

    takes = frozenset({"classes", "shard_mb"})
    part_views = 1000
    by_size = True

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        common = [name for name in self.survey.common_passes() if PASSES[name].kind not in NOT_HELD]
        self._passes: tuple[PassName, ...] = self.options.passes or tuple(common)
        self._has_objects = "mask" in common or "index" in common
        self._features = self._describe()
        for name in self.survey.splits:
            if not SPLIT_NAME.fullmatch(name):
                raise SpecError(
                    f"{name!r}: huggingface allows only letters, digits, _ and . in the name of a "
                    "split"
                )

    def take(self, view: NumberedView) -> Row:
        record = view.record
        row: Row = {"view": view.stem}
        for name in self._passes:
            if PASSES[name].kind in AS_PICTURES:
                file = pass_file(view, name, self.options.image_format)
                row[name] = {"bytes": file.data, "path": f"{view.stem}.{file.suffix}"}
            else:
                row[name] = view.pixels(name)
        if self._has_objects:
            row["objects"] = self._objects(view)
        camera = record.camera
        return row | {
            "intrinsics": intrinsics(camera),
            "world_from_camera": np.array(camera.world_from_camera),
            "metres_per_unit": record.metres_per_unit,
            "title": record.title,
            "assets": [
                {"role": asset.role, "name": asset.name, "licence": asset.credit.licence}
                for asset in record.assets
            ],
            "record": record.model_dump_json(),
        }

    def write(self, part: ExportPart, taken: Iterator[Row]) -> Written:
        path = f"data/{part.name}.parquet"
        schema = self._features.arrow_schema
        with (
            self.outbox.open(path) as file,
            pq.ParquetWriter(file, schema, compression="zstd", write_page_index=True) as shard,
        ):
            for rows in groups(taken):
                shard.write_table(to_table(rows, schema))
        return Written([path], [])

    def close(self, lines: Lines) -> list[str]:
        files = [
            {"split": split, "path": f"data/{split}-*.parquet"} for split in self.survey.splits
        ]
        head = yaml.safe_dump(
            {
                "configs": [{"config_name": "default", "data_files": files}],
                **card_licence(self.survey.licences()),
                "task_categories": ["image-segmentation"],
                "tags": ["synthetic"],
            },
            sort_keys=False,
        )
        return [self.outbox.put_text(CARD, f"---\n{head}---\n\n{self._card()}")]

    def _card(self) -> str:
        """Return the description of the dataset for people: its splits, and what each column is."""
        splits = [f"| {name} | {views:,} |" for name, views in self.survey.counts.items()]
        columns = [f"| `{name}` | {told(self._features[name])} | {text} |"
                   for name, text in COLUMNS.items() if name in self._features]  # fmt: skip
        return "\n".join(
            [
                f"{self.survey.views:,} rendered views with labels, made by Viewfarm.",
                "ATTRIBUTION.md names the authors and licences of its models and HDRIs.",
                "", "## Splits", "", "| split | views |", "|---|---|", *splits,
                "", "## Columns", "", "| column | type | what |", "|---|---|---|", *columns, "",
            ]
        )  # fmt: skip

    def _describe(self) -> Features:
        found: dict[str, Any] = {"view": Value("string")}
        found |= {name: self._feature(name) for name in self._passes}
        if self._has_objects:
            found["objects"] = List(
                {
                    "class": ClassLabel(names=list(self.survey.classes)),
                    "bbox": List(Value("int32"), length=4),
                    "area": Value("int32"),
                }
            )
        text = Value("string")
        return Features(
            found
            | {
                "intrinsics": List(Value("float64"), length=4),
                "world_from_camera": Array2D((4, 4), "float64"),
                "metres_per_unit": Value("float64"),
                "title": text,
                "assets": List({"role": text, "name": text, "licence": text}),
                "record": text,
            }
        )

    def _feature(self, name: PassName) -> Any:
        info = PASSES[name]
        if info.kind in AS_PICTURES:
            return Image()
        if info.kind in NOT_HELD:
            raise SpecError(f"an export to huggingface cannot hold the pass {name}")
        if len(self.survey.sizes_px) > 1:
            raise SpecError(
                f"an export to huggingface holds {name} as an array of one size, but views differ: "
                "choose pictures with --passes rgb,mask"
            )
        ((width, height),) = self.survey.sizes_px
        channels = len(info.channels)
        if channels == 1:
            return Array2D((height, width), "float32")
        return Array3D((height, width, channels), "float32")

    def _objects(self, view: NumberedView) -> list[Row]:
        found = []
        for instance in find_instances(view, self.options.classes):
            box = box_of(instance.mask)
            if box is not None:
                area = int(np.count_nonzero(instance.mask))
                number = self.survey.classes.index(instance.class_name)
                found.append({"class": number, "bbox": list(box), "area": area})
        return found


def intrinsics(camera: CameraRecord) -> list[float] | None:
    """Return fx, fy, cx and cy; a camera that is not a pinhole has none."""
    if camera.model != "pinhole":
        return None
    return [*focal_px(camera), camera.cx_px, camera.cy_px]


def told(feature: Any) -> str:
    """Return a feature's type in words."""
    if isinstance(feature, (Array2D, Array3D)):
        return f"{' x '.join(map(str, feature.shape))} {feature.dtype}"
    if isinstance(feature, Value):
        return str(feature.dtype)
    if isinstance(feature, List):
        return "list" if feature.length < 0 else f"{feature.length} {feature.feature.dtype}"
    return "picture"


def card_licence(names: tuple[str, ...]) -> dict[str, str]:
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


def groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Gather rows until they hold enough bytes."""
    held: list[Row] = []
    size_bytes = 0
    for row in rows:
        held.append(row)
        size_bytes += sum(size_of(value) for value in row.values())
        if size_bytes >= GROUP_BYTES or len(held) >= GROUP_ROWS:
            yield held
            held, size_bytes = [], 0
    if held:
        yield held


def size_of(value: Any) -> int:
    """Return about how many bytes a value holds."""
    if isinstance(value, dict):
        return len(value["bytes"])
    return value.nbytes if isinstance(value, np.ndarray) else 0


def to_table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    """Return rows as a table of the types that `datasets` has for its features."""
    columns = []
    for field in schema:
        values = [row[field.name] for row in rows]
        if isinstance(field.type, pa.ExtensionType):
            columns.append(pa.ExtensionArray.from_storage(field.type, to_lists(values)))
        else:
            columns.append(pa.array(values, type=field.type))
    return pa.table(columns, schema=schema)


def to_lists(arrays: list[NDArray[Any]]) -> pa.Array:
    """Return arrays of one shape as lists of lists, without a Python object per number."""
    found = pa.array(np.concatenate([array.reshape(-1) for array in arrays]))
    for length in reversed(arrays[0].shape):
        starts = np.arange(0, len(found) + 1, length, dtype=np.int32)
        found = pa.ListArray.from_arrays(pa.array(starts), found)
    return found
