"""Views as rows of a Parquet file that `datasets` reads, whose files are read by their place in it.

Files are neither compressed nor encoded anew, so that each lies in one piece. Where is looked up in
the file that was made, byte for byte, before a record tells of it.
"""

from __future__ import annotations

import io
import json
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from farm.errors import RenderError
from farm.projection import focal_px
from farm.spec.asset import AssetKind
from farm.spec.record import FileRecord, ViewRecord
from farm.storage.shards import LENGTH_BYTES, key_in, sample_key
from worker.render.writers.shard_maker import Packed

PICTURES = {".png", ".jpg", ".jpeg"}
"""Files that `datasets` decodes; others are bytes to it."""
MOST_BYTES = (1 << 31) - (1 << 20)
"""Of a value: Parquet counts the bytes of a page in 31 bits."""
SOUGHT_BYTES = 256
"""Of a file, by which it is looked for before all of it is compared."""
RECORD = "record"
"""The last column: all before lie where they do whatever it says."""

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""As `datasets` has it."""

Row = dict[str, Any]
Feature = dict[str, Any] | list[dict[str, Any]]
"""A type in the words of `datasets` 3, which later ones know too."""

TEXT: Feature = {"dtype": "string", "_type": "Value"}
NUMBER: Feature = {"dtype": "float64", "_type": "Value"}
BYTES: Feature = {"dtype": "binary", "_type": "Value"}
CREDITS = ("role", "name", "licence")
FACTS: dict[str, tuple[pa.DataType, Feature]] = {
    "view_id": (pa.string(), TEXT),
    "intrinsics": (
        pa.list_(pa.float64(), 4),
        {"feature": NUMBER, "length": 4, "_type": "Sequence"},
    ),
    "world_from_camera": (
        pa.list_(pa.list_(pa.float64())),
        {"shape": [4, 4], "dtype": "float64", "_type": "Array2D"},
    ),
    "metres_per_unit": (pa.float64(), NUMBER),
    "title": (pa.string(), TEXT),
    "model": (pa.string(), TEXT),
    "hdr": (pa.string(), TEXT),
    "assets": (
        pa.list_(pa.struct([(name, pa.string()) for name in CREDITS])),
        [dict.fromkeys(CREDITS, TEXT)],
    ),
}
"""What a row tells beside its name, its files and its record, as an export to `huggingface` does;
each column with its type in the file and to `datasets`."""


class ViewFile(str):
    """The name of a file in a shard: `vase.depth.preview.png`."""

    @property
    def column(self) -> str:
        """The column that it is in: `depth_preview`."""
        return "_".join(self.split(".")[1:-1])

    @property
    def is_picture(self) -> bool:
        """Say whether readers decode it."""
        return PurePosixPath(self).suffix in PICTURES


class ParquetMaker:
    """A Parquet file with one group of rows: a row for each view, a column for each pass."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.size_bytes = 0
        self._files: dict[str, dict[ViewFile, bytes]] = {}
        self._rows: list[dict[ViewFile, bytes]] = []
        self._records: list[ViewRecord] = []

    def add(self, name: str, data: bytes) -> str:
        if len(data) > MOST_BYTES:
            raise RenderError(
                f"{name}: has {len(data):,} bytes, and Parquet holds {MOST_BYTES:,} at most: take "
                "pack: webdataset"
            )
        self._files.setdefault(name.partition(".")[0], {})[ViewFile(name)] = data
        self.size_bytes += len(data)
        return key_in(self.key, 0, name)

    def add_view(self, record: ViewRecord) -> None:
        self._rows.append(self._files.pop(sample_key(record.view.name)))
        self._records.append(record)
        self.size_bytes += len(record.model_dump_json())

    def finish(self) -> Packed:
        columns = columns_of(self._rows)
        table = table_of(columns, self._rows, self._records)
        files = [
            (name, row[name])
            for column in columns
            for row in self._rows
            for name in row
            if name.column == column
        ]
        places = places_of(files, written(table), self.key)
        records = [placed(record, self.key, places) for record in self._records]
        texts = pa.array([record.model_dump_json() for record in records])
        data = written(table.set_column(table.num_columns - 1, RECORD, texts))
        if places_of(files, data, self.key) != places:
            raise RenderError(f"{self.key}: {unfit()}")
        return Packed(data, records)


