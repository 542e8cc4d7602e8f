"""Views per second of each export, and whether its memory grows with the dataset.

    python -m bench.export_speed [--views 10000] [--few 1000] [--source png8|png16|jxl8|jxl16]
                                 [--size 128] [--rows coco,yolo] [--threads N]

The dataset is synthetic: a few views of balls, or of tables for formats of sentences, hard-linked
under as many names as there are views.
Each export runs in a process of its own, once on few views and once on all; the time is that from
the first view to the last file, without what Python takes to load the format's library. Baseline,
in the same run: the same files, copied one by one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import farm.dataset
from farm.dataset.export.base import ExportOptions
from farm.dataset.export.registry import LANGUAGE_FORMATS, load_format
from farm.dataset.export.run import export
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord
from tests.support.datasets import write_dataset
from tests.support.sentences import write_sentences

PASSES: tuple[PassName, ...] = ("rgb", "mask", "depth")
CHOSEN: dict[str, dict[str, Any]] = {
    "coco": {},
    "coco polygons": {"segmentation": "polygon"},
    "coco linked": {"link": True},
    "yolo": {},
    "huggingface": {"passes": ("rgb", "mask")},
    "webdataset": {"passes": ("rgb", "mask")},
    "bop": {},
    "folders": {},
    **{name: {} for name in LANGUAGE_FORMATS},
}
"""Options of each row; BOP and RefGrasp have depth, too."""
SAID: tuple[PassName, ...] = ("rgb", "index", "depth")
"""Passes of views with sentences, of which each has seven."""
COPIES = ("copy", "copy with depth")
DIFFERENT = 64
"""Views that are drawn; the others are links to them."""


def main() -> None:
    """Measure, or be the one that is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--views", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--source", default="png8", choices=("png8", "png16", "jxl8", "jxl16"))
    parser.add_argument("--rows", default=",".join((*COPIES, *CHOSEN)))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        row, place, out = chosen.child
        print(json.dumps(measure(row, Path(place), Path(out), chosen.threads)))
        return
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        counts = (chosen.few, chosen.views)
        for count in counts:
            for row in chosen.rows.split(","):
                place = source_of(row, folder, count)
                if not place.exists():
                    make_dataset(place, count, chosen.size, chosen.source)
        print(f"{'':20}{'views/s':>10}{'CPU ms/view':>13}{'peak MB':>10}{'growth MB':>11}")
        for row in chosen.rows.split(","):
            few, all_ = (run(row, folder, count, chosen.threads) for count in counts)
            print(
                f"{row:20}{chosen.views / all_['seconds']:10.0f}"
                f"{all_['cpu_s'] / chosen.views * 1000:13.2f}"
                f"{all_['peak_mb']:10.0f}{all_['peak_mb'] - few['peak_mb']:11.1f}",
                flush=True,
            )


def run(row: str, folder: Path, count: int, threads: int) -> dict[str, float]:
    """Measure a row in a process of its own."""
    out = folder / "out"
    done = subprocess.run(
        [sys.executable, "-m", "bench.export_speed", "--threads", str(threads),
         "--child", row, str(source_of(row, folder, count)), str(out)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    shutil.rmtree(out)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def source_of(row: str, folder: Path, count: int) -> Path:
    """Return where the dataset of a row is."""
    return folder / ("sentences" if row in LANGUAGE_FORMATS else "balls") / str(count)


def measure(row: str, place: Path, out: Path, threads: int) -> dict[str, float]:
    """Export or copy; return wall seconds, CPU seconds and the most memory that it held."""
    kind = row.partition(" ")[0]
    if row in CHOSEN:
        load_format(kind)
    start, before = time.perf_counter(), cpu_seconds()
    if row in CHOSEN:
        options = ExportOptions(format=kind, **CHOSEN[row])
        export(str(place), out, options, threads=threads, report=lambda _done, _views: None)
    else:
        copy(place, out, ("rgb", "mask") if row == COPIES[0] else PASSES)
    return {
        "seconds": time.perf_counter() - start,
        "cpu_s": cpu_seconds() - before,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """Return the most memory that this program has held; `getrusage` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cpu_seconds() -> float:
    """Return the CPU time that this process has taken."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def copy(place: Path, out: Path, names: tuple[PassName, ...]) -> None:
    """Copy the files of all views, with nothing else done."""
    for view in farm.dataset.open(place):
        for name in names:
            path = out / view.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place / view.path(name), path)


def make_dataset(folder: Path, count: int, size: int, source: str) -> None:
    """Write a few views, then link them under other names until there are `count`."""
    views, picture_format, bit_depth = min(count, DIFFERENT), source[:3], int(source[3:])
    if folder.parent.name == "sentences":
        records = write_sentences(
            folder, views=min(views, 16), size=(size, size), passes=SAID, bit_depth=bit_depth,
            picture_format=picture_format,
        )  # fmt: skip
    else:
        records = write_dataset(
            folder, views=views, models=4, passes=PASSES, size=(size, size),
            bit_depth=bit_depth, picture_format=picture_format,
        )  # fmt: skip
    with (folder / "views.jsonl").open("w", encoding="utf-8") as file:
        for number in range(count):
            record = records[number % len(records)]
            if number >= len(records):
                record = linked(folder, record, number)
            file.write(record.model_dump_json() + "\n")


def linked(folder: Path, record: ViewRecord, number: int) -> ViewRecord:
    """Return the record of a view whose files are those of another."""
    name = f"view_{number:07d}"
    files = {}
    for of, file in record.files.items():
        path = f"{file.path.rpartition('/')[0]}/{name}.{file.path.rpartition('.')[2]}"
        os.link(folder / file.path, folder / path)
        files[of] = file.model_copy(update={"path": path})
    view = record.view.model_copy(update={"name": name, "index": number})
    return record.model_copy(update={"view": view, "files": files})


if __name__ == "__main__":
    main()
