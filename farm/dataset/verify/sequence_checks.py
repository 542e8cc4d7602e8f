"""Checks of a dataset's sequences: each as a whole, and from frame to frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from farm.dataset.parallel import mapped
from farm.dataset.records.sequences import IDS_FILE, TRANSFORMS_FILE
from farm.dataset.sequences import SequenceFrames, SequenceIndex
from farm.dataset.verify.flow_checks import (
    FLOW,
    VALID,
    FlowTally,
    Followed,
    Frame,
    Side,
    follow,
    read_frame,
)
from farm.dataset.verify.frame_checks import strange_frames, strange_ids, strange_transforms
from farm.dataset.verify.report import DatasetFinding, FindingCounter
from farm.dataset.verify.scene_flow_checks import Odd, has_carried, strange_carried
from farm.spec.record import ViewRecord
from farm.storage import Storage

RUN_FRAMES = 16
"""Neighbouring frames that one thread walks through, with two of them in memory."""
SIDES: tuple[Side, ...] = ("forward", "backward")
Looked = tuple[Followed | None, list[Odd] | None]
"""What one step of flow tells, and what is wrong with points that are followed in space."""
RecordOf = Callable[[int], tuple[str, ViewRecord]]
"""Returns the dataset and the record of a view, by its number."""


class SequenceVerifier:
    """Looks at the sequences whose frames were found to be in a dataset."""

    def __init__(
        self,
        storage: Storage,
        record_of: RecordOf,
        *,
        tally: FindingCounter,
        report: Callable[[DatasetFinding], None],
    ) -> None:
        self._storage = storage
        self._record_of = record_of
        self._tally = tally
        self._report = report

    def run(
        self,
        sequences: SequenceIndex,
        *,
        is_at_rest: Callable[[SequenceFrames], bool],
        workers: int,
        progress: Callable[[int], None],
    ) -> None:
        """Look at all sequences; of one that is being rendered only at what is there."""
        for sequence in sequences:
            if is_at_rest(sequence):
                self._check_frames(sequence)
                self._check_poses(sequence)
            self._follow(sequence, workers=workers, progress=progress)

    def _check_frames(self, sequence: SequenceFrames) -> None:
        self._tally.look("frames")
        for what in strange_frames(sequence):
            self._report(DatasetFinding("frames", sequence.key, what))

    def _check_poses(self, sequence: SequenceFrames) -> None:
        self._tally.look("poses")
        for name, strange in ((TRANSFORMS_FILE, strange_transforms), (IDS_FILE, strange_ids)):
            key = f"{sequence.key}/{name}"
            records = (self._record_of(view)[1] for view in sequence.in_order())
            for what in strange(self._storage.get(key), records):
                self._report(DatasetFinding("poses", key, what))

    def _follow(
        self, sequence: SequenceFrames, *, workers: int, progress: Callable[[int], None]
    ) -> None:
        views = sequence.in_order()
        tallies = {side: FlowTally(side) for side in SIDES}
        starts = range(0, max(1, len(views) - 1), RUN_FRAMES)
        runs = (views[at : at + RUN_FRAMES + 1] for at in starts)
        walk = partial(self._walk, ends=(views[0], views[-1]))
        for run, steps in mapped(walk, runs, workers=workers):
            for step, odd in steps:
                if step is not None:
                    self._take(step, tallies[step.side], sequence)
                self._take_carried(odd)
            progress(min(RUN_FRAMES, len(run)))
        for tally in tallies.values():
            turned = list(tally.strange_sense())
            for what in turned:
                self._report(DatasetFinding("flow", sequence.key, what))
            for what in tally.strange_pace() if not turned else ():
                self._report(DatasetFinding("pace", sequence.key, what))
            for what in tally.strange_pictures():
                self._report(DatasetFinding("warp", sequence.key, what))

    def _take(self, step: Followed, tally: FlowTally, sequence: SequenceFrames) -> None:
        self._tally.look("flow")
        if step.moving:
            self._tally.look("pace")
        if step.along is not None:
            self._tally.look("warp")
        if step.astray:
            self._report(DatasetFinding("flow", step.file or sequence.key, step.astray, step.file))
        tally.add(step)

    def _take_carried(self, odd: list[Odd] | None) -> None:
        if odd is None:
            return
        self._tally.look("carried")
        for what, file in odd:
            self._report(DatasetFinding("carried", file, what, file))

    def _walk(self, run: list[int], *, ends: tuple[int, int]) -> tuple[list[int], list[Looked]]:
        """Follow the flow through neighbouring frames; the last one begins the next run."""
        frames = (self._read(view) for view in run)
        found = []
        for step in steps_of(frames, run, ends):
            odd = list(strange_carried(*step)) if has_carried(step[0]) else None
            found.append((follow(*step), odd))
        return run, found

    def _read(self, view: int) -> Frame:
        dataset, record = self._record_of(view)
        return read_frame(self._storage, dataset, record)


def steps_of(
    frames: Iterator[Frame], run: list[int], ends: tuple[int, int]
) -> Iterator[tuple[Frame, Frame | None, Side]]:
    """Yield the steps of flow in a run of frames: from which, to which, and to which side.

    Args:
        frames: Those of the run.
        run: Their views.
        ends: The first and the last view of the sequence, which have one neighbour.
    """
    before: Frame | None = None
    for view, frame in zip(run, frames, strict=True):
        if before is None:
            if view == ends[0] and moment_place(frame) == 0:
                yield frame, None, "backward"
        elif is_cut(before, frame):
            yield before, None, "forward"
            yield frame, None, "backward"
        elif moment_place(frame) == moment_place(before) + 1:  # else one is missing between
            yield before, frame, "forward"
            yield frame, before, "backward"
        before = frame
    if before is not None and run[-1] == ends[1] and is_last(before):
        yield before, None, "forward"


def moment_place(frame: Frame) -> int:
    """Return where in its sequence a frame stands."""
    assert frame.record.view.moment is not None
    return frame.record.view.moment.place


def is_last(frame: Frame) -> bool:
    """Say whether a frame is the last one that its sequence has."""
    assert frame.record.view.moment is not None
    return frame.record.view.moment.place == frame.record.view.moment.of - 1


def is_cut(before: Frame, frame: Frame) -> bool:
    """Say whether two frames are seen by two cameras."""
    cameras = [each.record.view.facets.get("camera") for each in (before, frame)]
    return cameras[0] != cameras[1]


def has_flow(record: ViewRecord) -> bool:
    """Say whether a frame has flow to follow."""
    return any(name in record.files for name in (*FLOW.values(), *VALID.values()))
