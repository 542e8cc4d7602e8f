"""Error against seconds: how near a picture comes to what it should be, and what that costs.

    python -m bench.quality [--references FOLDER] [--full] [--ways plain,standard]

Views of eight kinds of surface under four kinds of light are rendered in several ways and compared
with references of many samples. Both the error and the seconds are told as shares of those of 64
plain samples, the default. All models and lights are made here. Ways take turns, view by view, in
one process; seconds are those of the processor, so that other programs disturb them little.

Errors are root mean squares over developed pictures (0..1), once over all pixels in which something
of the model is, and once over its edges: what it covers in part, and the pixels beside.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import bpy
import numpy as np
from numpy.typing import NDArray

from bench import quality_scenes
from bench.quality_scenes import KINDS, LIGHTS, write_light, write_model
from farm.spec.asset import Asset
from farm.spec.camera import BASE_DISTANCE, FRAMING_FACTORS, Framing, OrbitCamera
from farm.spec.recipes.sod import SodSetup, SodView
from farm.spec.render import RenderSettings, resolve_render
from farm.spec.task import RenderTask
from farm.spec.view import Light
from worker.blender.session import BlenderSession
from worker.images.multilayer import Passes
from worker.images.view_transform import Developer
from worker.recipes import find_recipe
from worker.render.quality import decided, edges_of
from worker.render.rendered import Rendered

REFERENCE_SAMPLES = 2048
"""Of a reference, whose own error adds 1.5 % to that of 64 samples and 3 % to one of half of that:
errors add as squares do. `--full` takes twice as many."""
QUICK, FULL = (96,), (96, 256)
"""Pixels of a picture's side."""
WAYS: dict[str, RenderSettings] = {
    "plain": RenderSettings(),
    "lookup": RenderSettings(background="looked_up"),
    "draft": RenderSettings(quality="draft"),
    "standard": RenderSettings(quality="standard"),
    "auto": RenderSettings(quality="auto"),
}
"""What is compared; the first is the measure of all."""
FRAMINGS: dict[str, Framing] = {"studio": "t", "sun": "m", "night": "l", "overcast": "m"}
"""How near a camera stands, as the views of augmented datasets do."""

Floats = NDArray[np.float32]


class Case(NamedTuple):
    """A model under a light, at one size."""

    kind: str
    light: str
    size_px: int


@dataclass(frozen=True)
class Error:
    """How far a picture is from its reference."""

    inside: float
    edges: float


@dataclass(frozen=True)
class Result:
    """What one way made of a case."""

    case: Case
    way: str
    error: Error
    seconds: float


class Bench:
    """One warm Blender with the models and lights of all cases."""

    def __init__(self, folder: Path, references: Path, samples: int) -> None:
        self._session = BlenderSession("cpu", folder)
        self._models = {name: asset_of(write_model(folder, name), "model") for name in KINDS}
        self._lights = {name: asset_of(write_light(folder, name), "hdr") for name in LIGHTS}
        self._references, self._samples = references, samples

    def close(self) -> None:
        """Remove the session's files."""
        self._session.close()

    def run(self, case: Case, ways: dict[str, RenderSettings], rounds: int) -> Iterator[Result]:
        """Yield what each way makes of a case."""
        reference = self.reference(case)
        for name, settings in ways.items():
            self.render(case, settings, seed=0)  # what is loaded or built once is not counted
            spent, errors = [], []
            for seed in range(1, rounds + 1):
                picture, seconds = self.render(case, settings, seed=seed)
                spent.append(seconds)
                errors.append(error_of(picture, reference))
            yield Result(case, name, mean_of(errors), min(spent))

    def reference(self, case: Case) -> Passes:
        """Return the reference of a case, rendered now or before."""
        version = bpy.app.version_string
        scenes = hashlib.sha256(Path(quality_scenes.__file__).read_bytes()).hexdigest()
        contents = (version, self._samples, view_of(case), scenes)
        made_by = hashlib.sha256(repr(contents).encode()).hexdigest()[:12]
        path = self._references / f"{case.kind}-{case.light}-{case.size_px}-{made_by}.npz"
        if not path.exists():
            wanted = RenderSettings(samples=self._samples)
            passes, _ = self.render(case, wanted, seed=1_000_003)
            np.savez(path, combined=passes.layers["Combined"], sky=passes.layers["Environment"])
        with np.load(path) as held:
            return Passes({"Combined": held["combined"], "Environment": held["sky"]}, 0.0)

    def render(self, case: Case, settings: RenderSettings, *, seed: int) -> tuple[Passes, float]:
        """Return the passes of a case, and how many seconds of the processor they took."""
        task = self._task(case, settings)
        self._session.configure(task.render)
        stage = find_recipe("sod").prepare(task, self._session)
        chosen = decided(task, stage, self._session)
        self._session.configure(chosen)
        shot = stage.arrange(task.views[0])
        begun = time.process_time()
        path, cut = self._session.render_view(seed=seed)
        passes = Rendered(task.views[0], shot, path, 0.0, 0.0, cut=cut).read()
        return passes, time.process_time() - begun

    def _task(self, case: Case, settings: RenderSettings) -> RenderTask:
        sized = settings.model_copy(update={"resolution": (case.size_px, case.size_px)})
        model, light = self._models[case.kind], self._lights[case.light]
        return RenderTask(
            job_id="bench", index=0, task_id="bench", title="bench", group="bench", dataset="bench",
            recipe="sod", assets=(model, light), setup=SodSetup(), passes=("rgb", "mask"),
            render=resolve_render(sized, default_format="png"), views=(view_of(case),),
        )  # fmt: skip


