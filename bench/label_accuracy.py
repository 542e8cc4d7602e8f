"""How far labels are from geometry that is worked out without Blender.

    python -m bench.label_accuracy [--side 320] [--samples 16]

A box that moves, a sheet and a ball under an environment that is turned, from four sides, against
rays, projections and the known motion. Baseline, in the same run: the raw passes of one render with
as many samples, as a compositor's File Output nodes write them, read by what their names promise.
Below it, how BlenderProc and the plain compositor write the same things.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.dataset.images import decode_pass
from farm.spec.passes import PASS_NAMES, PassName
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, records_key
from farm.storage import FolderStorage
from tests.support.blender import still_life
from tests.support.blender.rays import Seen, flow, look, project, settled
from tests.support.blender.scenes import asset_of, blend_file, write_sky
from tests.support.blender.shots import OurLease, some_view, task_of
from worker.blender.session import BlenderSession
from worker.blender.settings import set_sampling
from worker.blender.view_passes import CHANNELS, Sampling
from worker.images.multilayer import Passes, read_passes
from worker.recipes import find_recipe
from worker.render.task import render_task

BALL = 1
YAWS = (30.0, 120.0, 200.0, 310.0)

CONVENTIONS = """
          here                           BlenderProc                      plain compositor
depth     planar, background inf         planar, background 1e10          planar, 1e10
distance  along the ray, exact, inf      mist pass: averaged, background  -
                                         the far end of its range
normal    camera's frame, -1..1,         camera's frame, 0..1 (n/2+1/2),  world's frame,
          background 0                   averaged, background 0.5         averaged, background 0
flow      Vector's (-B, +A), (R, -G):    the same, y up if asked for      R G is backward, B A
          x right, y down                                                 minus forward, y up
index     uint16, with a table           category ids, flat colours of a  float, without a table
                                         render of their own
samples   one, through the centre        the picture's; flow and ids one  the picture's
"""


class Error(NamedTuple):
    """How far a label is off, over all pixels that count."""

    what: str
    ours: NDArray[Any]
    plain: NDArray[Any] | None = None


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--side", type=int, default=320, help="longer side, pixels")
    parser.add_argument("--samples", type=int, default=16)
    options = parser.parse_args()
    size = (options.side, options.side * 3 // 4)
    errors: dict[str, list[Error]] = {}
    for error in compare(size, options.samples):
        errors.setdefault(error.what, []).append(error)
    print(f"{size[0]} x {size[1]}, {options.samples} samples, {len(YAWS)} views")
    print(f"{'':36}{'max':>10}{'mean':>10}   {'raw: max':>10}{'mean':>10}")
    for what, parts in errors.items():
        ours = np.concatenate([part.ours.ravel() for part in parts])
        raw = [part.plain.ravel() for part in parts if part.plain is not None]
        told = figures(np.concatenate(raw)) if raw else ""
        print(f"{what:36}{figures(ours)}   {told}")
    print(CONVENTIONS)


def figures(values: NDArray[Any]) -> str:
    """Return the largest and the mean of some errors."""
    return f"{values.max():10.2g}{values.mean():10.2g}"


def compare(size: tuple[int, int], samples: int) -> Iterator[Error]:
    """Render all views and yield how far off their labels are."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        session = BlenderSession("cpu", folder)
        with blend_file(folder / "still.blend") as scene:
            still_life.fill_still_life(scene)
        sky = write_sky(folder / "sky.exr", np.full((32, 64, 3), 0.5, np.float32))
        views = [
            some_view(index=n, yaw=yaw, pitch=15.0 + 15 * n, rotation=70.0 * n + 20)
            for n, yaw in enumerate(YAWS)
        ]
        model = asset_of(folder / "still.blend")
        task = task_of(model, sky, *views, resolution_px=size, samples=samples)
        task = task.model_copy(update={"passes": PASS_NAMES})
        storage = FolderStorage(folder / "out")
        render_task(
            task, session=session, storage=storage, attempt=1, worker="bench", lease=OurLease()
        )
        for line in (storage.get(records_key(task)) or b"").splitlines():
            record = ViewRecord.model_validate_json(line)
            yield from errors_of(record, storage, raw_passes(session, task, record), size)
        session.close()


def raw_passes(session: BlenderSession, task: RenderTask, record: ViewRecord) -> Passes:
    """Render a view once more, as whoever switches the passes on gets it in a world that stands."""
    session.configure(task.render, task.passes)
    shot = find_recipe(task.recipe).prepare(task, session).arrange(record.view)
    set_sampling(
        session.scene, Sampling(frozenset(CHANNELS), task.render.samples, denoise=False, lit=True)
    )
    path = session.render(seed=record.view.seed)
    try:
        raw = read_passes(path)
    finally:
        path.unlink()
    turn = np.array(shot.world_from_scene)[:3, :3]  # of the model under its environment
    for name in ("Normal", "Position"):
        raw.layers[name] = (raw.layers[name] @ turn.T).astype(np.float32)
    return raw


