"""What tests of exports for 3D learning share: datasets of one object, and what its points are."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagecodecs import png_encode

import farm.dataset
from farm.dataset.images import decode_pass
from farm.dataset.reader import DatasetView
from farm.spec.passes import PassName
from tests.support.changed_datasets import ChangedDataset
from tests.support.datasets import write_dataset
from tests.support.sequences import encoded

SCENE = "ball000-sky000"
"""The folder of the one scene of such a dataset."""
RADIUS = 0.5
"""Of its ball, which is in the middle of the world."""
KEPT: list[tempfile.TemporaryDirectory[str]] = []


def write_whole(folder: Path, **wanted: Any) -> None:
    """Write such a dataset with all passes that formats for 3D learning take."""
    write_object(folder, **wanted)
    add_cutouts(folder)
    add_surfaces(folder)


SURFACE: dict[PassName, Any] = {
    "base_color": (0.8, 0.2, 0.05),
    "roughness": 0.3,
    "metallic": 0.9,
    "emission": (0.5, 4.0, 0.0),
    "transmission": 0.25,
    "opacity": 0.6,
}
"""What the ball is made of."""


def add_surfaces(folder: Path) -> None:
    """Give the views the passes of materials: the same all over the ball, 0 beside it."""
    changed = ChangedDataset(folder)
    for line in changed.lines:
        normals = decode_pass(
            (folder / line["files"]["normal"]["path"]).read_bytes(), "n", "normal"
        )
        ball = np.any(normals != 0, axis=-1)
        for name, value in SURFACE.items():
            inside = ball[..., None] if isinstance(value, tuple) else ball
            pixels = np.where(inside, np.array(value), 0.0).astype(np.float32)
            put_pass(folder, line, name, pixels)
        put_pass(folder, line, "surface_valid", np.where(ball, 127, 0).astype(np.uint16))
    changed.save()


def write_object(
    folder: Path, *, views: int = 12, models: int = 1, size: tuple[int, int] = (64, 64)
) -> None:
    """Write views of one ball, or several, under one sky; its masks have no soft edges."""
    shutil.copytree(made(views, models, size), folder)


@functools.cache
def made(views: int, models: int, size: tuple[int, int]) -> Path:
    """Make such a dataset once; it goes when the process ends."""
    held = tempfile.TemporaryDirectory()
    KEPT.append(held)
    folder = Path(held.name) / "d"
    passes = ("rgb", "mask", "depth", "normal")
    write_dataset(folder, views=views, models=models, size=size, passes=passes)
    changed = ChangedDataset(folder)
    changed.change_all(("mask",), lambda mask: np.where(mask > 127, 255, 0).astype(mask.dtype))
    changed.save()
    return folder


def add_cutouts(folder: Path, *, bits: int = 8) -> dict[str, np.ndarray[Any, Any]]:
    """Give the views `foreground`, of a colour of its own, `background`, and masks with soft edges.

    Returns what each view's 8-bit file should hold, by name.
    """
    changed, found = ChangedDataset(folder), {}
    for at, line in enumerate(changed.lines):
        alpha = np.random.default_rng(at).integers(0, 256, line["resolution_px"][::-1], np.uint8)
        colour = np.where(alpha[..., None] > 0, [[[10, 200, 30 + at]]], 0).astype(np.uint8)
        pixels = np.dstack([colour, alpha])
        found[line["view"]["name"]] = pixels
        wide = pixels if bits == 8 else pixels.astype(np.uint16) * 257
        put_pass(folder, line, "foreground", wide)
        behind = np.full((*alpha.shape, 3), 90 + at, np.uint8)
        put_pass(folder, line, "background", behind)
        changed.change("mask", lambda _mask, alpha=alpha: alpha, at=at)
    changed.save()
    return found


def put_pass(
    folder: Path, line: dict[str, Any], name: PassName, pixels: np.ndarray[Any, Any]
) -> None:
    """Give a view another pass."""
    path = f"{name}/{line['view']['name']}.{'exr' if pixels.dtype == np.float32 else 'png'}"
    data = encoded(name, pixels) if path.endswith("exr") else bytes(png_encode(pixels))
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(data)
    line["files"][name] = {
        "path": path, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data),
    }  # fmt: skip


def change_records(folder: Path, how: Any) -> None:
    """Change each record, by its number; `how` gets the number and the record as JSON."""
    changed = ChangedDataset(folder)
    for at, line in enumerate(changed.lines):
        how(at, line)
    changed.save()


def views_by_name(folder: Path) -> dict[str, DatasetView]:
    return {view.name: view for view in farm.dataset.open(folder)}


def top_of(view: DatasetView) -> tuple[np.ndarray, np.ndarray]:
    """Where the top of the ball is in the world, and where the picture has it."""
    [label] = view.record.objects
    [point] = label.keypoints
    return np.array([0.0, 0.0, label.size[2] / 2]), np.array(point.px)


def reader_of(module: str) -> Any:
    """A reader's own code; who has it not leaves its tests out, but CI has it."""
    return __import__(module) if os.environ.get("CI") else pytest.importorskip(module)


def read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def project_gl(point: np.ndarray, pose: Any, focal: tuple[float, float], middle: Any) -> np.ndarray:
    """Where a camera that looks along -Z, y up, has a point of the world; from the outer corner."""
    x, y, z = (np.linalg.inv(np.array(pose)) @ [*point, 1.0])[:3]
    return np.array([middle[0] - focal[0] * x / z, middle[1] + focal[1] * y / z])
