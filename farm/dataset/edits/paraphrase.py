"""Paraphrases of a dataset's sentences, from a file: kept where they mean the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, NamedTuple

from pydantic import ConfigDict, Field, ValidationError

from farm.dataset.reader import Dataset
from farm.dataset.records.current import is_running
from farm.dataset.records.read import (
    VIEWS_FILE,
    BrokenLineError,
    NotARecordError,
    parse_record,
    read_lines,
)
from farm.dataset.temp_files import scratch
from farm.errors import SpecError
from farm.expressions.lexicon import Lexicon
from farm.expressions.paraphrases import Refusal, Refused, paraphrased
from farm.spec.base import Spec, first_reason
from farm.spec.expression import Expression
from farm.spec.record import ViewRecord
from farm.spec.task import dataset_key
from farm.storage import Storage

EXAMPLE = '{"text": "Pick up the red mug.", "paraphrase": "Grab the mug that is red."}'


class ParaphraseLine(Spec):
    """A line of a file of paraphrases; what else it holds is left alone."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(min_length=1)
    """A sentence of the dataset."""
    paraphrase: str | tuple[str, ...]
    """Other words for it, or several."""
    view: str | None = None
    """Name or id of the only view that it is for; left out: all that have the sentence."""

    @property
    def paraphrases(self) -> tuple[str, ...]:
        """All other words for it."""
        return (self.paraphrase,) if isinstance(self.paraphrase, str) else self.paraphrase


class RefusedLine(Spec):
    """A paraphrase of a view's sentence that was not kept."""

    view: str
    text: str
    paraphrase: str
    why: Refusal
    reason: str


class Paraphrased(NamedTuple):
    """What was done."""

    views: int
    rewritten: int
    """Of these, views that have more sentences now."""
    kept: int
    refused: tuple[RefusedLine, ...]
    unknown: tuple[str, ...]
    """Texts of the file that no sentence of the dataset has."""

    @property
    def reasons(self) -> dict[Refusal, int]:
        """How many were refused for which reason, the most frequent first."""
        return dict(Counter(each.why for each in self.refused).most_common())


def folded(text: str) -> str:
    """Return a text as texts are compared."""
    return " ".join(text.split()).casefold()


class Book:
    """Paraphrases by the sentence that they are of."""

    def __init__(self, lines: Iterable[ParaphraseLine]) -> None:
        self._by_text: dict[str, list[ParaphraseLine]] = {}
        for line in lines:
            self._by_text.setdefault(folded(line.text), []).append(line)
        self._found: set[str] = set()

    def of(self, text: str, view: frozenset[str]) -> Iterator[str]:
        """Yield the paraphrases of a sentence of a view, which has some names."""
        for line in self._by_text.get(folded(text), ()):
            if line.view is None or line.view in view:
                self._found.add(folded(text))
                yield from line.paraphrases

    def unknown(self) -> tuple[str, ...]:
        """Return the sentences that were never asked for."""
        return tuple(
            lines[0].text for text, lines in self._by_text.items() if text not in self._found
        )


