"""Passes that views get later: made with a proof that these are the same views."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.errors import ChangedViewError
from farm.spec.label import ObjectLabel
from farm.spec.passes import PASSES, PassName, samples_for
from farm.spec.record import AddedPass, CameraRecord, FileRecord, Timings, ViewRecord
from farm.spec.render import ImageFormat
from farm.spec.task import Addition, dataset_key
from farm.spec.view import View
from worker.images.encode import decode
from worker.images.exr import decode_exr
from worker.render.rendered import Rendered
from worker.render.writers.record_book import AdditionBook
from worker.render.writers.view_files import PassTimer, ViewFiles
from worker.render.writers.writer import ViewWriter, done_view, notes_of_materials

OF_SILHOUETTES = ("visible_fraction", "amodal_area_px", "amodal_box_px", "occluders")
"""Fields of a label that whole silhouettes tell."""
NEARLY = 1e-6
"""Share by which a number of a camera may be off, since older releases may have added up in another
order."""


class AdditionWriter(ViewWriter):
    """Adds passes to the views of one task, as far as they are proven to be the same views."""

    def __init__(self, *args: Any, additions: AdditionBook, **more: Any) -> None:
        super().__init__(*args, **more)
        self._additions = additions
        self._lock = threading.Lock()

    def approve(self, rendered: Rendered, made: ViewFiles) -> None:
        """Hold what was rendered against what the dataset has of the view.

        Raises:
            ChangedViewError: It is another view.
        """
        record = self._additions.record_of(rendered.view)
        if not is_same_camera(record.camera, rendered.shot.camera):
            raise ChangedViewError("its camera would stand elsewhere" + self._why(record))
        for name in self._adds.proof:
            if told := difference(name, made.arrays[name], self._stored(record, name)):
                raise ChangedViewError(told + self._why(record))

    def hand_on(self, rendered: Rendered, made: ViewFiles, timings: Timings) -> None:
        """Write what a view lacked, then its record, then tell.

        Raises:
            StaleAttempt: Somebody else writes these files now.
        """
        self._may_write()
        view, spent = rendered.view, PassTimer(timings.pass_s)
        files, shown = self._write_all(view, made.files, made.previews, spent)
        record = self._extended(rendered, made, files, shown)
        with self._lock:
            self._additions.add(record)
        told = record.model_copy(update={"timings": timings})
        self.show(record, made.glimpse)
        with self._lock:
            self._on_done(done_view(told, made.develop_s))

    @property
    def _adds(self) -> Addition:
        assert self._task.adds is not None
        return self._task.adds

    def _stored(self, record: ViewRecord, name: PassName) -> NDArray[Any]:
        """Return what the dataset has of a pass of the proof.

        Raises:
            ChangedViewError: Its file is gone or broken.
        """
        file = record.files[name]
        data = self._storage.get(dataset_key(self._task.dataset, file.path))
        if data is None:
            raise ChangedViewError(f"{file.path} is gone, so that nothing proves what the view was")
        try:
            return stored_array(name, data, format_=self._task.render.format)
        except (RuntimeError, ValueError, KeyError) as error:
            raise ChangedViewError(f"{file.path} cannot be decoded: {error}") from error

    def _why(self, record: ViewRecord) -> str:
        """Say what else than before may have made a view another one."""
        now, then = self._circumstances.versions, record.versions
        known = [
            f"{name} was {then.get(name)} and is {now.get(name)}"
            for name in ("blender", "viewfarm")
            if then.get(name) != now.get(name)
        ]
        if record.device != self._circumstances.device:
            known.append(f"it was rendered on {record.device}, not {self._circumstances.device}")
        if record.missing_textures != self._circumstances.missing_textures:
            known.append("its model lacked other textures than now")
        cause = "; ".join(known) or "its model, or a file beside it, may have changed"
        return f": it is not the view any more that the dataset has ({cause}); nothing is added"

    def _extended(
        self,
        rendered: Rendered,
        made: ViewFiles,
        files: Mapping[PassName, FileRecord],
        shown: Mapping[PassName, FileRecord],
    ) -> ViewRecord:
        """Return the record of a view with what was added to it."""
        record, known = self._additions.record_of(rendered.view), self._circumstances
        seen = rendered.shot.seen or known
        how = AddedPass(
            proof=self._adds.proof,
            samples=samples_for(files, self._task.render.samples),
            device=known.device,
            versions=known.versions,
        )
        changes: dict[str, object] = {
            "files": {**record.files, **files},
            "previews": {**record.previews, **shown},
            "added": {**record.added, **dict.fromkeys(files, how)},
            "see_through": seen.see_through,
            "notes": record.notes | notes_of_materials(seen.untold),
        }
        if "index" in files:
            changes["indices"] = seen.indices
        if "material" in files:
            changes["materials"] = seen.materials
        if "amodal" in files:
            changes["objects"] = with_silhouettes(record.objects, made.objects)
        return record.model_copy(update=changes)


def with_silhouettes(
    known: Sequence[ObjectLabel], made: Sequence[ObjectLabel]
) -> tuple[ObjectLabel, ...]:
    """Return what a view shows with what is known now of whole silhouettes.

    The rest stays: what was measured of colours hangs on how many samples there were.
    """
    if len(known) != len(made):  # an older release told of other things
        return tuple(made)
    return tuple(
        old.model_copy(update={field: getattr(new, field) for field in OF_SILHOUETTES})
        for old, new in zip(known, made, strict=True)
    )


def check_blender(
    book: AdditionBook, views: Iterable[View], adds: Addition, *, version: str
) -> None:
    """Hold that views were rendered by the Blender that is here, unless any will do.

    Raises:
        ChangedViewError: One was rendered by another.
    """
    for view in () if adds.any_blender else views:
        then = book.record_of(view).versions.get("blender")
        if then != version:
            raise ChangedViewError(
                f"{view.name}: was rendered by Blender {then}, and this is {version}: use that "
                "one, or let the pixels alone decide with --any-blender"
            )


def is_same_camera(one: CameraRecord, other: CameraRecord) -> bool:
    """Say whether two cameras see the same, up to rounding."""
    mine, yours = (numbers_of(each) for each in (one, other))
    return len(mine) == len(yours) and bool(np.allclose(mine, yours, rtol=NEARLY, atol=NEARLY))


def numbers_of(camera: CameraRecord) -> NDArray[np.float64]:
    """Return all numbers of a camera that place points in its picture."""
    matrix = np.array(camera.world_from_camera, dtype=np.float64).ravel()
    focal = [each for each in (camera.fx_px, camera.fy_px) if each is not None]
    lens = [each for _, each in camera.lens or () if isinstance(each, float)]
    return np.array([*matrix, *focal, *lens, camera.cx_px, camera.cy_px])


def stored_array(name: PassName, data: bytes, *, format_: ImageFormat) -> NDArray[Any]:
    """Return what the file of a pass holds.

    Raises:
        RuntimeError, ValueError, KeyError: It is broken.
    """
    info = PASSES[name]
    if info.kind in ("floats", "halves"):
        return decode_exr(data, info.channels).astype(np.float32)  # halves, too
    return decode(data, format=format_ if info.kind == "picture" else "png")


def difference(name: PassName, made: NDArray[Any], stored: NDArray[Any]) -> str | None:
    """Say by what a pass differs from its file, if it does."""
    height, width = stored.shape[:2]
    if made.shape[:2] != (height, width) or made.size != stored.size:
        return f"its {name} has {width} x {height} pixels or other channels"
    if made.dtype != stored.dtype:
        return f"its {name} is stored as {stored.dtype}, not {made.dtype}"
    one, other = made.reshape(height, width, -1), stored.reshape(height, width, -1)
    same = (one == other) | ((one != one) & (other != other))
    wrong = int(np.count_nonzero(~same.all(axis=-1)))
    return f"its {name} differs at {wrong:,} of {width * height:,} pixels" if wrong else None
