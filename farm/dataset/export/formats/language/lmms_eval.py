"""RefCOCO as lmms-lab/RefCOCO has it, for lmms-eval: a row for each object, picture inside."""

from __future__ import annotations

from typing import ClassVar

from datasets import Features, Image, List, Value

from farm.dataset.export.base import NumberedView
from farm.dataset.export.formats.language.coco_entries import coco_name
from farm.dataset.export.formats.language.refer import by_targets
from farm.dataset.export.formats.language.rows import RowsExporter, ViewRows
from farm.dataset.export.formats.language.sentences import number_in, number_of
from farm.dataset.export.geometry.polygons import joined, outlines
from farm.dataset.export.instances import box_of, find_instances

QUESTION = "Which words tell the thing in this region from all others?"


class LmmsEvalExporter(RowsExporter):
    """Parquet with pictures inside."""

    reader = "lmms-eval"
    several = nothing = False
    task = "visual-question-answering"
    features = Features(
        {
            "question_id": Value("string"),
            "image": Image(),
            "question": Value("string"),
            "answer": List(Value("string")),
            "segmentation": List(Value("float32")),
            "bbox": List(Value("float32")),
            "iscrowd": Value("int8"),
            "file_name": Value("string"),
        }
    )
    columns: ClassVar = {
        "question_id": "number of the object",
        "image": "the picture",
        "question": "asks for a sentence",
        "answer": "the sentences that mean this object",
        "segmentation": "one polygon, x and y in turn, pixels; its parts and holes are joined by "
        "bridges",
        "bbox": "left, top, width, height; pixels",
        "iscrowd": "0: each row is about one object",
        "file_name": "the picture's, with the object's place behind",
    }

    def take(self, view: NumberedView) -> ViewRows:
        found = find_instances(view, self.options.classes)
        chosen = self.choose(view.record, lambda place: bool(found[place].mask.any()))
        file = self.picture_of(view)
        picture = {"bytes": file.data, "path": coco_name(number_of(view), file.suffix)}
        rows = [
            {
                "question_id": str(number_in(view, target)),
                "image": picture,
                "question": QUESTION,
                "answer": [each.said.text for each in said],
                "segmentation": [
                    side for point in joined(outlines(found[target].mask)) for side in point
                ],
                "bbox": list(box_of(found[target].mask) or ()),
                "iscrowd": 0,
                "file_name": coco_name(number_of(view), file.suffix, place=target),
            }
            for (target,), said in by_targets(chosen.sentences).items()
        ]
        return ViewRows(rows, chosen.left_out, self.put_extras(view))
