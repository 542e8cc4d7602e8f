"""MDETR: COCO's files with an entry for each sentence, and the words that name what it means."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.language.coco_entries import (
    categories,
    image_entry,
    object_entry,
    write_coco,
)
from farm.dataset.export.formats.language.sentences import (
    Entry,
    Sentence,
    SentenceFileExporter,
    number_in,
    number_of,
    spans_of,
    spans_of_nothing,
    spans_of_others,
)
from farm.dataset.export.instances import Instance, find_instances

PICTURES = "train2014"
"""Folder that readers look into."""
ONE, ANY = "refcoco", "grefcoco"
"""Names by which readers ask for sentences with one target, and for all."""
EMPTY: Entry = {
    "area": -1, "iscrowd": -1, "category_id": -1, "bbox": [0, 0, 0, 0], "original_id": -1,
    "empty": True,
}  # fmt: skip
"""Annotation in place of an object's where a sentence means none."""


class MdetrExporter(SentenceFileExporter):
    """`train2014/`, `annotations/finetune_refcoco_<split>.json` with the sentences of one target,
    `annotations/finetune_grefcoco_<split>.json` with all.
    """

    reader = "MDETR"

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._categories = categories(self.survey)

    def take(self, view: NumberedView) -> ViewFiles:
        found = find_instances(view, self.options.classes)
        chosen = self.choose(view.record, lambda place: bool(found[place].mask.any()))
        file = self.picture_of(view)
        name = f"{view.stem}.{file.suffix}"
        image = image_entry(view, name, self.survey)
        line: Entry = {
            "captions": [
                {
                    "image": caption_entry(view, image, each),
                    "objects": self._objects(view, found, each),
                }
                for each in chosen.sentences
            ],
            "left_out": chosen.left_out,
        }
        path = f"{PICTURES}/{name}"
        files = [file.put(self.outbox, path, link=self.options.link), *self.put_extras(view)]
        return ViewFiles(files, line)

    def finish(self, lines: Lines) -> list[str]:
        numbers = itertools.count(1)  # unlike in all files: people put them together
        return [
            self._put(dataset, split, lines, numbers)
            for dataset in (ONE, ANY)
            for split in self.survey.splits
        ]

    def _put(self, dataset: str, split: str, lines: Lines, numbers: Iterator[int]) -> str:
        path = f"annotations/finetune_{dataset}_{split}.json"
        images = (
            each["image"] | {"dataset_name": dataset} for each in captions(lines(split), dataset)
        )
        objects = (
            {"id": next(numbers)} | thing
            for each in captions(lines(split), dataset)
            for thing in each["objects"]
        )
        with self.outbox.open(path) as file:
            write_coco(file, self.survey, dataset, self._categories, images, objects)
        return path

    def _objects(
        self, view: NumberedView, found: list[Instance], sentence: Sentence
    ) -> list[Entry]:
        """Return an annotation for each target, or the one that stands for none."""
        said, image = sentence.said, {"image_id": number_in(view, sentence.place)}
        if not said.targets:
            return [EMPTY | image | {"tokens_positive": spans_of_nothing(said)}]
        entries = []
        for target in said.targets:
            entry = object_entry(
                view, target, found[target], self._categories[found[target].class_name]
            )
            more = {"original_id": entry.pop("id"), "empty": False}
            entries.append(entry | image | more | {"tokens_positive": spans_of(said, target)})
        return entries


def caption_entry(view: NumberedView, image: Entry, sentence: Sentence) -> Entry:
    """Return the entry of a sentence: a picture of its own, as readers see it."""
    return image | {
        "id": number_in(view, sentence.place),
        "original_id": number_of(view),
        "caption": sentence.said.text,
        "tokens_negative": spans_of_others(sentence.said),
    }


def captions(lines: Iterator[Entry], dataset: str) -> Iterator[Entry]:
    """Yield the sentences that a dataset has."""
    for line in lines:
        yield from (each for each in line["captions"] if dataset == ANY or is_of_one(each))


def is_of_one(caption: Entry) -> bool:
    """Say whether a sentence has one target."""
    return len(caption["objects"]) == 1 and not caption["objects"][0]["empty"]
