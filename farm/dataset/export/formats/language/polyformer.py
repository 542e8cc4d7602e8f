"""PolyFormer: a table with a row for each sentence, with picture, mask and polygons in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import numpy as np

from farm.dataset.export.base import Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.language import borders
from farm.dataset.export.formats.language.borders import along_edges
from farm.dataset.export.formats.language.sentences import (
    Entry,
    SentenceFileExporter,
    number_in,
    number_of,
    words_of,
)
from farm.dataset.export.instances import Instance, box_of, find_instances
from farm.dataset.export.passes.pictures import encode


class PolyformerExporter(SentenceFileExporter):
    """`refcoco_<split>.tsv`; `images/<split>/` has the pictures that are in it."""

    reader = "PolyFormer"
    takes = frozenset({"link", "text"})
    several = nothing = False

    def take(self, view: NumberedView) -> ViewFiles:
        found = find_instances(view, self.options.classes)
        chosen = self.choose(view.record, lambda place: bool(found[place].mask.any()))
        file = self.picture_of(view)
        path = f"images/{view.split}/{view.stem}.{file.suffix}"
        targets = {each.target for each in chosen.sentences}
        line: Entry = {
            "picture": path,
            "number": number_of(view),
            "targets": {str(at): cells_of(found[at]) for at in sorted(targets)},
            "sentences": [
                {
                    "id": f"{number_in(view, each.target)}_{each.place}",
                    "text": " ".join(words_of(each.said.text)),
                    "target": str(each.target),
                }
                for each in chosen.sentences
            ],
            "left_out": chosen.left_out,
        }
        files = [file.put(self.outbox, path, link=self.options.link), *self.put_extras(view)]
        return ViewFiles(files, line)

    def finish(self, lines: Lines) -> list[str]:
        paths = []
        for split in self.survey.splits:
            paths.append(f"refcoco_{split}.tsv")
            with self.outbox.open(paths[-1]) as file:
                for row in self._rows(lines(split)):
                    file.write(f"{row}\n".encode())
        return paths

    def _rows(self, lines: Iterator[Entry]) -> Iterator[str]:
        for line in lines:
            if not line["sentences"]:
                continue
            picture = in_letters((self.outbox.folder / line["picture"]).read_bytes())
            for said in line["sentences"]:
                cells = line["targets"][said["target"]]
                yield "\t".join(
                    [
                        said["id"], str(line["number"]), said["text"], cells["box"],
                        cells["polygons"], picture, cells["mask"], cells["walked"],
                    ]
                )  # fmt: skip


def cells_of(instance: Instance) -> dict[str, str]:
    """Return the cells of a target: box, polygons, mask."""
    box = box_of(instance.mask)
    assert box is not None, "it is seen"
    edges = (box.x, box.y, box.x + box.width, box.y + box.height)
    mask = in_letters(encode(instance.mask.astype(np.uint8), "png"))
    return {**borders.cells_of(along_edges(instance.mask), edges), "mask": mask}


def in_letters(data: bytes) -> str:
    """Return a file as text."""
    return base64.b64encode(data).decode("ascii")
