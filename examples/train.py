"""Feed a training with pictures while they are rendered, and draw the first ones into a grid.

    python examples/train.py falling_cubes
    python examples/train.py cube

A farm comes up, renders and ends with the loop. A real training has its step where this one keeps
the pictures. With `--loaders 0` it does without PyTorch.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
BATCH = 4
COLUMNS = 4
TIMEOUT_S = 300
"""Longest time without a picture; the first ones take long on a small or busy machine."""
CORNERS = 8
"""Points of one object, which have a colour."""
COLOURS = ("#ff4040", "#40c040", "#4080ff", "#ffc020", "#ff60ff", "#40e0e0", "#ffffff", "#ff9040")


def batches(spec: str, loaders: int, **stream: Any) -> Iterator[dict[str, Any]]:
    """Yield batches of a stream: by PyTorch's DataLoader, or without PyTorch where it has none."""
    if loaders == 0:
        from farm.stream import Stream

        with Stream(spec, passes=("rgb",), **stream) as views:
            yield from views.batches(BATCH)
        return
    from torch.utils.data import DataLoader

    from farm.torch import StreamDataset

    with StreamDataset(spec, passes=("rgb",), scale=False, **stream) as views:
        for batch in DataLoader(views, batch_size=BATCH, num_workers=loaders):
            yield batch | {"rgb": batch["rgb"].movedim(1, -1)}


def marked(rgb: np.ndarray, points: np.ndarray) -> Image.Image:
    """Return a picture (H, W, 3) with the corners of objects (N, 2) drawn in, a colour for each."""
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    pen = ImageDraw.Draw(picture)
    radius = max(1, picture.width // 200)
    for number, (x, y) in enumerate(points):
        if 0 <= x < picture.width and 0 <= y < picture.height:  # elsewhere the camera sees none
            colour = COLOURS[number // CORNERS % len(COLOURS)]
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour, "black")
    return picture


def grid(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures of one size side by side."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * width, rows * height))
    for number, picture in enumerate(pictures):
        whole.paste(picture, (number % COLUMNS * width, number // COLUMNS * height))
    return whole


def main() -> None:
    """Read the stream of an example."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("example", choices=("falling_cubes", "cube"))
    parser.add_argument("--length", type=int, default=16, help="pictures in all")
    parser.add_argument("--loaders", type=int, default=4, help="workers of the DataLoader")
    parser.add_argument("--workers", default="auto", help="of the farm, as of farm render")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--grid", type=Path, default=Path("grid.png"))
    wish = parser.parse_args()
    spec = HERE / wish.example / f"{wish.example}.yaml"
    pictures: list[Image.Image] = []
    stream = {"length": wish.length, "workers": wish.workers, "device": wish.device}
    stream["timeout_s"] = TIMEOUT_S
    for batch in batches(str(spec), wish.loaders, **stream):
        points = np.asarray(batch["xy"])
        print(f"pictures {tuple(batch['rgb'].shape)}, points {points.shape}", flush=True)
        pictures += map(marked, np.asarray(batch["rgb"]), points)
    grid(pictures).save(wish.grid)
    print(f"{len(pictures)} pictures: {wish.grid}")


if __name__ == "__main__":
    main()