def view_of(case: Case) -> SodView:
    """Return the view of a case: each kind is seen from a side of its own."""
    place = list(KINDS).index(case.kind)
    distance = BASE_DISTANCE * FRAMING_FACTORS[FRAMINGS[case.light]]
    return SodView(
        index=0,
        name=case.kind,
        camera=OrbitCamera(yaw_deg=40.0 * place, pitch_deg=20.0, distance=distance),
        light=Light(rotation_deg=25.0 * place, strength=1.0),
        seed=0,
    )


def error_of(passes: Passes, reference: Passes) -> Error:
    """Compare a picture with its reference."""
    wrong = developed(passes) - developed(reference)
    there = reference.alpha > 0
    return Error(root_mean_square(wrong[there]), root_mean_square(wrong[edges_of(reference.alpha)]))


def developed(passes: Passes) -> Floats:
    """Return a picture as a dataset has it, 0..1."""
    develop = Developer(view_transform="AgX", bit_depth=16)
    return develop(passes.picture(gain=1.0)).astype(np.float32) / np.float32(65535)


def root_mean_square(values: Floats) -> float:
    """Return the root of the mean of squares."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def mean_of(errors: Iterable[Error]) -> Error:
    """Return the root mean square of errors."""
    inside, edges = zip(*((each.inside, each.edges) for each in errors), strict=True)
    return Error(root_mean_square(np.array(inside)), root_mean_square(np.array(edges)))


def asset_of(path: Path, kind: Any) -> Asset:
    """Return a file as an asset."""
    data = path.read_bytes()
    return Asset(
        kind=kind, role=f"{kind}s", id=path.stem, name=path.name, path=str(path),
        sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data),
    )  # fmt: skip


def geometric(values: Iterable[float]) -> float:
    """Return the geometric mean."""
    return math.exp(float(np.mean([math.log(value) for value in values])))


def report(results: list[Result], ways: Iterable[str]) -> None:
    """Print the errors and seconds of each way and kind, as shares of the first way's."""
    first, *others = ways
    plain = {result.case: result for result in results if result.way == first}
    for way in others:
        print(f"\n{way}, as a share of {first}: seconds, error inside, error at edges")
        mine = [result for result in results if result.way == way]
        rows = {kind: [each for each in mine if each.case.kind == kind] for kind in KINDS}
        for title, rows_of in [*rows.items(), ("all", mine)]:
            if rows_of:
                print(
                    f"  {title:9} " + "  ".join(f"{value:5.2f}" for value in shares(rows_of, plain))
                )


def shares(results: list[Result], plain: dict[Case, Result]) -> tuple[float, float, float]:
    """Return seconds and both errors as shares of what is plain."""
    of: list[Callable[[Result], float]] = [
        lambda result: result.seconds,
        lambda result: result.error.inside,
        lambda result: result.error.edges,
    ]
    seconds, inside, edges = (
        geometric(value(each) / value(plain[each.case]) for each in results) for value in of
    )
    return seconds, inside, edges


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--references", type=Path, help="folder that keeps the references")
    parser.add_argument("--full", action="store_true", help="more sizes and samples")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ways", default=",".join(WAYS), help="such as plain,standard")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--lights", default=",".join(LIGHTS))
    options = parser.parse_args()
    ways = {name: WAYS[name] for name in options.ways.split(",")}
    samples = REFERENCE_SAMPLES * (2 if options.full else 1)
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
        folder = Path(name)
        references = options.references or folder
        references.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, references, samples)
        results: list[Result] = []
        for size_px in FULL if options.full else QUICK:
            for kind in options.kinds.split(","):
                for light in options.lights.split(","):
                    case = Case(kind, light, size_px)
                    for result in bench.run(case, ways, options.rounds):
                        results.append(result)
                        print(
                            *case, result.way, f"{result.seconds:.3f} s", result.error, flush=True
                        )
        bench.close()
        report(results, ways)


if __name__ == "__main__":
    main()
