"""ODVG, JSON lines for Grounding DINO: sentences with boxes, and all objects with their classes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.language.coco_entries import (
    box_entries,
    categories,
    image_entry,
    write_coco,
)
from farm.dataset.export.formats.language.json_lines import put_json_lines
from farm.dataset.export.formats.language.sentences import (
    Entry,
    Sentence,
    SentenceFileExporter,
    phrase_of,
    spans_of,
)
from farm.spec.record import ViewRecord

ENDS = " .?!"
"""Characters at the end of a sentence; in Grounding DINO's captions they end a phrase."""


class OdvgExporter(SentenceFileExporter):
    """`images/<split>/`, and in `annotations/` of each split `<split>_grounding.jsonl`,
    `<split>_detection.jsonl` and, to validate on, `instances_<split>.json`; `label_map.json`.
    """

    reader = "Open-GroundingDino"
    needs = (("rgb",),)
    nothing = False

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._categories = categories(self.survey, first=0)

    def take(self, view: NumberedView) -> ViewFiles:
        record = view.record
        chosen = self.choose(record, lambda place: record.objects[place].box_px is not None)
        file = self.picture_of(view)
        name = f"{view.stem}.{file.suffix}"
        path = f"images/{view.split}/{name}"
        line: Entry = {
            "image": image_entry(view, name, self.survey),
            "annotations": box_entries(view, self.options.classes, self._categories),
            "groundings": [grounding(record, each) for each in chosen.sentences],
            "left_out": chosen.left_out,
        }
        files = [file.put(self.outbox, path, link=self.options.link), *self.put_extras(view)]
        return ViewFiles(files, line)

    def finish(self, lines: Lines) -> list[str]:
        names = {str(at): name for name, at in self._categories.items()}
        text = json.dumps(names, ensure_ascii=False)
        files = [self.outbox.put_text("annotations/label_map.json", f"{text}\n")]
        for split in self.survey.splits:
            start = f"annotations/{split}"
            found = (each for line in lines(split) for each in groundings(line))
            files.append(put_json_lines(self.outbox, f"{start}_grounding.jsonl", found))
            found = (self._detection(line) for line in lines(split))
            files.append(put_json_lines(self.outbox, f"{start}_detection.jsonl", found))
            files.append(self._put_coco(split, lines))
        return files

    def _detection(self, line: Entry) -> Entry:
        """Return the line of a picture with all its objects."""
        instances = [
            {
                "bbox": corners(each["bbox"]),
                "label": each["category_id"],
                "category": self.survey.classes[each["category_id"]],
            }
            for each in line["annotations"]
        ]
        return {**file_of(line), "detection": {"instances": instances}}

    def _put_coco(self, split: str, lines: Lines) -> str:
        path = f"annotations/instances_{split}.json"
        images = (line["image"] for line in lines(split))
        found = (each for line in lines(split) for each in line["annotations"])
        with self.outbox.open(path) as file:
            write_coco(file, self.survey, split, self._categories, images, found)
        return path


def grounding(record: ViewRecord, sentence: Sentence) -> Entry:
    """Return a sentence with a region for each target.

    Open-GroundingDino puts captions together from phrases alone, so a phrase says all that tells
    its target from others; mmdetection looks at the caption and `tokens_positive`.
    """
    said, whole = sentence.said, phrase_of(sentence.said)
    caption = said.text.rstrip(ENDS)
    phrase = caption[whole.start : whole.end] if whole else caption
    return {
        "caption": caption,
        "regions": [
            {
                "bbox": list(record.objects[target].box_px or ()),
                "phrase": phrase,
                "tokens_positive": [
                    [start, min(end, len(caption))] for start, end in spans_of(said, target)
                ],
            }
            for target in said.targets
        ],
    }


def groundings(line: Entry) -> Iterator[Entry]:
    """Yield a line for each sentence about a picture."""
    for each in line["groundings"]:
        yield {**file_of(line), "grounding": each}


def file_of(line: Entry) -> Entry:
    """Return which picture a line is about."""
    image = line["image"]
    return {"filename": image["file_name"], "height": image["height"], "width": image["width"]}


def corners(box: list[float]) -> list[float]:
    """Return left, top, right and bottom of a box that has width and height."""
    left, top, width, height = box
    return [left, top, left + width, top + height]
