"""What RefCOCO and gRefCOCO share: pictures, `instances.json`, and references to its objects."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple

from farm.dataset.export.base import ExportJob, Lines, NumberedView, ViewFiles
from farm.dataset.export.formats.language.coco_entries import (
    categories,
    coco_name,
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
    words_of,
)
from farm.dataset.export.instances import find_instances
from farm.spec.expression import Expression

BARS = "||"
"""Sign that LISA takes for the end of a sentence."""
KNOWN_SPLITS = ("train", "val", "test", "testA", "testB")


class Meant(NamedTuple):
    """An object that a reference is about."""

    number: int
    category: int


class ReferExporter(SentenceFileExporter):
    """`<pictures>/COCO_train2014_<number>.jpg`, `<dataset>/instances.json` and references."""

    own_reasons: ClassVar = {"bars": f"{BARS} in the text, where LISA ends a sentence"}
    pictures: ClassVar[str]
    """Folder that readers look into."""

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._categories = categories(self.survey)
        self._splits = {name: self._split_of(name) for name in self.survey.splits}
        self.notes += [
            f"{self.reader} asks for the splits {', '.join(KNOWN_SPLITS)}, never for {name!r}"
            for name in self._splits.values()
            if name not in KNOWN_SPLITS
        ]

    @property
    @abstractmethod
    def dataset(self) -> str:
        """What readers call the dataset: the folder of its files."""

    @property
    def has_test(self) -> bool:
        """Its readers ask for a split `test`; else for `testA` and `testB`."""
        return False

    @abstractmethod
    def tell(self, meant: list[Meant]) -> Entry:
        """Return what a reference says of its targets."""

    @abstractmethod
    def write_refs(self, refs: Callable[[], Iterator[Entry]]) -> list[str]:
        """Write the references; return their files."""

    def take(self, view: NumberedView) -> ViewFiles:
        found = find_instances(view, self.options.classes)
        chosen = self.choose(view.record, lambda place: bool(found[place].mask.any()))
        file = self.picture_of(view)
        name = coco_name(number_of(view), file.suffix)
        files = [file.put(self.outbox, f"{self.pictures}/{name}", link=self.options.link)]
        meant = {
            at: Meant(number_in(view, at), self._categories[each.class_name])
            for at, each in enumerate(found)
            if each.mask.any()
        }
        line: Entry = {
            "image": image_entry(view, name, self.survey),
            "annotations": [
                object_entry(view, at, found[at], each.category) for at, each in meant.items()
            ],
            "refs": [
                {
                    "ref_id": number_in(view, at),
                    **self.tell([meant[target] for target in targets]),
                    "image_id": number_of(view),
                    "file_name": coco_name(number_of(view), file.suffix, place=at),
                    "split": self._splits[view.split],
                    **sentence_entries(view, said),
                }
                for at, (targets, said) in enumerate(by_targets(chosen.sentences).items())
            ],
            "left_out": chosen.left_out,
        }
        return ViewFiles([*files, *self.put_extras(view)], line)

    def finish(self, lines: Lines) -> list[str]:
        path = f"{self.dataset}/instances.json"
        images = (line["image"] for line in self.all_lines(lines))
        found = (each for line in self.all_lines(lines) for each in line["annotations"])
        with self.outbox.open(path) as file:
            write_coco(file, self.survey, self.dataset, self._categories, images, found)
        return [
            path,
            *self.write_refs(
                lambda: (ref for each in self.all_lines(lines) for ref in each["refs"])
            ),
        ]

    def why_not(self, said: Expression, seen: Callable[[int], bool]) -> str | None:
        return "bars" if BARS in said.text else super().why_not(said, seen)

    def _split_of(self, name: str) -> str:
        """Return what readers call a split."""
        others = self.survey.splits
        if name == "test" and not self.has_test and not {"testA", "testB"} & set(others):
            return "testA"
        return "val" if name == "validation" and "val" not in others else name


def by_targets(sentences: list[Sentence]) -> dict[tuple[int, ...], list[Sentence]]:
    """Gather the sentences that mean the same: readers keep one reference of an object."""
    found: defaultdict[tuple[int, ...], list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        found[tuple(sorted(set(sentence.said.targets)))].append(sentence)
    return dict(found)


def sentence_entries(view: NumberedView, sentences: list[Sentence]) -> Entry:
    """Return sentences as REFER has them."""
    entries = [sentence_entry(view, each) for each in sentences]
    return {"sent_ids": [each["sent_id"] for each in entries], "sentences": entries}


def sentence_entry(view: NumberedView, sentence: Sentence) -> Entry:
    """Return a sentence as REFER has it."""
    words = words_of(sentence.said.text)
    return {
        "sent_id": number_in(view, sentence.place),
        "sent": " ".join(words),
        "raw": sentence.said.text,
        "tokens": words,
    }