def errors_of(
    record: ViewRecord, storage: FolderStorage, raw: Passes, size: tuple[int, int]
) -> Iterator[Error]:
    """Yield how far the labels of a view are off."""
    labels: dict[PassName, NDArray[Any]] = {
        name: decode_pass(storage.get(f"vases/{file.path}") or b"", file.path, name)
        for name, file in record.files.items()
    }
    solids = still_life.placed(record)
    seen = look(record.camera, size, solids)
    clear = settled(record.camera, size, solids)
    flat = (seen.which > BALL) & clear
    depth = raw.layers["Depth"][..., 0]
    yield Error(
        "depth, relative, flat faces",
        relative(labels["depth"], seen.depth, flat),
        relative(depth, seen.depth, flat),
    )
    yield Error("distance, relative, flat faces", relative(labels["distance"], seen.distance, flat))
    ball = (seen.which == BALL) & clear
    yield Error("depth, relative, ball", relative(labels["depth"], seen.depth, ball))
    yield Error(
        "position, units, flat faces",
        lengths(labels["position"] - seen.position, flat),
        lengths(raw.layers["Position"] - seen.position, flat),
    )
    yield from normal_errors(labels, seen, raw, flat)
    yield from flow_errors(record, labels, seen, raw)
    yield Error(
        "index, wrong or not",
        (labels["index"] != seen.which)[clear].astype(float),
        (raw.layers["Object Index"][..., 0] != seen.which)[clear].astype(float),
    )
    yield Error("pixels left out, at an edge or not", (~clear).astype(float))
    outline = np.concatenate([solid.outline() for solid in solids])
    px = np.clip(project(record.camera, outline), 0, size)
    box = record.objects[0].box_px
    assert box is not None
    yield Error("box, pixels", np.abs(np.array(box) - [*px.min(axis=0), *px.max(axis=0)]))


def normal_errors(
    labels: dict[PassName, NDArray[Any]], seen: Seen, raw: Passes, flat: NDArray[Any]
) -> Iterator[Error]:
    """Yield how far normals are off."""
    plain = raw.layers["Normal"]
    frames: tuple[tuple[PassName, NDArray[Any]], ...] = (
        ("normal", seen.normal),
        ("normal_world", seen.normal_world),
    )
    for name, expected in frames:
        baseline = angles(plain, expected, flat) if name == "normal_world" else None
        yield Error(f"{name}, degrees, flat faces", angles(labels[name], expected, flat), baseline)
    yield Error(
        "normal, off from length 1",
        np.abs(lengths(labels["normal"], flat) - 1),
        np.abs(lengths(plain, flat) - 1),
    )


def flow_errors(
    record: ViewRecord, labels: dict[PassName, NDArray[Any]], seen: Seen, raw: Passes
) -> Iterator[Error]:
    """Yield how far flow is off; the raw pass is taken as (forward, backward), as its name says."""
    same = labels["index"] == seen.which
    vector = raw.layers["Vector"]
    now = still_life.placed(record)
    steps: tuple[tuple[PassName, int, NDArray[Any]], ...] = (
        ("flow_forward", 1, vector[..., :2]),
        ("flow_backward", -1, vector[..., 2:]),
    )
    for name, step, plain in steps:
        then = still_life.placed(record, still_life.FRAME + step)
        expected = flow(record.camera, seen, now, then)
        yield Error(
            f"{name}, pixels",
            lengths(labels[name] - expected, same),
            lengths(plain - expected, same),
        )


def relative(found: NDArray[Any], expected: NDArray[Any], where: NDArray[Any]) -> NDArray[Any]:
    """Return relative errors."""
    return np.asarray(np.abs(found[where] / expected[where] - 1))


def lengths(vectors: NDArray[Any], where: NDArray[Any]) -> NDArray[Any]:
    """Return the lengths of vectors."""
    return np.asarray(np.linalg.norm(vectors[where].astype(np.float64), axis=-1))


def angles(found: NDArray[Any], expected: NDArray[Any], where: NDArray[Any]) -> NDArray[Any]:
    """Return the angles between vectors, degrees."""
    one, other = found[where].astype(np.float64), expected[where]
    across = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.asarray(np.degrees(np.arctan2(across, (one * other).sum(axis=-1))))


if __name__ == "__main__":
    main()
