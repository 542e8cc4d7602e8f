"""What the formats of sentences share: which sentences have a place in one, and their numbers."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple, TypeVar

from farm.dataset.export.base import (
    Exporter,
    FileExporter,
    ImageFormat,
    Lines,
    NumberedView,
    SentenceText,
    ViewFiles,
)
from farm.dataset.export.passes.pictures import PassFile, picture, put_extras
from farm.errors import SpecError
from farm.spec.counted import counted
from farm.spec.expression import Expression, Phrase
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord

T = TypeVar("T")
Entry = dict[str, Any]
NEVER_MEANT = ("surface", "distractor")
"""Categories of what things stand on, and of what stands in the way: no sentence means them."""
PER_VIEW = 2000
"""Numbers that each view has for its objects, and as many for its sentences."""
WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
SEVERAL, NOTHING, UNSEEN, NO_THING = "several", "nothing", "unseen", "no thing"


class Sentence(NamedTuple):
    """A sentence that a format has a place for."""

    place: int
    """In the record's `expressions`."""
    said: Expression

    @property
    def target(self) -> int:
        """The place of its only target."""
        return self.said.targets[0]


class Chosen(NamedTuple):
    """The sentences of a view that a format has a place for."""

    sentences: list[Sentence]
    left_out: dict[str, int]
    """Why others have none, and how many."""


class SentenceExporter(Exporter[T]):
    """Writes views that sentences are about."""

    by_sentence = True
    takes = frozenset({"classes", "link", "text"})
    needs: tuple[tuple[PassName, ...], ...] = (("rgb",), ("index",))
    reader: ClassVar[str]
    """What people call those who read it."""
    several: ClassVar[bool] = True
    """A sentence may have several targets."""
    nothing: ClassVar[bool] = True
    """A sentence may have no target."""
    usual_format: ClassVar[ImageFormat] = "jpg"
    """Of pictures, unless the user says."""
    usual_text: ClassVar[SentenceText] = "sentence"
    """What is written of sentences, unless the user says."""
    own_reasons: ClassVar[dict[str, str]] = {}
    """Words for reasons of its own."""

    @abstractmethod
    def finish(self, lines: Lines) -> list[str]:
        """Write what all parts share; return its files."""

    def close(self, lines: Lines) -> list[str]:
        files = self.finish(lines)
        self.notes += self._notes_on(lines)
        return files

    def choose(self, record: ViewRecord, seen: Callable[[int], bool]) -> Chosen:
        """Return the sentences of a view that have a place.

        Args:
            record: The view's.
            seen: Says of an object, by its place, whether the format can show it.
        """
        kept, left_out = [], Counter[str]()
        things = set(props(record))
        for place, said in enumerate(record.expressions):
            reason = self.why_not(said, seen) if things.issuperset(said.targets) else NO_THING
            if reason:
                left_out[reason] += 1
            else:
                kept.append(Sentence(place, cut_out(said) if self.text == "phrase" else said))
        return Chosen(kept, dict(left_out))

    def why_not(self, said: Expression, seen: Callable[[int], bool]) -> str | None:
        """Return why a sentence has no place in the format, as a key of its words."""
        if len(said.targets) > 1 and not self.several:
            return SEVERAL
        if not said.targets and not self.nothing:
            return NOTHING
        return None if all(map(seen, said.targets)) else UNSEEN

    @property
    def image_format(self) -> ImageFormat:
        """What the user says, or what is usual."""
        said = "image_format" in self.options.model_fields_set
        return self.options.image_format if said else self.usual_format

    @property
    def text(self) -> SentenceText:
        """What the user says, or what is usual."""
        said = "text" in self.options.model_fields_set
        return self.options.text if said else self.usual_text

    def picture_of(self, view: NumberedView) -> PassFile:
        """Return a view's picture."""
        return picture(view, "rgb", self.image_format)

    def put_extras(self, view: NumberedView, *own: str) -> list[str]:
        """Put the passes that were asked for and have no place of their own beside."""
        wanted = tuple(name for name in self.options.passes if name not in ("rgb", *own))
        return put_extras(view, self.outbox, wanted, link=self.options.link)

    def all_lines(self, lines: Lines) -> Iterator[Entry]:
        """Yield what is noted of the views of all splits."""
        for split in self.survey.splits:
            yield from lines(split)

    def _notes_on(self, lines: Lines) -> list[str]:
        """Say how many sentences have no place in the format, and why."""
        total = Counter[str]()
        for line in self.all_lines(lines):
            total.update(line["left_out"])
        words = {
            SEVERAL: f"more than one target, where {self.reader} takes one",
            NOTHING: f"no target, which {self.reader} cannot take",
            UNSEEN: "a target that covers no pixel's centre",
            NO_THING: "a target that is the table, a distractor, or not in the record",
            **self.own_reasons,
        }
        return [
            f"{counted(number, 'sentence')} left out: {words[reason]}"
            for reason, number in sorted(total.items())
        ]


