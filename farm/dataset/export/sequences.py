"""What the formats of sequences share: frames in time, and sequences that are whole."""

from __future__ import annotations

import itertools
import threading
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar

from pydantic import JsonValue

from farm.dataset.export.base import (
    Exporter,
    ExportJob,
    ExportPart,
    FileExporter,
    Lines,
    NumberedView,
    ViewFiles,
    Written,
)
from farm.dataset.export.cameras import only_pinholes
from farm.dataset.export.passes.pictures import put_extras
from farm.errors import SpecError
from farm.spec.moment import Moment
from farm.spec.passes import PassName

T = TypeVar("T")
Line = dict[str, Any]
SHARD_FRAMES = 64
"""Frames of a sequence that are written at a time, where files are of one frame each."""


class GapError(Exception):
    """A sequence lacks a frame, and its format cannot."""


class SequenceExporter(Exporter[T]):
    """Writes sequences: the frames of a part are in time, and of one sequence."""

    by_sequence = True
    reader: ClassVar[str]
    """What people call the format."""
    pinholes: ClassVar[bool] = False
    """Its cameras are pinholes."""

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        if self.pinholes:
            only_pinholes(self.survey, self.reader)

        self.reels = {reel.name: reel for reel in self.survey.timeline.reels}

    def facts_of(self, part: ExportPart) -> JsonValue:
        reel = self.reels[part.views[0].sequence]
        return [reel.name, *(key.model_dump() for key in reel.seen())]

    def put_extras(self, view: NumberedView, *own: PassName) -> list[str]:
        """Put the passes that were asked for and have no place of their own beside; as they are."""
        return put_extras(view, self.outbox, self.extras(*own), link=self.options.link)

    def extras(self, *own: PassName) -> tuple[PassName, ...]:
        """Return the passes that were asked for and have no place of their own."""
        return tuple(name for name in self.options.passes if name not in own)


class FrameExporter(SequenceExporter[ViewFiles], FileExporter):
    """Writes files for each frame, and then what belongs to a sequence."""

    part_views = SHARD_FRAMES

    def write(self, part: ExportPart, taken: Iterator[ViewFiles]) -> Written:
        name = part.views[0].sequence
        named = (frame._replace(line={"sequence": name, **frame.line}) for frame in taken)
        return super().write(part, named)


class WholeExporter(SequenceExporter[T]):
    """Writes a file for a whole sequence; one that lacks a frame is left out, and told."""

    whole_sequences = True

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        reels = self.survey.timeline.reels
        self._broken = {reel.name for reel in reels if not reel.is_whole}
        self._lock = threading.Lock()
        if len(self._broken) == len(reels):
            reel = reels[0]
            raise SpecError(
                f"{reel.name}: {len(reel.places):,} of its {reel.of:,} frames are there, and "
                f"{self.reader} holds whole sequences alone, as all others lack frames, too: "
                "render the rest first; the same farm render continues"
            )
        for reel in reels:
            if not reel.is_whole:
                self.leave_out(reel.name, len(reel.places), reel.of)

    def take(self, view: NumberedView) -> T | None:  # type: ignore[override]  # None: left out
        return None if view.sequence in self._broken else self.take_frame(view)

    def write(self, part: ExportPart, taken: Iterator[T]) -> Written:
        name = part.views[0].sequence
        if name in self._broken:
            for _ in taken:
                pass
            return Written([], [])
        try:
            with self.outbox.undoing(GapError):
                return self.write_sequence(part, unbroken(part, taken))
        except GapError:
            there = len(part.views) - 1
            for _ in taken:
                pass
            self.leave_out(name, there, len(part.views))
            return Written([], [])

    def leave_out(self, name: str, there: int, of: int) -> None:
        """Say that a sequence is left out, and count its frames."""
        self.left_out += there
        self.notes.append(
            f"{name} is left out: frames are missing or damaged of the {of:,} that it has, and "
            f"{self.reader} holds whole sequences alone; the same command adds it once they are "
            "good"
        )

    @abstractmethod
    def take_frame(self, view: NumberedView) -> T:
        """Read and convert a frame."""

    @abstractmethod
    def write_sequence(self, part: ExportPart, frames: Iterator[T]) -> Written:
        """Write a sequence, all frames of which are there; a `GapError` undoes it."""


def unbroken(part: ExportPart, taken: Iterator[T]) -> Iterator[T]:
    """Yield what was taken of all frames of a part.

    Raises:
        GapError: In the end some were missing.
    """
    missing = len(part.views)
    for frame in taken:
        missing -= 1
        yield frame
    if missing:
        raise GapError


def moment_of(view: NumberedView) -> Moment:
    """Return the moment of a frame."""
    moment = view.record.view.moment
    assert moment is not None, "an export of sequences has frames alone"
    return moment


def by_sequence(lines: Lines, split: str) -> Iterator[tuple[str, list[Line]]]:
    """Yield the lines of each sequence of a split, by the sequence's name."""
    for name, group in itertools.groupby(lines(split), key=lambda line: line["sequence"]):
        yield name, list(group)
