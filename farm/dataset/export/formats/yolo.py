"""YOLO segmentation: a polygon per object in a text file per picture."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from farm.dataset.export.base import Exporter, ExportJob, ExportPart, Lines, NumberedView, Written
from farm.dataset.export.geometry.polygons import joined, outlines
from farm.dataset.export.instances import find_instances
from farm.dataset.export.passes.pictures import picture, put_extras


class YoloExporter(Exporter[list[str]]):
    """`data.yaml`, `images/<split>/`, `labels/<split>/`; a picture of nothing has an empty file."""

    takes = frozenset({"classes", "link"})
    needs = (("rgb",), ("mask", "index"))

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._numbers = {name: at for at, name in enumerate(self.survey.classes)}

    def take(self, view: NumberedView) -> list[str]:
        link = self.options.link
        file = picture(view, "rgb", self.options.image_format)
        place = f"{view.split}/{view.stem}"
        extras = tuple(name for name in self.options.passes if name != "rgb")
        return [
            file.put(self.outbox, f"images/{place}.{file.suffix}", link=link),
            self.outbox.put_text(f"labels/{place}.txt", self._rows(view)),
            *put_extras(view, self.outbox, extras, link=link),
        ]

    def write(self, part: ExportPart, taken: Iterator[list[str]]) -> Written:
        return Written([path for paths in taken for path in paths], [])

    def close(self, lines: Lines) -> list[str]:
        splits = list(self.survey.splits)
        # Training wants to validate on something; without such a split it is what there is.
        roles = {"train": splits[0], "val": "val" if "val" in splits else splits[0]}
        roles |= {name: name for name in splits}
        data = {role: f"images/{split}" for role, split in roles.items()}
        names = {at: name for name, at in self._numbers.items()}
        text = yaml.safe_dump(data | {"names": names}, sort_keys=False, allow_unicode=True)
        return [self.outbox.put_text("data.yaml", text)]

    def _rows(self, view: NumberedView) -> str:
        width, height = view.record.resolution_px
        rows = []
        for instance in find_instances(view, self.options.classes):
            points = joined(outlines(instance.mask))
            if points:
                sides = [f"{x / width:.7g} {y / height:.7g}" for x, y in points]
                rows.append(f"{self._numbers[instance.class_name]} {' '.join(sides)}\n")
        return "".join(rows)
