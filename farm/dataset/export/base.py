"""What a format's exporter is and what it is given.

A new format is one module with an `Exporter` and one line in `registry.py`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from numpy.typing import NDArray
from pydantic import Field, JsonValue

from farm.dataset.export.output_folder import OutputFolder
from farm.dataset.export.survey import ClassWord, Survey
from farm.dataset.images import DecodeError, decode_pass
from farm.dataset.reader import DatasetError, DatasetView
from farm.spec.base import Spec
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord

ImageFormat = Literal["png", "jpg", "original"]
Segmentation = Literal["rle", "polygon"]
ReferName = Literal["refcoco", "refcoco+", "refcocog"]
SentenceText = Literal["sentence", "phrase"]


class ExportOptions(Spec):
    """A person's choices; an export resumes only with the same ones."""

    format: str
    """A key of `FORMATS`."""
    image_format: ImageFormat = "png"
    """`png` and `jpg` have 8 bits per channel; `original` leaves files as they are."""
    segmentation: Segmentation = "rle"
    """COCO: run lengths (exact) or polygons (exact too: along the edges of pixels)."""
    classes: ClassWord = "category"
    """What an object's class is: its category, or its model."""
    passes: tuple[PassName, ...] = ()
    """What goes along; () is what is usual for the format."""
    shard_views: int | None = Field(default=None, ge=1)
    """Most views in a shard, a scene or another part that is written at a time."""
    shard_mb: int = Field(default=256, ge=1)
    """Most megabytes in a shard, about."""
    points: int = Field(default=256, ge=1, le=100_000)
    """Tracks of each sequence."""
    refer_name: ReferName = "refcoco"
    """The dataset that readers of RefCOCO are told to read."""
    text: SentenceText = "sentence"
    """What is written of a sentence: all of it, or the words alone that say what it means."""
    foreground: bool = False
    """The object alone with alpha, in place of the picture; then its light may differ by view."""
    link: bool = False
    """Hard links instead of copies where files stay as they are."""


class DamagedFileError(DatasetError):
    """A file that differs from its record; its view is left out of an export."""


class NumberedView(NamedTuple):
    """A view and its name in an export."""

    view: DatasetView
    number: int
    """Place in the whole export, from 0."""
    stem: str
    """Name without a folder, unlike all others of the export."""
    split: str
    part: int = 0
    """Number of its part within the split."""
    place: int = 0
    """Within its part, from 0."""
    sequence: str = ""
    """Name of its sequence in the export, of formats that are about sequences."""

    @property
    def record(self) -> ViewRecord:
        return self.view.record

    def data(self, name: PassName) -> bytes:
        """Return the bytes of a pass's file.

        Raises:
            DamagedFileError: They are not those that were recorded.
        """
        file, path = self.record.files[name], self.view.path(name)
        try:
            data = self.view.data(name)
        except DatasetError as error:
            raise DamagedFileError(f"{path}: is gone") from error
        if len(data) != file.size_bytes:
            raise DamagedFileError(f"{path}: has {len(data)} bytes, not {file.size_bytes}")
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise DamagedFileError(
                f"{path}: has the recorded size but different contents (SHA-256)"
            )
        return data

    def pixels(self, name: PassName) -> NDArray[Any]:
        """Return a pass as `DatasetView` has it.

        Raises:
            DamagedFileError: Its file is not what was recorded, or cannot be decoded.
        """
        return self.decoded(name, self.data(name))

    def decoded(self, name: PassName, data: bytes) -> NDArray[Any]:
        """Return a pass from the bytes of its file.

        Raises:
            DamagedFileError: They cannot be decoded.
        """
        try:
            return decode_pass(data, self.view.path(name), name)
        except DecodeError as error:
            raise DamagedFileError(str(error)) from error


class ExportPart(NamedTuple):
    """Views in a row that are written together, and the step in which an export resumes."""

    split: str
    number: int
    """Within its split, from 0."""
    views: tuple[NumberedView, ...]

    @property
    def name(self) -> str:
        return f"{self.split}-{self.number:06d}"


class Written(NamedTuple):
    """The outcome of a part."""

    files: list[str]
    """Paths relative to the export."""
    lines: list[JsonValue]
    """What `close` needs to know of it."""


class ViewFiles(NamedTuple):
    """The outcome of a view that is written on its own."""

    files: list[str]
    """Paths relative to the export."""
    line: Any
    """What the files that views share say of it."""


Lines = Callable[[str], Iterator[Any]]
"""Yields what was kept of the parts of a split, in order."""

T = TypeVar("T")


@dataclass(frozen=True)
class ExportJob:
    """One export: what to write, of what, and where to."""

    options: ExportOptions
    survey: Survey
    outbox: OutputFolder


class Exporter(ABC, Generic[T]):
    """Writes one format. Each view is taken on its own; parts of them are written in order."""

    part_views = 64
    """Views in a part, unless the user says."""
    by_size = False
    """Parts are shards: they are cut by size, too."""
    by_dataset = False
    """No part has views of two datasets."""
    by_arrangement = False
    """Nor, of models that stand together, of two groups."""
    by_sequence = False
    """The format is about sequences: views come in time, and no part has frames of two."""
    whole_sequences = False
    """Neither has a sequence two parts."""
    by_sentence = False
    """The format is about sentences: without any there is nothing to write."""
    takes: frozenset[str] = frozenset()
    """Options that the format uses, beside those that all have."""
    needs: tuple[tuple[PassName, ...], ...] = ()
    """Of each of these, all views must have one."""
    originals = False
    """The format's readers take files as they were rendered, too."""

    @classmethod
    def suited_to(cls, survey: Survey) -> type[Exporter[Any]]:
        """Return the exporter that writes what is there; a format may have one for each kind."""
        del survey
        return cls

    def __init__(self, job: ExportJob) -> None:
        """Look at the job.

        Raises:
            SpecError: The dataset lacks what the format is about.
        """
        self.notes: list[str] = []
        """What a person should know of the export, when it is done."""
        self.left_out = 0
        """Views that the format has no place for, as notes say."""
        self.options = job.options
        self.survey = job.survey
        self.outbox = job.outbox

    @abstractmethod
    def take(self, view: NumberedView) -> T:
        """Read and convert a view, and write the files that are its alone; many run at a time."""

    @abstractmethod
    def write(self, part: ExportPart, taken: Iterator[T]) -> Written:
        """Write what the views of a part share; the same part gives the same bytes."""

    def facts_of(self, part: ExportPart) -> JsonValue:
        """Return what the files of a part follow from, beside its views and what all share."""
        return None

    def size_of(self, record: ViewRecord) -> int:
        """Return about how many bytes a view adds to a shard, by its record alone."""
        wanted = self.options.passes or record.files
        return sum(file.size_bytes for name, file in record.files.items() if name in wanted)

    def close(self, lines: Lines) -> list[str]:
        """Write what all parts share; return its files."""
        return []


class FileExporter(Exporter[ViewFiles]):
    """Writes files for each view, and in the end what all share."""

    def write(self, part: ExportPart, taken: Iterator[ViewFiles]) -> Written:
        files: list[str] = []
        lines: list[Any] = []
        for view in taken:
            files += view.files
            lines.append(view.line)
        return Written(files, lines)
