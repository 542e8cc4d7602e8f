"""What a renderer keeps, `verify` finds well: they judge by one rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farm.dataset.verify.report import NOTES
from farm.dataset.verify.view_checks import examine_view
from farm.errors import UnusablePictureError
from farm.soundness import tight_box
from farm.spec.camera import IDENTITY
from farm.spec.label import ObjectLabel
from farm.storage import FolderStorage
from tests.builders import a_record, a_view
from tests.support.datasets import encode_exr
from worker.images.multilayer import Passes
from worker.images.view_transform import quantise_mask
from worker.render.writers.checks import check_label, check_passes, check_pixels

png_encode = pytest.importorskip("imagecodecs").png_encode
SIDE = 48


def alphas() -> dict[str, np.ndarray]:
    """Coverages as Cycles may give them, (H, W)."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    ball = np.clip(12 - np.hypot(rows - 24, columns - 24), 0, 1)
    return {
        "a ball": ball,
        "a ball of glass": ball * 0.3,
        "edge-on": (columns == 20) * 0.2,
        "edge-on, and faint": (columns == 20) * 0.003,
        "a thread in a corner": (rows + columns == 3) * 0.05,
        "one pixel": ((rows == 3) & (columns == 40)) * 1.0,
        "all of the frame": np.ones((SIDE, SIDE)),
        "all but fog": np.full((SIDE, SIDE), 0.004),
        "fog that 8 bits do not tell": np.full((SIDE, SIDE), 0.0015),
        "a fence": ((columns % 4 < 2) & (rows > 5)) * 1.0,
        "hair": (rng.random((SIDE, SIDE)) < 0.3) * rng.random((SIDE, SIDE)),
        "a ball with a halo": np.maximum(ball, 0.0019 * (np.hypot(rows - 24, columns - 24) < 20)),
        "a ball beyond one": ball * 1.009 - 0.004,
        "nothing": np.zeros((SIDE, SIDE)),
    }


def pictures() -> dict[str, np.ndarray]:
    noise = np.random.default_rng(5).random((SIDE, SIDE, 3))
    return {"of noise": noise, "of one colour": np.full((SIDE, SIDE, 3), 0.4)}


@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("picture", pictures().values(), ids=pictures().keys())
@pytest.mark.parametrize("shape", alphas().values(), ids=alphas().keys())
@pytest.mark.parametrize("empty_too", [False, True])
def test_what_is_kept_is_well_or_noted(tmp_path, shape, picture, bit_depth, empty_too):
    alpha = shape.astype(np.float32)
    kind = np.uint8 if bit_depth == 8 else np.uint16
    arrays = {
        "rgb": np.round(picture * np.iinfo(kind).max).astype(kind),
        "mask": quantise_mask(alpha, bit_depth=bit_depth),
    }
    depth = np.where(np.random.default_rng(1).random(alpha.shape) < 0.5, 2.0, np.inf)  # holes
    combined = np.dstack([picture.astype(np.float32), alpha])
    try:
        check_passes(
            Passes({"Combined": combined}, sample_s=0.0), bit_depth=bit_depth, allow_empty=empty_too
        )
        check_pixels(arrays, alpha, bit_depth=bit_depth)
        check_label("depth", depth.astype(np.float32))
    except UnusablePictureError:
        kept = False
    else:
        kept = True

    wrong, files = judge(tmp_path, alpha, arrays, depth, empty_too)

    assert wrong == [] if kept else True
    assert files == [] if kept else True
    if picture.std() == 0 and arrays["mask"].any():
        assert not kept
        assert wrong


def judge(folder: Path, alpha, arrays, depth, empty_too) -> tuple[list[str], list[str]]:
    """Return what `verify` finds wrong, and what it would have deleted."""
    data = {name: png_encode(pixels) for name, pixels in arrays.items()}
    data["depth"] = encode_exr({"Y": depth.astype(np.float32)})
    record = a_record(a_view(), files=data, resolution_px=(SIDE, SIDE), samples=16)
    files = dict(record.files)
    files["depth"] = files["depth"].model_copy(update={"path": "depth/view_000.exr"})
    coverage = np.clip(alpha, 0, 1)
    record = record.model_copy(
        update={
            "files": files,
            "coverage": float(alpha.mean()),
            "objects": (
                ObjectLabel(
                    name="vase",
                    category="vase",
                    indices=(1,),
                    box_px=tight_box(coverage),
                    area_px=float(coverage.sum(dtype=np.float64)),
                    visible_fraction=1.0,
                    truncation=0.0,
                    camera_from_object=IDENTITY,
                    size=(1, 1, 1),
                    corners_px=((0, 0),) * 8,
                ),
            ),
        }
    )
    storage = FolderStorage(folder)
    for name, each in data.items():
        storage.put(record.files[name].path, each)
    seen = examine_view(storage, "", record, may_be_empty=empty_too)
    assert "mask" in seen.looked
    wrong = [str(finding) for finding in seen.findings if finding.check not in NOTES]
    return wrong, [finding.file for finding in seen.findings if finding.file]
