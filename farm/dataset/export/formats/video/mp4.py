"""MP4: a video of each pass, in colours that mean the same in all frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.dataset.export.base import ExportJob, ExportPart, NumberedView, Written
from farm.dataset.export.sequences import WholeExporter
from farm.dataset.preview.colour_maps import LEAST_FLOW_PX, paint, paint_depth, paint_flow
from farm.dataset.preview.films.panels import VALIDITY_OF, Scale, measure
from farm.dataset.video import Mp4Writer
from farm.errors import SpecError
from farm.spec.passes import CARRIED, OCCLUSIONS, PICTURED, PassName
from farm.spec.record import ViewRecord

Bytes = NDArray[np.uint8]
MEASURED_FRAMES = 32
"""Frames, evenly spread, that the colours of all are chosen by."""
UNSTEADY: frozenset[PassName] = frozenset(
    {
        *("position", "diffuse", "specular", "cryptomatte", *CARRIED.difference(OCCLUSIONS)),
        *("linear", "foreground_linear", "background_linear"),
    }
)
"""Passes whose colours depend on what else is in the picture."""
SHOWN: tuple[PassName, ...] = tuple(name for name in PICTURED if name not in UNSTEADY)
Arrays = dict[PassName, NDArray[Any]]


class Mp4Exporter(WholeExporter[tuple[ViewRecord, Arrays]]):
    """`<split>/<sequence>/<pass>.mp4`, and `colours.json` with what colours span."""

    reader = "MP4"

    def __init__(self, job: ExportJob) -> None:
        for name in job.options.passes:
            if name not in SHOWN:
                raise SpecError(
                    f"--passes {name}: an export to mp4 has no colours for it that mean the same "
                    f"in all frames: it shows {', '.join(SHOWN)}"
                )
        super().__init__(job)
        wanted = job.options.passes or self.survey.common_passes()
        self._passes = [name for name in SHOWN if name in wanted]
        if not self._passes:
            raise SpecError(
                f"an export to mp4 shows {', '.join(SHOWN)}, and not one of these is in all "
                "frames: render again with --passes rgb,depth"
            )

    def take_frame(self, view: NumberedView) -> tuple[ViewRecord, Arrays]:
        """Read a frame; a flow comes with where it can be trusted."""
        there = view.record.files
        validity = [VALIDITY_OF[of] for of in self._passes if VALIDITY_OF.get(of) in there]
        return view.record, {name: view.pixels(name) for name in {*self._passes, *validity}}

    def write_sequence(
        self, part: ExportPart, frames: Iterator[tuple[ViewRecord, Arrays]]
    ) -> Written:
        name = part.views[0].sequence
        folder = f"{part.split}/{name}"
        scale = self._scale(part)
        with ExitStack() as open_files:
            videos = {}
            for of in self._passes:
                partial = open_files.enter_context(self.outbox.placing(f"{folder}/{of}.mp4"))
                writer = Mp4Writer(partial, self.reels[name].fps)
                videos[of] = open_files.enter_context(writer)
            for record, arrays in frames:
                for of, video in videos.items():
                    video.add(painted(of, arrays, record, scale))
        told = json.dumps({"depth": scale.depth, "flow_px": scale.flow_px}) + "\n"
        files = [f"{folder}/{of}.mp4" for of in self._passes]
        return Written([*files, self.outbox.put_text(f"{folder}/colours.json", told)], [])

    def _scale(self, part: ExportPart) -> Scale:
        """Return what the colours of a sequence span, by some of its frames."""
        scale = Scale()
        step = -(-len(part.views) // MEASURED_FRAMES)
        for view in part.views[::step]:
            scale = scale.with_more(measure(view.view, self._passes))
        return scale


def painted(name: PassName, arrays: Arrays, record: ViewRecord, scale: Scale) -> Bytes:
    """Return a pass in colours (H, W, 3)."""
    if name in ("depth", "distance"):
        return paint_depth(arrays[name], scale.depth)[0]
    if name in VALIDITY_OF:
        valid = arrays.get(VALIDITY_OF[name])
        most = max(scale.flow_px or 0.0, LEAST_FLOW_PX)
        return paint_flow(arrays[name], most, None if valid is None else valid > 0)[0]
    return paint(name, arrays[name], record)[0]