def read_paraphrases(path: Path) -> tuple[ParaphraseLine, ...]:
    """Return what a file of paraphrases holds: a line of JSON each, or one list of them.

    Raises:
        SpecError: It cannot be read, or is not such a file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{path}: is not text in UTF-8; write it as lines of JSON") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    if text.lstrip().startswith("["):
        found = _all_of(path, text)
    else:
        lines = enumerate(text.split("\n"), start=1)
        found = [(number, line) for number, line in lines if line.strip()]
    if not found:
        raise SpecError(f"{path}: is empty: it must hold lines such as {EXAMPLE}")
    return tuple(_line(path, number, each) for number, each in found)


def _all_of(path: Path, text: str) -> list[tuple[int, Any]]:
    try:
        return list(enumerate(json.loads(text), start=1))
    except ValueError as error:
        raise SpecError(f"{path}: is not JSON: {error}; write lines such as {EXAMPLE}") from None


def _line(path: Path, number: int, data: Any) -> ParaphraseLine:
    try:
        if isinstance(data, str):
            return ParaphraseLine.model_validate_json(data)
        return ParaphraseLine.model_validate(data)
    except ValidationError as error:
        raise SpecError(
            f"{path}: line {number}: {first_reason(error)}; each line must be such as {EXAMPLE}"
        ) from None


def paraphrase(
    data: Dataset,
    lines: Iterable[ParaphraseLine],
    *,
    progress: Callable[[int], None] = lambda _views: None,
) -> Paraphrased:
    """Add paraphrases to the records of all datasets of a place.

    Each file of records is replaced whole, and what is there already is not added again: the same
    command resumes where it was stopped.

    Args:
        data: All of a place.
        lines: Of a file of paraphrases.
        progress: Called with the number of views that were read since it was called.

    Raises:
        SpecError: A dataset is being rendered, a line of it is not a record, or it has none of
            the sentences.
        StorageError: The place cannot be written.
    """
    for prefix in data.prefixes:
        if is_running(data.storage, prefix):
            raise SpecError(
                f"{data.storage.place}/{prefix}: is being rendered; add paraphrases when that is "
                "done"
            )
    adding = _Adding(Book(lines))
    for prefix in data.prefixes:
        with scratch(), NamedTemporaryFile(prefix="farm-views-") as file:
            if adding.write(data.storage, prefix, file, progress):
                file.flush()
                data.storage.put_file(dataset_key(prefix, VIEWS_FILE), Path(file.name))
    return adding.done(data)


class _Adding:
    """Adds paraphrases to one dataset after the other, and counts them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._views = self._rewritten = self._kept = 0
        self._refused: list[RefusedLine] = []

    def done(self, data: Dataset) -> Paraphrased:
        """Return what was done.

        Raises:
            SpecError: The file is of other sentences.
        """
        unknown = self._book.unknown()
        if not self._kept and not self._refused:
            raise SpecError(
                f"{data.storage.place}: has no sentence of the file, such as {unknown[0]!r}; "
                "`text` must be one of its sentences, word by word"
            )
        return Paraphrased(self._views, self._rewritten, self._kept, tuple(self._refused), unknown)

    def write(
        self, storage: Storage, prefix: str, file: IO[bytes], progress: Callable[[int], None]
    ) -> bool:
        """Write the records of a dataset to `file`; say whether they are others than before."""
        key, changed = dataset_key(prefix, VIEWS_FILE), False
        for number, (_start, line) in enumerate(read_lines(storage, key), start=1):
            if not line:
                continue
            try:
                record = parse_record(line)
            except NotARecordError as error:
                raise BrokenLineError(f"{storage.place}/{key}", number, str(error)) from None
            new = self._with_more(record)
            self._views += 1
            if new is not record:
                self._rewritten, changed = self._rewritten + 1, True
                line = new.model_dump_json().encode()
            file.write(line + b"\n")
            progress(1)
        return changed

    def _with_more(self, record: ViewRecord) -> ViewRecord:
        """Return a record with the paraphrases of its sentences; the same one, if none is kept."""
        name = record.view.name
        lexicon = Lexicon([label.words for label in record.objects if label.words])
        there = {folded(each.text) for each in record.expressions}
        more: list[Expression] = []
        for each in record.expressions:
            if each.source == "paraphrase":
                continue
            for text in self._book.of(each.text, frozenset({name, record.view_id})):
                made = self._made(each, text, lexicon, there)
                if isinstance(made, Refused):
                    self._refuse(name, each.text, text, made)
                else:
                    there.add(folded(made.text))
                    more.append(made)
        self._kept += len(more)
        if not more:
            return record
        return record.model_copy(update={"expressions": (*record.expressions, *more)})

    def _refuse(self, view: str, text: str, other: str, refused: Refused) -> None:
        line = RefusedLine(
            view=view, text=text, paraphrase=other, why=refused.why, reason=refused.reason
        )
        self._refused.append(line)

    def _made(
        self, expression: Expression, text: str, lexicon: Lexicon, there: set[str]
    ) -> Expression | Refused:
        if folded(text) in there:
            return Refused("said before", "is a sentence of the view already")
        return paraphrased(expression, text, lexicon)
