"""Make the pictures of README.md and docs/, with the product itself: `make docs-pictures`.

Needs the worker's install. Takes some minutes on a CPU.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageSequence

import farm.dataset
from farm.dataset.preview.films.film import make_film
from farm.dataset.sequences import find_sequences
from tools.rig_picture import drawn_around

IMAGES = Path(__file__).parents[1] / "docs" / "images"
FARM = Path(sys.executable).with_name("farm")
PASSES = "rgb,depth,normal,index,flow"
FRAME_MS = 83
WIDTH_PX = 1000
"""Of the film."""
SHEET_WIDTH_PX, HEADER_SHARE = 1500, 0.093
"""Of the tables; the part of the sheet that its title takes."""
BACKGROUND = (24, 26, 30)
LABEL_PX = 22
"""Height of the line under a picture."""
RIGS: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "--elevations 0,20,-10": ("--elevations", "0,20,-10"),
        "--rig fibonacci --views 60": ("--rig", "fibonacci", "--views", "60"),
        "--rig zero123plus": ("--rig", "zero123plus"),
    },
    {
        "--rig trellis": ("--rig", "trellis"),
        "--rig lrm": ("--rig", "lrm"),
        "--rig wonder3d": ("--rig", "wonder3d"),
    },
)
"""Those that are shown, by what is written under them."""


def main() -> None:
    """Write all pictures."""
    with tempfile.TemporaryDirectory(prefix="viewfarm-docs-") as name:
        folder = Path(name)
        run(FARM, "samples", folder)
        draw_fronts(folder)
        draw_rigs(folder)
        draw_passes(folder)
        draw_tables(folder)


def draw_fronts(folder: Path) -> None:
    """Show a model that faces -y at yaw 0 as it is, and with its front turned there."""
    pictures = {}
    monkey = folder / "monkey.blend"
    run(sys.executable, "-m", "tools.docs_scene", "monkey", monkey)
    for front in ("+y", "-y"):
        output = folder / f"front{front}"
        run(
            *(FARM, "render", "--models", monkey),
            *("--hdrs", folder / "hdrs" / "interior.exr", "--fit", "--front", front),
            *("--yaw", "1", "--pitch", "4", "--resolution", "256", "--samples", "64"),
            *("--passes", "rgb,mask", "--output", output),
        )
        view = next(
            view for view in farm.dataset.open(output) if view.record.view.name[-2:] == "22"
        )
        pictures[f"yaw 0, --front {front}"] = Image.fromarray(view["rgb"])
    beside(pictures).save(IMAGES / "front.jpg", quality=88)


def draw_rigs(folder: Path) -> None:
    """Show where the cameras of rigs stand."""
    rows = [
        beside({name: rig_picture(folder, name, *flags) for name, flags in row.items()})
        for row in RIGS
    ]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), BACKGROUND)
    for place, row in enumerate(rows):
        sheet.paste(row, (0, place * row.height))
    sheet.save(IMAGES / "rigs.jpg", quality=88)


def rig_picture(folder: Path, name: str, *flags: str) -> Image.Image:
    """Render a rig small, and draw its cameras around the model."""
    job = (FARM, "render", "--models", folder / "models" / "chair.blend", "--hdrs",
           folder / "hdrs" / "interior.exr")  # fmt: skip
    small, large = folder / "rigs" / name / "small", folder / "rigs" / name / "large"
    run(*job, *flags, *("--resolution", "64", "--samples", "1", "--output", small))
    rig = farm.dataset.open(small)
    farthest = max(view.record.camera.distance or 0.0 for view in rig)
    frame = str(rig[0].record.values.get("frame", "unit-cube"))
    run(
        *(*job, "--azimuths", "40", "--elevations", "22", "--frame", frame),
        *("--distance", f"{3.3 * farthest:g}", "--fov", "42", "--resolution", "320"),
        *("--samples", "48", "--passes", "rgb,mask,depth,foreground", "--output", large),
    )
    return drawn_around(rig, farm.dataset.open(large)[0])


def beside(pictures: dict[str, Image.Image]) -> Image.Image:
    """Return pictures side by side, each with its name."""
    width = sum(picture.width for picture in pictures.values())
    height = max(picture.height for picture in pictures.values())
    sheet = Image.new("RGB", (width, height + LABEL_PX), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    left = 0
    for name, picture in pictures.items():
        sheet.paste(picture, (left, 0))
        draw.text((left + 6, height + 4), name, fill="white")
        left += picture.width
    return sheet


def draw_passes(folder: Path) -> None:
    """Show a camera's way around a table, pass by pass, as a film."""
    scene = folder / "table.blend"
    run(sys.executable, "-m", "tools.docs_scene", "table", folder / "models", scene)
    output = folder / "table"
    run(
        *(FARM, "render", "--recipe", "sequence", "--scenes", scene),
        *("--hdrs", folder / "hdrs" / "forest.exr", "--lights", "hdri"),
        *("--passes", PASSES, "--resolution", "320x240", "--samples", "48", "--denoise"),
        *("--output", output),
    )
    data = farm.dataset.open(output)
    [sequence] = find_sequences(data)
    film = folder / "passes.webp"
    make_film(data, sequence, film, at_most=len(sequence), workers=2)
    shrink(film, IMAGES / "passes.webp")


def draw_tables(folder: Path) -> None:
    """Show tables with sentences about what stands there."""
    run(FARM, "samples", folder, "--things")
    words, output = folder / "words.yaml", folder / "tabletop"
    run(FARM, "words", "propose", folder / "things", "--output", words, "--no-sheet")
    words.write_text(words.read_text().replace("confirmed: false", "confirmed: true"))
    run(
        *(FARM, "render", "--recipe", "tabletop", "--objects", folder / "things"),
        *("--words", words, "--hdrs", folder / "hdrs", "--scenes", "4", "--views", "3"),
        *("--resolution", "480x360", "--samples", "32", "--denoise", "--output", output),
    )
    run(FARM, "dataset", "verify", output)
    sheet = folder / "sheet.jpg"
    run(FARM, "dataset", "preview", output, "--views", "4", "--out", sheet)
    with Image.open(sheet) as whole:
        top = round(whole.height * HEADER_SHARE)
        cards = whole.crop((0, top, whole.width, whole.height))
        size = (SHEET_WIDTH_PX, round(SHEET_WIDTH_PX * cards.height / cards.width))
        cards.resize(size, Image.Resampling.LANCZOS).save(IMAGES / "tabletop.jpg", quality=86)


def shrink(film: Path, path: Path) -> None:
    """Write a film small enough for a README."""
    with Image.open(film) as whole:
        size = (WIDTH_PX, round(WIDTH_PX * whole.height / whole.width))
        frames = [each.convert("RGB").resize(size) for each in ImageSequence.Iterator(whole)]
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=FRAME_MS,
        loop=0,
        quality=60,
        method=6,
    )


def run(*command: Any) -> None:
    """Run a command, and show what it says."""
    subprocess.run([str(word) for word in command], check=True, cwd=IMAGES.parents[1])


if __name__ == "__main__":
    main()
