"""WebDataset with whole sequences as samples: each frame's passes, and the records as JSON."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from pydantic import JsonValue

from farm.dataset.export.base import ExportJob, ExportPart, NumberedView, Written
from farm.dataset.export.formats.webdataset import Sample, TarExporter
from farm.dataset.export.sequences import WholeExporter, moment_of
from farm.spec.record import ViewRecord
from farm.storage.shards import sample_key

DIGITS = 6


class Shown(NamedTuple):
    """A frame of a clip."""

    sequence: str
    place: int
    sample: Sample


class ClipExporter(WholeExporter[Shown]):
    """`<split>-<number>.tar`: of each sequence `000000.rgb.png`, `000000.depth.npy`, ..."""

    reader = "WebDataset of clips"
    takes = frozenset({"shard_mb"})
    by_size = True
    originals = True

    def __init__(self, job: ExportJob) -> None:
        super().__init__(job)
        self._views = TarExporter(job)

    def facts_of(self, part: ExportPart) -> JsonValue:
        return [*sorted({view.sequence for view in part.views})]

    def size_of(self, record: ViewRecord) -> int:
        return self._views.size_of(record)

    def take_frame(self, view: NumberedView) -> Shown:
        return Shown(view.sequence, moment_of(view).place, self._views.take(view))

    def write(self, part: ExportPart, taken: Iterator[Shown | None]) -> Written:
        path = f"{part.name}.tar"
        wanted = {view.sequence: moment_of(view).of for view in part.views}
        frames = (frame for frame in taken if frame is not None)
        any_clip = False
        with self.outbox.open(path) as file, new_tar(file) as shard:
            for name, clip in itertools.groupby(frames, key=lambda frame: frame.sequence):
                with self.outbox.scratch() as folder, (folder / "clip").open("w+b") as apart:
                    staged = Staged(apart)
                    there = staged.add_all(clip)
                    if there == wanted[name]:
                        told = {"sequence": name, "fps": self.reels[name].fps}
                        staged.put(shard, sample_key(name), told)
                        any_clip = True
                    else:
                        self.leave_out(name, there, wanted[name])
        if not any_clip:
            self.outbox.remove(path)
            return Written([], [])
        return Written([path], [])

    def write_sequence(self, part: ExportPart, frames: Iterator[Shown]) -> Written:
        raise NotImplementedError  # a shard has several


class Staged:
    """The frames of a clip, kept apart until it is known that none is missing."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sizes: list[tuple[str, int]] = []
        self._records: list[Any] = []

    def add_all(self, frames: Iterator[Shown]) -> int:
        """Keep frames; return how many there are."""
        count = 0
        for frame in frames:
            count += 1
            for name, data in frame.sample.items():
                raw = data.encode() if isinstance(data, str) else data
                if name == "json":
                    self._records.append(json.loads(raw))
                elif name != "__key__":
                    self._sizes.append((f"{frame.place:0{DIGITS}d}.{name}", len(raw)))
                    self._file.write(raw)
        return count

    def put(self, shard: tarfile.TarFile, key: str, told: dict[str, Any]) -> None:
        """Write the clip as one sample: entries whose names begin with its key."""
        self._file.seek(0)
        for name, size in self._sizes:
            shard.addfile(member(f"{key}.{name}", size), self._file)
        data = json.dumps({**told, "frames": self._records}).encode()
        shard.addfile(member(f"{key}.json", len(data)), io.BytesIO(data))


def new_tar(file: IO[bytes]) -> tarfile.TarFile:
    """Return a shard to write into, of which equal samples make equal bytes."""
    return tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)


def member(name: str, size: int) -> tarfile.TarInfo:
    """Return an entry of a shard."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.uname, info.gname = size, 0o444, "farm", "farm"
    return info
