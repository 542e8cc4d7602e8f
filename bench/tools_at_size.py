"""Seconds and memory of the dataset tools, from a thousand views to a hundred thousand.

    python -m bench.tools_at_size [--sizes 1000,10000,100000] [--resolution 64] [--small]
                                  [--tools verify,stats,...] [--baseline ANOTHER_CHECKOUT]
                                  [--keep FOLDER] [--out FOLDER]

Each tool is the command that people type, in a process of its own. The dataset is synthetic, with
records as a render of models under HDRIs writes them: 64 views of each model, pictures of balls
that are drawn once; every picture is a file of its own with bytes of its own, masks are links to a
few. Baseline, in the same run: all of its files read, and hashed, in one process. With `--baseline`
every tool runs from another checkout as well, in turns with this one.

Memory is the peak of what all processes of a command hold together, pages that they share counted
once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from bench.line_plot import Curve, line_plot
from farm.spec.base import digest
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord, read_record
from farm.storage import FolderStorage
from tests.support.datasets import fold, make_view

MB = 1_000_000
PASSES: tuple[PassName, ...] = ("rgb", "mask")
DIFFERENT = 64
"""Pictures that are drawn: the views of one model."""
TOOLS: dict[str, list[str]] = {
    "verify": ["verify", "{place}", "--json"],
    "stats": ["stats", "{place}", "--out", "{out}/stats.png"],
    "split": ["split", "{place}", "--fresh"],
    "preview": ["preview", "{place}", "--out", "{out}/preview.jpg"],
    "preview --html": ["preview", "{place}", "--html", "--out", "{out}/preview.html"],
    "export coco": ["export", "{place}", "--to", "coco", "--out", "{out}/coco"],
    "export yolo": ["export", "{place}", "--to", "yolo", "--out", "{out}/yolo"],
    "export webdataset": ["export", "{place}", "--to", "webdataset", "--out", "{out}/shards"],
    "export huggingface": [
        "export", "{place}", "--to", "huggingface", "--out", "{out}/parquet"
    ],
}  # fmt: skip
READ = "read and hash"
"""The baseline: every file once, in one process."""
START = "(start)"
"""`farm dataset stats --help`: what each command takes before it does anything."""
CHUNK_START, CHUNK_END = b"tEXt", b"\x00\x00\x00\x00IEND"
SAMPLE_S = 0.1


class Measured(NamedTuple):
    """One run of one tool."""

    seconds: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Measure, or be the one that is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--keep", type=Path, help="where datasets stay for the next run")
    parser.add_argument("--out", type=Path, default=Path("bench-tools"))
    parser.add_argument("--small", action="store_true", help="tiny: to see that it works")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.read:
        read_all(chosen.read)
        return
    sizes = [128, 256] if chosen.small else [int(size) for size in chosen.sizes.split(",")]
    checkouts = {"here": Path.cwd()}
    if chosen.baseline:
        checkouts["baseline"] = chosen.baseline.resolve()
    chosen.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[int, dict[str, Measured]]] = {}
    with working_folder(chosen.keep) as folder:
        for size in sizes:
            place = folder / f"balls-{chosen.resolution}-{size}"
            if not (place / "dataset.json").exists():
                make_dataset(place, size, resolution_px=chosen.resolution)
            for tool in (START, READ, *chosen.tools.split(",")):
                for name, checkout in (
                    checkouts.items() if tool in TOOLS else [("here", Path.cwd())]
                ):
                    run = measure(tool, place, checkout)
                    found.setdefault(tool, {}).setdefault(size, {})[name] = run
                    print(line_of(tool, size, name, run), flush=True)
    write_report(found, sizes, chosen.out)


@contextmanager
def working_folder(keep: Path | None) -> Iterator[Path]:
    """Give the folder of the datasets, which goes unless it is to be kept."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        yield Path(name)


def make_dataset(place: Path, views: int, *, resolution_px: int) -> None:
    """Write a dataset of `views` views with all their files."""
    drawn = [
        make_view(
            number, models=1, hdrs=4, objects=1, passes=PASSES,
            size=(resolution_px, resolution_px), bit_depth=8, picture_format="png",
        )
        for number in range(DIFFERENT)
    ]  # fmt: skip
    templates = [(record.model_dump(mode="json"), files) for record, files in drawn]
    shutil.rmtree(place, ignore_errors=True)
    for folder in ("images", "masks"):
        (place / folder).mkdir(parents=True)
    fold(FolderStorage(place), place.name, list(write_views(place, views, templates)))


def write_views(
    place: Path, views: int, templates: list[tuple[dict[str, Any], dict[PassName, bytes]]]
) -> Iterator[ViewRecord]:
    """Write the files of all views; yield their records."""
    masks: list[Path] = []
    for number in range(views):
        template, files = templates[number % DIFFERENT]
        model = number // DIFFERENT
        name = f"ball{model:05d}_{number:07d}"
        picture = with_note(files["rgb"], name)
        image, mask = place / "images" / f"{name}.png", place / "masks" / f"{name}.png"
        image.write_bytes(picture)
        if model == 0:
            mask.write_bytes(files["mask"])
            masks.append(mask)
        else:
            os.link(masks[number % DIFFERENT], mask)
        yield read_record(json.dumps(one_more(template, number, model, name, picture)))


