"""rvm: mattes by the names that Robust Video Matting and its kin open."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from farm.dataset.export.base import Exporter, ExportPart, Lines, NumberedView
from farm.dataset.export.formats.scenes.matting import MatteFolders, MattingExporter
from farm.dataset.export.sequences import moment_of
from farm.dataset.export.survey import Survey

DIGITS = 5
"""Of a frame's place in its clip: readers sort names."""


class RvmExporter(MattingExporter):
    """`<split>/{fgr,pha,bgr,com}/`, of sequences with a folder for each in these."""

    needs = (("foreground",),)
    folders = MatteFolders("fgr", "pha", "bgr", "com")

    @classmethod
    def suited_to(cls, survey: Survey) -> type[Exporter[Any]]:
        return ClipsExporter if survey.timeline.reels else cls

    def close(self, lines: Lines) -> list[str]:
        return []


class ClipsExporter(RvmExporter):
    """Sequences alone: frames are numbered in time, and a clip is in one split."""

    by_sequence = True

    def name_of(self, view: NumberedView) -> str:
        return f"{view.sequence}/{moment_of(view).place:0{DIGITS}d}"

    def facts_of(self, part: ExportPart) -> JsonValue:
        return part.views[0].sequence
