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
from farm.dataset.preview.film import make_film
from farm.dataset.sequences import find_sequences

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


def main() -> None:
    """Write all pictures."""
    with tempfile.TemporaryDirectory(prefix="viewfarm-docs-") as name:
        folder = Path(name)
        run(FARM, "samples", folder)
        draw_fronts(folder)
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
