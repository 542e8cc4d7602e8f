"""RefCOCO as jxu124/refcoco has it on the Hugging Face Hub: a row for each object."""

from __future__ import annotations

import json
from typing import ClassVar

from datasets import Features, List, Value

from farm.dataset.export.base import ExportJob, NumberedView
from farm.dataset.export.formats.language.coco_entries import (
    categories,
    coco_name,
    image_entry,
    object_entry,
)
from farm.dataset.export.formats.language.refer import by_targets, sentence_entry
from farm.dataset.export.formats.language.rows import RowsExporter, ViewRows
from farm.dataset.export.formats.language.sentences import (
    Entry,
    Sentence,
    number_in,
    number_of,
)
from farm.dataset.export.instances import Instance, find_instances

PICTURES = "coco/train2014"
INT, TEXT = Value("int64"), Value("string")
SENTENCE = {"raw": TEXT, "sent": TEXT, "sent_id": INT, "tokens": List(TEXT)}


class HfRefcocoExporter(RowsExporter):
    """Parquet without pictures, which lie in `coco/train2014/`, as `image_path` says."""

    reader = "jxu124/refcoco"
    takes = frozenset({"classes", "link", "shard_mb", "text"})
    several = nothing = False
    task = "object-detection"
    holds_pictures = False
    split_names: ClassVar = {"val": "validation", "testA": "test"}
    features = Features(
        {
            "sent_ids": List(INT),
            "file_name": TEXT,
            "ann_id": INT,
            "ref_id": INT,
            "image_id": INT,
            "split": TEXT,
            "sentences": List(SENTENCE),
            "category_id": INT,
            "raw_anns": TEXT,
            "raw_image_info": TEXT,
            "raw_sentences": TEXT,
            "image_path": TEXT,
            "bbox": List(Value("float64")),
            "captions": List(TEXT),
            "global_image_id": TEXT,
            "anns_id": TEXT,
        }
    )
    columns: ClassVar = {
        "sent_ids": "numbers of the sentences",
        "file_name": "the picture's, with the object's place behind",
        "ann_id": "number of the object",
        "ref_id": "number of the row",
        "image_id": "number of the picture",
        "split": "train, val, test, ...",
        "sentences": "those that mean this object: `raw`; `sent` and `tokens`: its words in small "
        "letters",
        "category_id": "number of the object's class",
        "raw_anns": "the object in COCO's form, as JSON: `bbox` (left, top, width, height), "
        "`segmentation` (polygons), `area`",
        "raw_image_info": "the picture in COCO's form, as JSON",
        "raw_sentences": "`sentences`, as JSON",
        "image_path": "the picture's file, from here",
        "bbox": "left, top, right, bottom; pixels",
        "captions": "`sent` of each sentence",
        "global_image_id": "unique name of the picture",
        "anns_id": "unique name of the object",
    }

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._categories = categories(self.survey)

    def take(self, view: NumberedView) -> ViewRows:
        found = find_instances(view, self.options.classes)
        chosen = self.choose(view.record, lambda place: bool(found[place].mask.any()))
        file = self.picture_of(view)
        name = coco_name(number_of(view), file.suffix)
        image = image_entry(view, name, self.survey)
        path = f"{PICTURES}/{name}"
        rows = [
            self._row(view, target, found[target], said)
            | {"raw_image_info": json.dumps(image), "image_path": path}
            for (target,), said in by_targets(chosen.sentences).items()
        ]
        files = [file.put(self.outbox, path, link=self.options.link), *self.put_extras(view)]
        return ViewRows(rows, chosen.left_out, files)

    def _row(
        self, view: NumberedView, target: int, instance: Instance, said: list[Sentence]
    ) -> Entry:
        thing = object_entry(view, target, instance, self._categories[instance.class_name])
        left, top, width, height = thing["bbox"]
        sentences = [sentence_entry(view, each) for each in said]
        return {
            "sent_ids": [each["sent_id"] for each in sentences],
            "file_name": coco_name(number_of(view), "jpg", place=target),
            "ann_id": thing["id"],
            "ref_id": number_in(view, target),
            "image_id": number_of(view),
            "split": view.split,
            "sentences": sentences,
            "category_id": thing["category_id"],
            "raw_anns": json.dumps(thing),
            "raw_sentences": json.dumps(sentences, ensure_ascii=False),
            "bbox": [left, top, left + width, top + height],
            "captions": [each["sent"] for each in sentences],
            "global_image_id": f"viewfarm.{number_of(view)}",
            "anns_id": f"viewfarm.{thing['id']}",
        }
