"""DAVIS: JPEG frames, annotations with a palette, and lists of sequences."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.passes.pictures import picture
from farm.dataset.export.sequences import FrameExporter, by_sequence, moment_of
from farm.dataset.export.survey import things
from farm.dataset.export.timeline import ObjectKey, Reel

MOST_OBJECTS = 254
"""Numbers that a palette has for objects: 0 is the background, 255 stands for void."""
RESOLUTION = "480p"
"""Folder that readers look into, whatever the size of the pictures."""
DIGITS = 5


class DavisExporter(FrameExporter):
    """`JPEGImages/480p/<sequence>/`, `Annotations/480p/<sequence>/`, `ImageSets/2017/`."""

    reader = "DAVIS"
    takes = frozenset({"link"})
    needs = (("rgb",), ("index",))

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._numbers = {name: numbers_of(reel) for name, reel in self.reels.items()}
        for name, reel in self.reels.items():
            if len(reel.seen()) > MOST_OBJECTS:
                self.notes.append(
                    f"{name} shows {len(reel.seen()):,} objects, and a palette has room for "
                    f"{MOST_OBJECTS}: the largest are kept, the others are background"
                )

    def take(self, view: NumberedView) -> ViewFiles:
        stem = f"{view.sequence}/{moment_of(view).place:0{DIGITS}d}"
        said = "image_format" in self.options.model_fields_set
        file = picture(view, "rgb", self.options.image_format if said else "jpg")
        path = f"JPEGImages/{RESOLUTION}/{stem}.{file.suffix}"
        files = [file.put(self.outbox, path, link=self.options.link)]
        data = palette_png(self._annotation(view))
        files.append(self.outbox.put(f"Annotations/{RESOLUTION}/{stem}.png", data))
        return ViewFiles([*files, *self.put_extras(view, "rgb", "index")], {})

    def close(self, lines: Lines) -> list[str]:
        files = []
        for split in self.survey.splits:
            names = "".join(f"{name}\n" for name, _frames in by_sequence(lines, split))
            files.append(self.outbox.put_text(f"ImageSets/2017/{split}.txt", names))
        table = "".join(
            f"{name}\t{number}\t{key.name}\t{key.asset}\n"
            for name, numbers in self._numbers.items()
            for key, number in numbers.items()
        )
        files.append(self.outbox.put_text("objects.tsv", table))
        return files

    def _annotation(self, view: NumberedView) -> NDArray[np.uint8]:
        """Return the number of the object of each pixel (H, W), the same in all frames."""
        index = view.pixels("index")
        numbers = self._numbers[view.sequence]
        found = np.zeros(index.shape, dtype=np.uint8)
        for key, label in things(view.record):
            if key in numbers:
                found[np.isin(index, label.indices)] = numbers[key]
        return found


def numbers_of(reel: Reel) -> dict[ObjectKey, int]:
    """Return the number of each object that a sequence shows, from 1; of too many the largest."""
    seen = reel.seen()
    largest = sorted(seen, key=lambda key: -reel.areas[key])[:MOST_OBJECTS]
    return {key: at for at, key in enumerate(filter(set(largest).__contains__, seen), start=1)}


def palette_png(numbers: NDArray[np.uint8]) -> bytes:
    """Return a PNG whose pixels are numbers (H, W) with colours, as DAVIS and PASCAL VOC have."""
    shown = Image.fromarray(numbers)
    shown.putpalette(voc_palette())  # which makes a grey picture one of numbers
    file = BytesIO()
    shown.save(file, "PNG")
    return file.getvalue()


def voc_palette() -> list[int]:
    """Return 256 colours, r g b each: the bits of a number, three at a time, from the top."""
    colours = []
    for number in range(256):
        rgb = [0, 0, 0]
        for place in range(8):
            for channel in range(3):
                rgb[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
        colours += rgb
    return colours
