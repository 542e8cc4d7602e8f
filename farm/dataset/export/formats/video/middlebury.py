"""Middlebury's `.flo` in the folders of MPI Sintel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from farm.dataset.export.base import ExportPart, NumberedView, Written
from farm.dataset.export.passes.flow_files import FOLDERS, flo_file
from farm.dataset.export.passes.pictures import PassFile, encode, extra_files, picture
from farm.dataset.export.sequences import WholeExporter, moment_of
from farm.spec.passes import PassName

LEAST_DIGITS = 4


UNSEEN: tuple[PassName, ...] = ("occlusion_forward", "out_of_frame_forward")
"""What Sintel calls an occlusion: a point that the next frame does not show, for either reason."""


class Shown(NamedTuple):
    """A frame and where its pixels go."""

    stem: str
    is_last: bool
    picture: PassFile
    flow: bytes
    invalid: bytes
    occlusions: bytes | None
    """None where the dataset does not tell."""
    extras: list[tuple[str, PassFile]]


class MiddleburyExporter(WholeExporter[Shown]):
    """`training/{clean,flow,invalid,occlusions}/<sequence>/frame_0001.*`."""

    reader = "Sintel's layout"
    takes = frozenset({"link"})
    needs = (("rgb",), ("flow_forward",), ("flow_forward_valid",))

    def take_frame(self, view: NumberedView) -> Shown:
        moment = moment_of(view)
        digits = max(LEAST_DIGITS, len(str(moment.of)))
        valid = view.pixels("flow_forward_valid") > 0
        return Shown(
            stem=f"frame_{moment.place + 1:0{digits}d}",
            is_last=moment.place + 1 == moment.of,
            picture=picture(view, "rgb", self.options.image_format),
            flow=flo_file(view.pixels("flow_forward"), valid),
            invalid=encode(np.where(valid, 0, 255).astype(np.uint8), "png"),
            occlusions=self._occlusions(view),
            extras=extra_files(view, self._extras()),
        )

    def write_sequence(self, part: ExportPart, frames: Iterator[Shown]) -> Written:
        files: list[str] = []
        split, name = FOLDERS.get(part.split, part.split), part.views[0].sequence
        for frame in frames:
            path = f"{split}/clean/{name}/{frame.stem}.{frame.picture.suffix}"
            files.append(frame.picture.put(self.outbox, path, link=self.options.link))
            if not frame.is_last:
                path = f"{name}/{frame.stem}"
                files.append(self.outbox.put(f"{split}/flow/{path}.flo", frame.flow))
                files.append(self.outbox.put(f"{split}/invalid/{path}.png", frame.invalid))
                if frame.occlusions is not None:
                    place = f"{split}/occlusions/{path}.png"
                    files.append(self.outbox.put(place, frame.occlusions))
            link = self.options.link
            files += [file.put(self.outbox, path, link=link) for path, file in frame.extras]
        return Written(files, [])

    def _occlusions(self, view: NumberedView) -> bytes | None:
        """Return what the next frame does not show, white, where the dataset tells both reasons."""
        if not self._tells:
            return None
        hidden, outside = (view.pixels(name) for name in UNSEEN)
        return encode(np.maximum(hidden, outside), "png")

    def _extras(self) -> tuple[PassName, ...]:
        own = ("rgb", "flow_forward", "flow_forward_valid", *(UNSEEN if self._tells else ()))
        return self.extras(*own)

    @property
    def _tells(self) -> bool:
        return set(UNSEEN) <= set(self.survey.common_passes())
