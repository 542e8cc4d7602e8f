"""Pictures in a folder per class, their masks in the same folders beside: for tfds.ImageFolder."""

from __future__ import annotations

import re
from collections.abc import Iterator

from farm.dataset.export.base import Exporter, Job, NumberedView, Part, Written
from farm.dataset.export.pictures import picture, put_extras
from farm.dataset.export.survey import class_names


class FolderExporter(Exporter[list[str]]):
    """`images/<split>/<class>/` and `masks/<split>/<class>/`, with equal names."""

    takes = frozenset({"classes", "link"})
    needs = (("rgb",),)

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._folders = folder_names(self.survey.classes)

    def take(self, view: NumberedView) -> list[str]:
        link = self.options.link
        first = class_names(view.record, self.options.classes)[0]
        place = f"{view.split}/{self._folders[first]}/{view.stem}"
        file = picture(view, "rgb", self.options.image_format)
        paths = [file.put(self.outbox, f"images/{place}.{file.suffix}", link=link)]
        if "mask" in view.record.files:
            mask = picture(view, "mask", "png")
            paths.append(mask.put(self.outbox, f"masks/{place}.{mask.suffix}", link=link))
        extras = tuple(name for name in self.options.passes if name not in ("rgb", "mask"))
        return paths + put_extras(view, self.outbox, extras, link=link)

    def write(self, part: Part, taken: Iterator[list[str]]) -> Written:
        return Written([path for paths in taken for path in paths], [])


def folder_names(classes: tuple[str, ...]) -> dict[str, str]:
    """Return a folder for each class, no two the same."""
    names: dict[str, str] = {}
    for name in classes:
        plain = re.sub(r"[/\\\0]+", "-", name).strip(". ") or "object"
        folder, number = plain, 2
        while folder in names.values():
            folder, number = f"{plain}-{number}", number + 1
        names[name] = folder
    return names
