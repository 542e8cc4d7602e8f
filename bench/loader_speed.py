"""How many views a second the PyTorch loader gives, against a plain loop of Pillow.

    .venv-torch/bin/python -m bench.loader_speed [--size 512] [--views 48]

`make test-torch` makes that environment. The baseline reads the same PNG files, picture and mask,
one after the other into the same tensors.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

import farm.dataset
from farm.dataset.torch import ViewDataset
from tests.support.datasets import write_dataset

BATCH = 8
ROUNDS = 3
DRAWN = 12
"""Views that are drawn; the dataset has each of them several times."""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--views", type=int, default=48)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        for suffix in ("png", "jxl"):
            draw(folder / suffix, suffix, side=asked.size, views=asked.views)
        found = measure(
            {
                "Pillow, a plain loop": plain_loop(folder / "png"),
                "ViewDataset, png, 0 workers": loader(folder / "png", workers=0),
                "ViewDataset, png, 2 workers": loader(folder / "png", workers=2),
                "ViewDataset, jxl, 0 workers": loader(folder / "jxl", workers=0),
                "ViewDataset, jxl, 2 workers": loader(folder / "jxl", workers=2),
            }
        )
    print(f"{asked.views} views of {asked.size} px, picture and mask, batches of {BATCH}")
    base, _cpu = found["Pillow, a plain loop"]
    for what, (seconds, cpu_s) in found.items():
        cpu = "" if "2 workers" in what else f"{1000 * cpu_s / asked.views:8.1f} ms of CPU per view"
        print(f"{what:28} {asked.views / seconds:8.0f} views/s {base / seconds:6.2f}x{cpu}")


def loader(folder: Path, *, workers: int) -> DataLoader[Any]:
    """Return PyTorch's loader of a dataset."""
    return DataLoader(
        ViewDataset(folder), batch_size=BATCH, num_workers=workers, persistent_workers=workers > 0
    )


def measure(ways: dict[str, Iterable[Any]]) -> dict[str, tuple[float, float]]:
    """Return the least seconds of an epoch, and of this process's CPU; the ways take turns."""
    found = dict.fromkeys(ways, (float("inf"), float("inf")))
    for _round in range(ROUNDS + 1):  # the first warms up, and is never the least
        for what, batches in ways.items():
            start, cpu = time.perf_counter(), time.process_time()
            for _batch in batches:
                pass
            taken = time.perf_counter() - start, time.process_time() - cpu
            found[what] = (min(found[what][0], taken[0]), min(found[what][1], taken[1]))
    return found


def draw(folder: Path, suffix: str, *, side: int, views: int) -> None:
    """Write a dataset in which a few views come again and again."""
    write_dataset(
        folder, views=DRAWN, passes=("rgb", "mask"), size=(side, side), picture_format=suffix
    )
    lines = (folder / "views.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "views.jsonl").write_bytes(b"".join((lines * views)[:views]))


class PlainLoop:
    """Batches of the same tensors by Pillow and NumPy alone."""

    def __init__(self, files: list[tuple[Path, Path]]) -> None:
        self.files = files

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self.files), BATCH):
            some = self.files[start : start + BATCH]
            yield {
                "rgb": torch.stack([read(rgb).permute(2, 0, 1).contiguous() for rgb, _ in some]),
                "mask": torch.stack([read(mask)[None] for _, mask in some]),
            }


def plain_loop(folder: Path) -> PlainLoop:
    """Return the plain loop over a dataset."""
    data = farm.dataset.open(folder)
    return PlainLoop([(folder / view.path("rgb"), folder / view.path("mask")) for view in data])


def read(path: Path) -> torch.Tensor:
    """Return a PNG as float32 in 0..1."""
    with Image.open(path) as image:
        return torch.from_numpy(np.asarray(image).astype(np.float32)) / 255


if __name__ == "__main__":
    main()
