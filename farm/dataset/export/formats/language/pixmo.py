"""Points as PixMo-Points has them, for Molmo: a row for each sentence, picture inside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import ClassVar

from datasets import Features, Image, List, Value

from farm.dataset.export.base import NumberedView
from farm.dataset.export.formats.language.rows import RowsExporter, ViewRows
from farm.dataset.export.formats.language.sentences import one_line
from farm.spec.expression import Expression


class PixmoExporter(RowsExporter):
    """Parquet with pictures inside; points are in pixels."""

    reader = "Molmo"
    needs = (("rgb",),)
    task = "visual-question-answering"
    usual_text = "phrase"
    own_reasons: ClassVar = {"pointless": "no point of each target in the record"}
    features = Features(
        {
            "image": Image(),
            "image_url": Value("string"),
            "image_sha256": Value("string"),
            "points": List({"x": Value("float64"), "y": Value("float64")}),
            "count": Value("int64"),
            "label": Value("string"),
            "collection_method": Value("string"),
        }
    )
    columns: ClassVar = {
        "image": "the picture",
        "image_url": "the picture's name, unlike all others: nothing is to be fetched",
        "image_sha256": "hash of the picture's file, as `image` has it",
        "points": "of each target a point on it, `x` and `y` in pixels from the outer corner of "
        "the top-left pixel; none where the sentence means nothing",
        "count": "how many there are",
        "label": "the words for what is meant, or the sentence",
        "collection_method": "`pointing`",
    }

    def take(self, view: NumberedView) -> ViewRows:
        chosen = self.choose(view.record, lambda _place: True)
        file = self.picture_of(view)
        name = f"{view.stem}.{file.suffix}"
        shared = {
            "image": {"bytes": file.data, "path": name},
            "image_url": name,
            "image_sha256": hashlib.sha256(file.data).hexdigest(),
            "collection_method": "pointing",
        }
        rows = [
            {
                **shared,
                "points": [{"x": x, "y": y} for x, y in each.said.points_px],
                "count": len(each.said.points_px),
                "label": one_line(each.said.text),
            }
            for each in chosen.sentences
        ]
        return ViewRows(rows, chosen.left_out, self.put_extras(view))

    def why_not(self, said: Expression, seen: Callable[[int], bool]) -> str | None:
        if len(said.points_px) != len(said.targets):
            return "pointless"
        return super().why_not(said, seen)