def one_more(
    template: dict[str, Any], number: int, model: int, name: str, picture: bytes
) -> dict[str, Any]:
    """Return the record of one view, made from that of a view of another model."""
    ball, *skies = template["assets"]
    content = digest("ball", model)
    ball = {**ball, "id": f"ball{model:05d}", "name": f"ball{model:05d}.blend", "sha256": content}
    paths = {"rgb": f"images/{name}.png", "mask": f"masks/{name}.png"}
    files = {of: {**template["files"][of], "path": path} for of, path in paths.items()}
    files["rgb"] |= {"sha256": hashlib.sha256(picture).hexdigest(), "size_bytes": len(picture)}
    return {
        **template,
        "view_id": digest(name),
        "view": {**template["view"], "index": number, "name": name, "seed": number},
        "group": content,
        "task_id": f"ball{model:05d}-0000",
        "title": f"ball {model}",
        "files": files,
        "assets": [ball, *skies],
    }


def with_note(png: bytes, note: str) -> bytes:
    """Return a PNG that shows the same and has bytes of its own."""
    body = CHUNK_START + b"Title\0" + note.encode()
    chunk = len(body[4:]).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    end = png.rindex(CHUNK_END)
    return png[:end] + chunk + png[end:]


def measure(tool: str, place: Path, checkout: Path) -> Measured:
    """Run a tool on a dataset; return what it took."""
    farm = [sys.executable, "-m", "farm", "dataset"]
    with tempfile.TemporaryDirectory(prefix="farm-bench-", dir=place.parent) as out:
        if tool == READ:
            command = [sys.executable, "-m", "bench.tools_at_size", "--read", str(place)]
        elif tool == START:
            command = [*farm, "stats", "--help"]
        else:
            command = [*farm, *(each.format(place=place, out=out) for each in TOOLS[tool])]
        before = cpu_of_children()
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        memory = PeakMemory(process.pid)
        said, complaint = process.communicate()
        seconds = time.perf_counter() - start
        peak = memory.stop()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}\n{said}{complaint}")
    return Measured(seconds, cpu_of_children() - before, peak / MB)


def cpu_of_children() -> float:
    """Return the seconds of CPU of all processes that were started and are over."""
    times = os.times()
    return times.children_user + times.children_system


class PeakMemory:
    """Watches a process and all that it starts; each page counts once (PSS, or else RSS)."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the peak in bytes."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while True:
            try:
                tree = [self._root, *self._root.children(recursive=True)]
            except psutil.Error:
                return
            self._peak = max(self._peak, sum(map(memory_of, tree)))
            if self._over.wait(SAMPLE_S):
                return


def memory_of(process: psutil.Process) -> int:
    """Return what a process holds, its share of what it shares; 0 where it is over."""
    try:
        found = process.memory_full_info()
        return int(getattr(found, "pss", found.rss))
    except (psutil.Error, OSError):
        return 0


def read_all(place: Path) -> None:
    """Read every file of a dataset, and hash it."""
    with (place / "views.jsonl").open("rb") as lines:
        for line in lines:
            for file in json.loads(line)["files"].values():
                data = (place / file["path"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == file["sha256"]


def line_of(tool: str, size: int, name: str, run: Measured) -> str:
    """Return a run as a line for people."""
    return (
        f"{tool:20}{size:>9,} views {name:10}{run.seconds:9.1f} s {size / run.seconds:9.0f} views/s"
        f"{run.cpu_s:9.1f} s of CPU {run.peak_mb:7.0f} MB"
    )


def write_report(
    found: dict[str, dict[int, dict[str, Measured]]], sizes: list[int], out: Path
) -> None:
    """Write the numbers, a table and a plot."""
    facts = {
        tool: {
            str(size): {n: run._asdict() for n, run in runs.items()} for size, runs in by.items()
        }
        for tool, by in found.items()
    }
    (out / "tools.json").write_text(json.dumps(facts, indent=1) + "\n")
    (out / "tools.md").write_text("\n".join(table_of(found, sizes)) + "\n")
    curves = {
        tool: Curve([(size, by[size]["here"].seconds) for size in sizes])
        for tool, by in found.items()
    }
    picture = line_plot(
        curves, title="Dataset tools at size", across="views", up="seconds", logarithmic=True
    )
    picture.save(out / "tools.png")
    print("\n".join(table_of(found, sizes)))
    print(f"report in {out}")


def table_of(found: dict[str, dict[int, dict[str, Measured]]], sizes: list[int]) -> Iterator[str]:
    """Yield a table in Markdown: seconds and peak memory by size, and the other checkout's."""
    compared = any("baseline" in runs for by in found.values() for runs in by.values())
    heads = [f"{size:,} views" for size in sizes]
    before = [f"before, {sizes[-1]:,}", "ratio"] if compared else []
    yield f"| tool | {' | '.join([*heads, *before])} |"
    yield "|---" * (1 + len(heads) + len(before)) + "|"
    for tool, by in found.items():
        cells = [
            f"{by[size]['here'].seconds:.1f} s, {by[size]['here'].peak_mb:.0f} MB" for size in sizes
        ]
        if compared and "baseline" in by[sizes[-1]]:
            old, new = by[sizes[-1]]["baseline"], by[sizes[-1]]["here"]
            cells += [
                f"{old.seconds:.1f} s, {old.peak_mb:.0f} MB",
                f"{old.seconds / new.seconds:.1f}",
            ]
        cells += [""] * (len(heads) + len(before) - len(cells))
        yield f"| {tool} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
