"""From a render to files and a record, beside the next render."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from farm.errors import PictureError, SpecError
from farm.spec.camera import Matrix4
from farm.spec.passes import PASS_FOLDERS, PassName
from farm.spec.record import FileRecord, Timings, ViewRecord
from farm.spec.task import RenderTask, dataset_key, view_id
from farm.spec.view import View
from farm.storage import Storage
from worker.develop import Developer, Pixels, quantise_mask
from worker.encode import encode
from worker.passes import Passes, read_passes
from worker.recipes import Shot
from worker.records import RecordBook
from worker.verify import check_encoded, check_passes, check_pixels, joined

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rendered:
    """A view that Cycles has rendered and nobody has looked at."""

    view: View
    shot: Shot
    path: Path
    load_s: float
    render_s: float


@dataclass(frozen=True)
class Circumstances:
    """What the records of all views of an attempt say alike."""

    attempt: int
    worker: str
    world_from_model: Matrix4
    missing_textures: tuple[str, ...]
    denoiser: str | None
    device: str
    versions: dict[str, str]


class Finisher:
    """Writes the files and records of one task; its `finish` runs on many threads."""

    def __init__(
        self,
        task: RenderTask,
        circumstances: Circumstances,
        *,
        book: RecordBook,
        storage: Storage,
        on_done: Callable[[], None],
    ) -> None:
        self._task = task
        self._circumstances = circumstances
        self._book = book
        self._storage = storage
        self._on_done = on_done
        self._one_at_a_time = threading.Lock()
        self._unfit: dict[str, PictureError] = {}
        settings = task.render
        self._develop = Developer(
            view_transform=settings.view_transform, bit_depth=settings.bit_depth
        )

    def finish(self, rendered: Rendered) -> None:
        """Read the passes, check them, write the files, then the record, then tell.

        A view that must not count is remembered for `raise_unfit`; the others go on.
        """
        begun = time.perf_counter()
        try:
            passes = read_passes(rendered.path)
        finally:
            rendered.path.unlink(missing_ok=True)
        read = time.perf_counter()
        try:
            encoded = self._encode_checked(passes, rendered.shot)
        except PictureError as error:
            log.warning("view does not count view=%s: %s", rendered.view.name, error)
            with self._one_at_a_time:
                self._unfit[rendered.view.name] = error
            return
        done = time.perf_counter()
        timings = Timings(
            load_s=rendered.load_s,
            render_s=rendered.render_s,
            sample_s=passes.sample_s,
            read_s=read - begun,
            encode_s=done - read,
            write_s=0.0,
        )
        self.deliver(rendered, encoded, coverage=float(passes.alpha.mean()), timings=timings)

    def deliver(
        self,
        rendered: Rendered,
        encoded: dict[PassName, bytes],
        *,
        coverage: float,
        timings: Timings,
    ) -> None:
        """Write the files of a view, then its record, then tell."""
        begun = time.perf_counter()
        files = {name: self._write(rendered.view, name, data) for name, data in encoded.items()}
        timings = timings.model_copy(update={"write_s": time.perf_counter() - begun})
        record = self._record(rendered, files, coverage, timings)
        with self._one_at_a_time:
            self._book.add(record)
            self._on_done()

    def raise_unfit(self) -> None:
        """Tell of the views that do not count, after all that were rendered are finished.

        Raises:
            PictureError: There are some.
        """
        if self._unfit:
            raise joined(self._task.model.name, self._unfit, views=len(self._task.views))

    def _encode_checked(self, passes: Passes, shot: Shot) -> dict[PassName, bytes]:
        settings = self._task.render
        depth = settings.bit_depth
        check_passes(passes, bit_depth=depth, allow_empty=self._task.allow_empty_masks)
        pixels = {name: self._pixels(name, passes, shot) for name in self._task.passes}
        check_pixels(pixels, passes.alpha, bit_depth=depth)
        encoded = {name: encode(of, format=settings.format) for name, of in pixels.items()}
        for name, data in encoded.items():
            check_encoded(data, pixels[name], format=settings.format)
        return encoded

    def _pixels(self, name: PassName, passes: Passes, shot: Shot) -> Pixels:
        if name == "rgb":
            return self._develop(passes.picture(gain=shot.gain))
        if name == "mask":
            return quantise_mask(passes.alpha, bit_depth=self._task.render.bit_depth)
        raise SpecError(f"passes: {name} is not rendered by this worker")

    def _write(self, view: View, name: PassName, data: bytes) -> FileRecord:
        path = f"{PASS_FOLDERS[name]}/{view.name}.{self._task.render.format}"
        self._storage.put(dataset_key(self._task.dataset, path), data)
        return FileRecord(path=path, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))

    def _record(
        self,
        rendered: Rendered,
        files: dict[PassName, FileRecord],
        coverage: float,
        timings: Timings,
    ) -> ViewRecord:
        task, known = self._task, self._circumstances
        return ViewRecord(
            view_id=view_id(task, rendered.view),
            view=rendered.view,
            task_id=task.task_id,
            attempt=known.attempt,
            worker=known.worker,
            files=files,
            resolution_px=task.render.resolution_px,
            camera=rendered.shot.camera,
            world_from_model=known.world_from_model,
            missing_textures=known.missing_textures,
            model=task.model,
            hdr=task.hdr,
            samples=task.render.samples,
            denoiser=known.denoiser,
            device=known.device,
            true_strength=rendered.shot.true_strength,
            coverage=coverage,
            versions=known.versions,
            timings=timings,
        )
