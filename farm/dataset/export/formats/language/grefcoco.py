"""gRefCOCO: RefCOCO in JSON, with sentences of several targets and of none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from farm.dataset.export.formats.coco import write_list
from farm.dataset.export.formats.language.refer import Meant, ReferExporter
from farm.dataset.export.formats.language.sentences import Entry

NOTHING = -1
"""Number in place of an object's where a sentence means none."""


class GrefcocoExporter(ReferExporter):
    """`images/train2014/`, `grefcoco/instances.json`, `grefcoco/grefs(unc).json`."""

    reader = "gRefCOCO's API"
    pictures = "images/train2014"

    @property
    def dataset(self) -> str:
        return "grefcoco"

    def tell(self, meant: list[Meant]) -> Entry:
        return {
            "ann_id": [each.number for each in meant] or [NOTHING],
            "category_id": [each.category for each in meant] or [NOTHING],
        }

    def write_refs(self, refs: Callable[[], Iterator[Entry]]) -> list[str]:
        path = f"{self.dataset}/grefs(unc).json"
        with self.outbox.open(path) as file:
            file.write(b"[")
            write_list(file, refs())
            file.write(b"]\n")
        return [path]