def columns_of(rows: list[dict[ViewFile, bytes]]) -> dict[str, bool]:
    """Return the columns of files, in order, each with whether they are pictures."""
    found: dict[str, bool] = {}
    for row in rows:
        for name in row:
            found[name.column] = found.get(name.column, True) and name.is_picture
    return found


def table_of(
    columns: dict[str, bool], rows: list[dict[ViewFile, bytes]], records: list[ViewRecord]
) -> pa.Table:
    """Return views as a table, without their records."""
    fields = [("view", pa.string(), TEXT)]
    fields += [
        (name, PICTURE, {"_type": "Image"}) if is_picture else (name, pa.binary(), BYTES)
        for name, is_picture in columns.items()
    ]
    fields += [(name, *each) for name, each in FACTS.items()]
    fields += [(RECORD, pa.string(), TEXT)]
    told = {"info": {"features": {name: feature for name, _type, feature in fields}}}
    schema = pa.schema(
        [(name, kind) for name, kind, _feature in fields],
        metadata={"huggingface": json.dumps(told)},
    )
    lines = [
        facts_of(record) | files_of(row, columns) for row, record in zip(rows, records, strict=True)
    ]
    return pa.Table.from_pylist(lines, schema=schema)


def files_of(row: dict[ViewFile, bytes], columns: dict[str, bool]) -> Row:
    """Return the files of a view as their columns have them."""
    return {
        name.column: {"bytes": data, "path": str(name)} if columns[name.column] else data
        for name, data in row.items()
    }


def facts_of(record: ViewRecord) -> Row:
    """Return what a row tells beside files."""
    camera = record.camera

    def first(kind: AssetKind) -> str | None:
        return next((asset.name for asset in record.assets if asset.kind == kind), None)

    return {
        "view": record.view.name,
        "view_id": record.view_id,
        "intrinsics": (
            [*focal_px(camera), camera.cx_px, camera.cy_px] if camera.model == "pinhole" else None
        ),
        "world_from_camera": camera.world_from_camera,
        "metres_per_unit": record.metres_per_unit,
        "title": record.title,
        "model": first("model"),
        "hdr": first("hdr"),
        "assets": [
            {"role": asset.role, "name": asset.name, "licence": asset.credit.licence}
            for asset in record.assets
        ],
        RECORD: "",
    }


def written(table: pa.Table) -> bytes:
    """Return a table as a file in which values lie as they are."""
    file = io.BytesIO()
    pq.write_table(
        table,
        file,
        row_group_size=max(table.num_rows, 1),
        write_batch_size=1,  # values between two looks at the size of a page
        compression="NONE",
        use_dictionary=False,
        write_statistics=False,  # of bytes they are bytes
    )
    return file.getvalue()


def places_of(files: list[tuple[ViewFile, bytes]], data: bytes, key: str) -> dict[str, int]:
    """Return where files begin in the bytes of a shard that has them in this order.

    Raises:
        RenderError: One is not there in one piece, behind its length.
    """
    places: dict[str, int] = {}
    end = 0
    for name, file in files:
        sought = len(file).to_bytes(LENGTH_BYTES, "little") + file[:SOUGHT_BYTES]
        at = data.find(sought, end)
        while at >= 0 and not data.startswith(file, at + LENGTH_BYTES):
            at = data.find(sought, at + 1)
        if at < 0:
            raise RenderError(f"{key}: {unfit()}")
        places[name] = at + LENGTH_BYTES
        end = places[name] + len(file)
    return places


def unfit() -> str:
    """Return what is said of a library that lays out files in another way."""
    return (
        f"pyarrow {pa.__version__} does not keep files in one piece; install the version of "
        "requirements-worker.lock, or take pack: webdataset"
    )


def placed(record: ViewRecord, key: str, places: dict[str, int]) -> ViewRecord:
    """Return a record with the keys by which its files are read."""

    def place(file: FileRecord) -> FileRecord:
        name = PurePosixPath(file.path).name
        return file.model_copy(update={"path": key_in(key, places[name], name)})

    return record.model_copy(
        update={
            field: {name: place(file) for name, file in getattr(record, field).items()}
            for field in ("files", "previews")
        }
    )
