"""KITTI's optical flow: pairs of pictures, and where pixels of the first one go."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any, NamedTuple

from farm.dataset.export.base import ExportPart, Lines, NumberedView, Written
from farm.dataset.export.passes.flow_files import FOLDERS, kitti_png
from farm.dataset.export.passes.pictures import PassFile, picture
from farm.dataset.export.sequences import SequenceExporter, moment_of


class Half(NamedTuple):
    """A frame, which is the first of one pair and the second of another."""

    number: int
    place: int
    name: str
    picture: PassFile
    flow: bytes
    too_fast: int
    extras: list[str]


class KittiExporter(SequenceExporter[Half]):
    """`training/image_2/<pair>_10.png`, `<pair>_11.png`, `training/flow_occ/<pair>_10.png`."""

    reader = "KITTI"
    whole_sequences = True
    takes = frozenset({"link"})
    needs = (("rgb",), ("flow_forward",), ("flow_forward_valid",))

    def take(self, view: NumberedView) -> Half:
        valid = view.pixels("flow_forward_valid") > 0
        flow, fast = kitti_png(view.pixels("flow_forward"), valid)
        moment = moment_of(view)
        extras = self.put_extras(view, *("rgb", "flow_forward", "flow_forward_valid"))
        shown = picture(view, "rgb", self.options.image_format)
        name = f"{view.sequence}\t{moment.number}"
        return Half(view.number, moment.place, name, shown, flow, fast, extras)

    def write(self, part: ExportPart, taken: Iterator[Half]) -> Written:
        files: list[str] = []
        lines: list[Any] = []
        folder = FOLDERS.get(part.split, part.split)
        link = self.options.link
        for one, other in pairwise(chain(taken, [None])):
            if one is None:
                break
            files += one.extras
            if other is None or other.place != one.place + 1:  # a frame that is missing or damaged
                continue
            stem = f"{one.number:06d}"
            for half, shown in (("10", one.picture), ("11", other.picture)):
                path = f"{folder}/image_2/{stem}_{half}.{shown.suffix}"
                files.append(shown.put(self.outbox, path, link=link))
            files.append(self.outbox.put(f"{folder}/flow_occ/{stem}_10.png", one.flow))
            lines.append({"pair": f"{stem}\t{one.name}", "too_fast": one.too_fast > 0})
        return Written(files, lines)

    def close(self, lines: Lines) -> list[str]:
        files, fast = [], 0
        for split in self.survey.splits:
            text = ""
            for line in lines(split):
                text += f"{line['pair']}\n"
                fast += line["too_fast"]
            folder = FOLDERS.get(split, split)
            files.append(self.outbox.put_text(f"{folder}/pairs.tsv", text))
        if fast:
            self.notes.append(
                f"motion of 512 px and more does not fit KITTI's 16 bits and is invalid: {fast:,} "
                "pairs have some"
            )
        return files
