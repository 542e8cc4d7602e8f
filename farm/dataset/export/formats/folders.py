"""Pictures in a folder per class, their masks in the same folders beside: for `ImageFolder`s."""

from __future__ import annotations

import re
from collections.abc import Iterator

from farm.dataset.export.base import Exporter, ExportJob, ExportPart, Lines, NumberedView, Written
from farm.dataset.export.passes.pictures import picture, put_extras
from farm.dataset.export.survey import class_names, is_arrangement
from farm.errors import SpecError

CLASSES_FILE = "classes.txt"
"""Names each class in its line: the first is 0."""


class FolderExporter(Exporter[list[str]]):
    """`images/<split>/<class>/` and `masks/<split>/<class>/`, with equal names.

    Readers number the folders of a split in order, so each split has all of them.
    """

    takes = frozenset({"classes", "link"})
    needs = (("rgb",),)

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._folders = folder_names(self.survey.classes)

    def take(self, view: NumberedView) -> list[str]:
        link = self.options.link
        if is_arrangement(view.record):
            raise SpecError(
                f"{view.view.key}: shows several models, so it has no one class, by which folders "
                "are made: export to coco, yolo or another format of objects"
            )
        first = class_names(view.record, self.options.classes)[0]
        place = f"{view.split}/{self._folders[first]}/{view.stem}"
        file = picture(view, "rgb", self.options.image_format)
        paths = [file.put(self.outbox, f"images/{place}.{file.suffix}", link=link)]
        if "mask" in view.record.files:
            mask = picture(view, "mask", "png")
            paths.append(mask.put(self.outbox, f"masks/{place}.{mask.suffix}", link=link))
        extras = tuple(name for name in self.options.passes if name not in ("rgb", "mask"))
        return paths + put_extras(view, self.outbox, extras, link=link)

    def write(self, part: ExportPart, taken: Iterator[list[str]]) -> Written:
        return Written([path for paths in taken for path in paths], [])

    def close(self, lines: Lines) -> list[str]:
        names = sorted(self._folders.values())
        kinds = ("images", "masks") if self.survey.passes["mask"] else ("images",)
        paths = [
            self.outbox.put_folder(f"{kind}/{split}/{name}")
            for kind in kinds
            for split in self.survey.splits
            for name in names
        ]
        empty = [path for path in paths if path.startswith("images/") and self._is_empty(path)]
        if empty:
            self.notes.append(
                f"empty folders of classes: {len(empty):,}, such as {empty[0]}: "
                "they keep the numbers of classes the same in all splits; torchvision's "
                "ImageFolder accepts them with allow_empty=True"
            )
        return [*paths, self.outbox.put_text(CLASSES_FILE, "".join(f"{name}\n" for name in names))]

    def _is_empty(self, path: str) -> bool:
        return next((self.outbox.folder / path).iterdir(), None) is None


def folder_names(classes: tuple[str, ...]) -> dict[str, str]:
    """Return a folder for each class, no two the same, also where capitals do not count."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for name in classes:
        plain = re.sub(r"[/\\\0\r\n]+", "-", name).strip(". ") or "object"
        folder, number = plain, 2
        while folder.casefold() in taken:
            folder, number = f"{plain}-{number}", number + 1
        names[name] = folder
        taken.add(folder.casefold())
    return names
