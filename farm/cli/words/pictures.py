"""Pictures of objects, to confirm their words by: rendered here, in a folder that goes again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from farm.cli.progress import show_progress
from farm.cli.remote.farm_options import err_console, say
from farm.cli.render_run import stop_on_signal
from farm.dataset.records.resume import find_finished
from farm.devices import choose_devices
from farm.errors import needing
from farm.local.plan.estimate import make_estimate
from farm.local.plan.prepare import prepare
from farm.local.processes.temp_folders import temp_folder
from farm.spec.asset import Asset
from farm.spec.load import parse_spec
from farm.spec.recipes.sod import SodView
from farm.storage import FolderStorage

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE_PX, SAMPLES = 192, 16
PITCH_DEG = 45.0
"""From above: of a bowl and of a plate that shows more than from the side."""
BEHIND = 205.0
"""Level of the plain grey behind an object, sRGB."""
NEEDS = "pip install 'viewfarm[worker]' on Python 3.13, or give --no-sheet"


def take_pictures(objects: Sequence[Asset]) -> dict[str, Image]:
    """Render each object once; return its picture by the SHA-256 of its file.

    Of what cannot be shown there is none, and a note says why.

    Raises:
        SetupError: Nothing can be rendered here.
    """
    console = err_console()
    with needing("pictures of the objects need", NEEDS):
        import PIL  # noqa: F401 - asked for before anything is rendered

        import farm.local.job.run  # noqa: F401
    with temp_folder() as folder:
        render(objects, folder, console)
        return dict(pictures_in(folder / "views"))


def render(objects: Sequence[Asset], folder: Path, console: Console) -> None:
    """Render two views of each object, level and from above, under a plain sky."""
    from farm.local.job.run import render_job

    (folder / "sky.hdr").write_bytes(plain_sky())
    spec = parse_spec(
        {
            "models": [asset.path for asset in objects],
            "hdrs": [str(folder / "sky.hdr")],
            "recipe": {"kind": "sod", "yaw": 1, "pitch": 2, "fit": True, "front": "-y"},
            "passes": ["rgb", "mask"],
            "render": {
                "resolution": SIDE_PX, "samples": SAMPLES, "previews": False,
                "view_transform": "Standard",
            },
            "output": str(folder / "views"),
        }
    )  # fmt: skip
    job, _ = prepare(spec, base=folder)
    storage = FolderStorage(folder / "views")
    devices = choose_devices("auto", "auto")
    finished = find_finished(job, storage, lambda _sentence: None)
    plan = make_estimate(job, devices=devices)
    with (
        stop_on_signal(console) as stop,
        show_progress(console, views=plan.views, views_done=plan.views_done) as report,
    ):
        summary = render_job(
            job, storage=storage, finished=finished, devices=devices, report=report,
            note=lambda _sentence: None, stop=stop,
        )  # fmt: skip
    for failure in summary.failures:
        say(console, f"note: no picture: {failure.sentence}")


def pictures_in(folder: Path) -> list[tuple[str, Image]]:
    """Return the pictures from above, each with the SHA-256 of what it shows."""
    from farm.dataset.reader import open_dataset

    if not any(folder.rglob("views.jsonl")):
        return []
    return [
        (view.record.assets[0].sha256, over_grey(view["rgb"], view["mask"]))
        for view in open_dataset(folder)
        if isinstance(view.record.view, SodView) and view.record.view.camera.pitch_deg == PITCH_DEG
    ]


def over_grey(rgb: np.ndarray, mask: np.ndarray) -> Image:
    """Return an object before a plain grey."""
    from PIL import Image

    share = mask[..., None].astype(np.float64) / 255
    levels = rgb * share + BEHIND * (1.0 - share)
    return Image.fromarray(np.asarray(levels + 0.5, dtype=np.uint8))


def plain_sky() -> bytes:
    """Return an environment, as a Radiance file: bright above, with a soft light on one side."""
    height, width = 16, 32
    rows, columns = np.mgrid[0:height, 0:width]
    light = 0.35 + 0.65 * (1.0 - rows / (height - 1))
    light += 2.5 * np.exp(-(((columns - 9) / 4.0) ** 2) - ((rows - 4) / 2.5) ** 2)
    exponents = np.ceil(np.log2(light))
    levels = np.clip(light / 2.0**exponents * 256, 0, 255).astype(np.uint8)
    pixels = np.dstack([levels, levels, levels, (exponents + 128).astype(np.uint8)])
    head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n"
    return head.encode() + pixels.tobytes()
