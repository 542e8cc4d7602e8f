"""What tests of all exports share: running one, odd masks, and comparing folders."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from imagecodecs import png_encode
from numpy.typing import NDArray
from PIL import Image

from farm.dataset.export.base import ExportOptions
from farm.dataset.export.output_folder import STATE_FOLDER
from farm.dataset.export.run import ExportSummary, export
from farm.dataset.reader import Dataset

HEIGHT, WIDTH = 48, 64


def run(
    place: Path,
    out: Path,
    to: str,
    *,
    report: Callable[[int, int], None] = lambda _done, _views: None,
    replace: bool = False,
    **options: Any,
) -> ExportSummary:
    wanted = ExportOptions(format=to, **options)
    return export(str(place), out, wanted, threads=2, report=report, replace=replace)


def replace_mask(dataset: Path, at: int, mask: NDArray[np.bool_]) -> None:
    """Give a view another mask, of whole pixels, and record it."""
    data = png_encode(mask.astype(np.uint8) * 255)
    lines = (dataset / "views.jsonl").read_text().splitlines(keepends=True)
    record = json.loads(lines[at])
    file = record["files"]["mask"]
    (dataset / file["path"]).write_bytes(data)
    file |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    lines[at] = json.dumps(record, separators=(",", ":")) + "\n"
    (dataset / "views.jsonl").write_text("".join(lines))


def odd_masks() -> dict[str, NDArray[np.bool_]]:
    """Masks that polygons find hard."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ring = ((x - 30) ** 2 + (y - 24) ** 2 < 400) & ((x - 33) ** 2 + (y - 25) ** 2 > 49)
    eyes = ring & ((x - 20) ** 2 + (y - 12) ** 2 > 6)
    parts = np.zeros((HEIGHT, WIDTH), dtype=bool)
    parts[3:9, 4:20] = parts[20:40, 30:44] = parts[46, 62] = True
    island = ring | ((x - 33) ** 2 + (y - 25) ** 2 < 9)
    touching = np.zeros((HEIGHT, WIDTH), dtype=bool)
    touching[10:20, 10:20] = touching[20:30, 20:30] = True
    noise = np.random.default_rng(3).random((HEIGHT, WIDTH)) < 0.5
    return {
        "empty": np.zeros((HEIGHT, WIDTH), dtype=bool),
        "all": np.ones((HEIGHT, WIDTH), dtype=bool),
        "holes": eyes,
        "parts": parts,
        "island in a hole": island,
        "touching corners": touching,
        "noise": noise,
    }


def half_covered(dataset: Dataset, at: int) -> NDArray[np.bool_]:
    """The pixels of which the model covers at least half, counted without the export's code."""
    mask = dataset[at]["mask"]
    return mask.astype(float) / np.iinfo(mask.dtype).max >= 0.5


def files_of(folder: Path) -> dict[str, bytes]:
    """All files of an export but those that it goes on from."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and STATE_FOLDER not in path.parts
    }


def opened(data: bytes) -> NDArray[Any]:
    """A picture as Pillow, which most readers use, sees it."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0