class SentenceFileExporter(SentenceExporter[ViewFiles], FileExporter):
    """Writes files for each view, and in the end what all share."""


def number_of(view: NumberedView) -> int:
    """Return the number of a picture, from 1."""
    return view.number + 1


def number_in(view: NumberedView, place: int) -> int:
    """Return the number of one of the things of a view, unlike those of all other views.

    Raises:
        SpecError: It has too many.
    """
    if place >= PER_VIEW:
        raise SpecError(
            f"{view.view.key}: an export of sentences has numbers for {PER_VIEW:,} objects and "
            f"{PER_VIEW:,} sentences of a view, and this one has more: export it to webdataset"
        )
    return view.number * PER_VIEW + place + 1


def props(record: ViewRecord) -> list[int]:
    """Return the places of the objects of a view that sentences may mean."""
    return [at for at, label in enumerate(record.objects) if label.category not in NEVER_MEANT]


def words_of(text: str) -> list[str]:
    """Return the words of a sentence, in small letters."""
    return WORD.findall(text.lower())


def one_line(text: str) -> str:
    """Return a text without what ends lines or cells."""
    return " ".join(text.split())


def phrase_of(said: Expression) -> Phrase | None:
    """Return the words for what a sentence means; None where no phrase says."""
    found = [
        phrase
        for phrase in said.phrases
        if phrase.role == "target" and set(phrase.objects) == set(said.targets)
    ]
    return max(found, key=lambda phrase: phrase.end - phrase.start, default=None)


def cut_out(said: Expression) -> Expression:
    """Return a sentence that is the words for what it means alone."""
    whole = phrase_of(said)
    if whole is None:
        return said
    phrases = tuple(
        phrase.model_copy(
            update={"start": phrase.start - whole.start, "end": phrase.end - whole.start}
        )
        for phrase in said.phrases
        if whole.start <= phrase.start and phrase.end <= whole.end
    )
    text = said.text[whole.start : whole.end]
    return said.model_copy(update={"text": text, "phrases": phrases})


def spans_of(said: Expression, target: int) -> list[list[int]]:
    """Return which characters name a target, without those that name others beside; all where no
    phrase says.
    """
    named = [
        head_of(said, phrase)
        for phrase in said.phrases
        if (phrase.role == "target" and target in phrase.objects) or phrase.objects == (target,)
    ]
    return sorted(named) or [[0, len(said.text)]]


def spans_of_nothing(said: Expression) -> list[list[int]]:
    """Return which characters name what is not there."""
    named = [head_of(said, phrase) for phrase in said.phrases if phrase.role == "target"]
    return sorted(named) or [[0, len(said.text)]]


def spans_of_others(said: Expression) -> list[list[int]]:
    """Return which characters name things that are not meant."""
    return sorted(
        head_of(said, phrase)
        for phrase in said.phrases
        if phrase.role == "anchor" and not set(phrase.objects) <= set(said.targets)
    )


def head_of(said: Expression, phrase: Phrase) -> list[int]:
    """Return which characters of a phrase stand before those of phrases within it."""
    inner = (other.start for other in said.phrases if phrase.start < other.start < phrase.end)
    end = min(inner, default=phrase.end)
    return [phrase.start, phrase.start + len(said.text[phrase.start : end].rstrip())]
