"""Parquet with pictures inside, described so that `datasets` reads pictures, boxes and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Array2D, Array3D, ClassLabel, Features, Image, List, Value
from numpy.typing import NDArray

from farm.dataset.export.base import Exporter, ExportJob, ExportPart, Lines, NumberedView, Written
from farm.dataset.export.instances import box_of, find_instances
from farm.dataset.export.passes.pictures import pass_file
from farm.dataset.records.card import CARD, COLUMNS, card_head
from farm.errors import SpecError
from farm.projection import focal_px
from farm.spec.passes import PASSES, PassKind, PassName
from farm.spec.record import CameraRecord

Row = dict[str, Any]
GROUP_BYTES = 32_000_000
"""Bytes at which rows are written; a reader also takes as many at a time."""
GROUP_ROWS = 100
NOT_HELD: frozenset[PassKind] = frozenset({"cryptomatte", "arrays"})
AS_PICTURES: frozenset[PassKind] = frozenset({"picture", "integers", "yes_or_no", "cutout"})
"""Kinds of passes that are left out: other numbers for each view, or as many as it likes."""
SPLIT_NAME = re.compile(r"\w+(\.\w+)*")
"""As `datasets` has it."""


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
        head = card_head(files, self.survey.licences(), task="image-segmentation")
        return [self.outbox.put_text(CARD, f"{head}\n{self._card()}")]

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
