"""RefCOCO as REFER's API reads it: `refs(unc).p`, `instances.json`, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from farm.dataset.export.formats.language.plain_pickle import write_pickle
from farm.dataset.export.formats.language.refer import Meant, ReferExporter
from farm.dataset.export.formats.language.sentences import Entry

SPLITS_BY = {"refcoco": ("google", "unc"), "refcoco+": ("unc",), "refcocog": ("google", "umd")}
"""Names of those who split each dataset, as its files have them."""


class RefcocoExporter(ReferExporter):
    """`images/mscoco/images/train2014/`, `<name>/instances.json`, `<name>/refs(<by>).p`."""

    reader = "REFER's API"
    takes = frozenset({"classes", "link", "refer_name", "text"})
    several = nothing = False
    pictures = "images/mscoco/images/train2014"

    @property
    def dataset(self) -> str:
        return self.options.refer_name

    @property
    def has_test(self) -> bool:
        return self.options.refer_name == "refcocog"

    def tell(self, meant: list[Meant]) -> Entry:
        return {"ann_id": meant[0].number, "category_id": meant[0].category}

    def write_refs(self, refs: Callable[[], Iterator[Entry]]) -> list[str]:
        paths = [f"{self.dataset}/refs({by}).p" for by in SPLITS_BY[self.options.refer_name]]
        for path in paths:
            with self.outbox.open(path) as file:
                write_pickle(file, refs())
        return paths
