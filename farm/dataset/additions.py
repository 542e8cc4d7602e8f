"""Passes for views that were rendered before: which are missing, and the tasks that add them.

A task is made of records, with the settings of `dataset.json`, which are the same for all views of
a job; their recipe says how both make a setup. Whether a view comes out as it did is not believed
but proven, by the worker.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from farm import expand
from farm.dataset.finish import finish_dataset
from farm.dataset.merge import MERGED
from farm.dataset.reader import Dataset, DatasetView
from farm.dataset.records.collect import DatasetSummary, FinishedRun, facts_again
from farm.dataset.records.read import Report
from farm.dataset.records.resume import Finished
from farm.errors import SpecError
from farm.expand import Again
from farm.expand.again import makes
from farm.spec.asset import Asset
from farm.spec.base import digest, first_reason
from farm.spec.hint import hint
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.passes import (
    AVERAGED,
    LIT,
    PASS_NAMES,
    PASSES,
    PICTURES,
    SEVERAL,
    PassName,
)
from farm.spec.record import ViewRecord
from farm.spec.render import ImageFormat, ResolvedRender, resolve_render
from farm.spec.task import Addition, Need, RenderTask, dataset_key
from farm.storage import Storage

SHAPES: tuple[PassName, ...] = ("depth", "distance", "position", "normal_world", "normal", "uv")
"""Passes of which one proves, at each pixel's centre, where the surface is that is seen."""
SHAPE_ALONE: frozenset[str] = frozenset(
    {*SHAPES, "index", "material", "mask", "cryptomatte", "amodal", "normal_geometry"}
)
"""Passes that show no colour of a texture."""
NO_PIXELS = ("arrays", "cryptomatte")
"""Kinds of passes that cannot be compared pixel for pixel."""
VIEWS_PER_TASK = 50
"""Views of one model that a task adds to, at most: they are quick."""


class AssetFinder(Protocol):
    """Knows where the assets of records are now."""

    def find(self, asset: Asset) -> Asset:
        """Return an asset as a worker finds it.

        Raises:
            SpecError: It is nowhere.
        """

    def look(self, asset: Asset, *, fps: float | None) -> Asset:
        """Return a scene with what its file says of its time.

        Args:
            asset: The scene.
            fps: Frames per second of files that state none.

        Raises:
            SpecError: It is nowhere.
            SetupError: There is nobody here to look into it.
        """

    def names_others(self, asset: Asset) -> bool:
        """Say whether an asset needs other files, such as textures, whose hashes are not known."""


class Missing(NamedTuple):
    """A view that lacks passes."""

    record: ViewRecord
    passes: tuple[PassName, ...]
    dataset: str


class AddingTask(NamedTuple):
    """A task that adds passes, and what the records of its views say so far."""

    task: RenderTask
    records: tuple[ViewRecord, ...]


class Plan(NamedTuple):
    """What is to be added to a dataset."""

    tasks: tuple[RenderTask, ...]
    records: tuple[tuple[ViewRecord, ...], ...]
    """Of each task, what its views' records say so far."""
    views: int
    """All views of the dataset."""
    wanted: tuple[PassName, ...]

    @property
    def missing(self) -> int:
        """How many of these lack something."""
        return sum(len(task.views) for task in self.tasks)


def passes_named(names: str) -> tuple[PassName, ...]:
    """Return the passes that a list such as `depth,normal` names.

    Raises:
        SpecError: One is not a pass.
    """
    words = [word.strip() for word in names.split(",") if word.strip()]
    found: dict[PassName, None] = {}
    for word in words:
        for name in SEVERAL.get(word, (word,)):
            if name not in PASSES:
                near = hint(name, (*PASS_NAMES, *SEVERAL))
                raise SpecError(f"passes: {name!r} is not one of {', '.join(PASS_NAMES)}{near}")
            found[name] = None
    if not found:
        raise SpecError("passes: name at least one, such as depth,normal")
    return tuple(found)


def plan_additions(
    data: Dataset,
    wanted: Sequence[PassName],
    *,
    finder: AssetFinder,
    any_blender: bool = False,
) -> Plan:
    """Return the tasks that add what views of a dataset lack of `wanted`; as `adding_tasks`."""
    made = list(adding_tasks(data, wanted, finder=finder, any_blender=any_blender))
    tasks = [each.task for each in made]
    job_id = digest([task.model_dump(mode="json", exclude={"job_id"}) for task in tasks])[:12]
    named = tuple(task.model_copy(update={"job_id": job_id}) for task in tasks)
    return Plan(named, tuple(each.records for each in made), len(data), tuple(wanted))


def adding_tasks(
    data: Dataset,
    wanted: Sequence[PassName],
    *,
    finder: AssetFinder,
    any_blender: bool = False,
) -> Iterator[AddingTask]:
    """Yield the tasks of a job to be that add what views of a dataset lack of `wanted`.

    In memory are, of each view, its place, and one task.

    Args:
        data: All of a place.
        wanted: Passes that each view is to have.
        finder: Knows where assets are now.
        any_blender: Another version of Blender will do, as long as the proof holds.

    Raises:
        SpecError: There is no view, one cannot be rendered again from its record, or an asset is
            not there.
    """
    if not len(data):
        raise SpecError(f"{data.storage.place}: has no views yet: there is nothing to add to")
    specs = functools.cache(lambda dataset: specs_of(data.summaries.get(dataset)))
    names: set[tuple[str, str]] = set()
    for index, places in enumerate(batches_of(data, wanted)):
        part = [each for place in places if (each := lack_of(data[place], wanted))]
        task = task_of(part, specs(part[0].dataset), finder, any_blender=any_blender)
        name = unlike((task.dataset, task.task_id), names)
        task = at_place(task.model_copy(update={"task_id": name}), index)
        yield AddingTask(task, tuple(each.record for each in part))


def at_place(task: RenderTask, index: int) -> RenderTask:
    """Return a task at its place in its job; what it needs it makes itself."""
    needs = task.needs and task.needs.model_copy(update={"made_by": index})
    return task.model_copy(update={"index": index, "needs": needs})


def batches_of(data: Dataset, wanted: Sequence[PassName]) -> Iterator[list[int]]:
    """Yield the places of views that one task adds to."""
    batches: dict[str, list[int]] = {}
    for place, view in enumerate(data):
        if missing := lack_of(view, wanted):
            batches.setdefault(key_of(missing), []).append(place)
    for batch in batches.values():
        for start in range(0, len(batch), VIEWS_PER_TASK):
            yield batch[start : start + VIEWS_PER_TASK]


def lacking(data: Dataset, wanted: Sequence[PassName]) -> Iterator[Missing]:
    """Yield the views of a dataset that lack passes, with what they lack."""
    return (missing for view in data if (missing := lack_of(view, wanted)))


def lack_of(view: DatasetView, wanted: Sequence[PassName]) -> Missing | None:
    """Return what a view lacks, if anything."""
    missing = tuple(name for name in wanted if name not in view.record.files)
    if not missing:
        return None
    return Missing(view.record, missing, view.key.removesuffix(view.name).rstrip("/"))


def key_of(missing: Missing) -> str:
    """Return what views must have alike to be rendered by one task."""
    record = missing.record
    return digest(
        missing.dataset,
        missing.passes,
        record.task_id,
        record.view.kind,
        record.view.moment and record.view.moment.sequence,
        record.title,
        record.group,
        sorted(record.files),
        [asset.model_dump(mode="json") for asset in record.assets],
        record.resolution_px,
        record.samples,
        record.noise_threshold,
        record.engine,
        record.background,
        record.prefilter,
        record.denoiser,
        record.versions.get("blender"),
    )


def unlike(wanted: tuple[str, str], names: set[tuple[str, str]]) -> str:
    """Return a task's id that no other task of its dataset has."""
    dataset, name = wanted
    number = 1
    while (dataset, name) in names:
        number += 1
        name = f"{wanted[1]}-{number}"
    names.add((dataset, name))
    return name


def task_of(
    batch: Sequence[Missing],
    specs: Sequence[JobSpec],
    finder: AssetFinder,
    *,
    any_blender: bool,
) -> RenderTask:
    """Return the task that adds what a batch of views lacks.

    Raises:
        SpecError: They cannot be rendered again from their records, or an asset is not there.
    """
    first, added = batch[0].record, batch[0].passes
    spec = spec_of(first, specs, finder)
    check_recipe(first, spec)
    proof = proof_of(
        first,
        added,
        unhashed=not SHAPE_ALONE.issuperset(added) and any(map(finder.names_others, shown(first))),
        one_thing=spec.recipe.silhouette_tells,
    )
    passes = (*proof, *added)
    again = again_of(first, spec, finder, added=added, passes=passes)
    assets = tuple(
        finder.find(asset).model_copy(update={"scene": None})
        for asset in first.assets
        if again.needs_light or is_needed(asset, passes)
    )
    maker = again.maker and again.maker.model_copy(update={"assets": assets})
    return RenderTask(
        job_id="",
        index=0,
        task_id=first.task_id,
        title=first.title,
        group=first.group,
        dataset=batch[0].dataset,
        recipe=first.view.kind,
        assets=assets,
        setup=again.setup,
        render=render_of(first, spec),
        passes=passes,
        allow_empty_masks=True,  # what the dataset has is compared
        views=tuple(each.record.view for each in batch),
        needs=Need(product=maker.product, made_by=0) if maker and maker.product else None,
        setup_s=again.setup_s + (maker.setup_s if maker else 0.0),
        adds=Addition(passes=added, proof=proof, any_blender=any_blender),
        maker=maker,
    )


def shown(record: ViewRecord) -> Iterator[Asset]:
    """Yield what a view shows that may need files of its own."""
    return (asset for asset in record.assets if asset.kind in ("model", "scene"))


def again_of(
    record: ViewRecord,
    spec: JobSpec,
    finder: AssetFinder,
    *,
    added: Sequence[PassName],
    passes: Sequence[PassName],
) -> Again:
    """Return how a view is set up once more.

    Args:
        record: What is known of it.
        spec: It was rendered by that.
        finder: Knows where assets are now.
        added: What it gets.
        passes: What is rendered.

    Raises:
        SpecError: Its recipe cannot tell, or it cannot have such passes.
    """
    try:
        JobSpec.model_validate({**spec.model_dump(mode="json"), "passes": added})
    except ValidationError as error:
        raise SpecError(first_reason(error)) from None
    job = job_of(record, spec.model_copy(update={"passes": tuple(passes)}), finder)
    again = expand.again(job, record)
    if again is None:
        raise untold(record)
    return again


def check_recipe(record: ViewRecord, spec: JobSpec) -> None:
    """Make sure that the recipe of a view can set it up once more.

    Raises:
        SpecError: It cannot, or nobody knows how it was set up.
    """
    kind = record.view.kind
    if spec.recipe.kind == kind and not expand.gets_passes_later(kind):
        raise untold(record)
    if spec.recipe.kind != kind:
        raise SpecError(
            f"{record.view.name}: dataset.json has no spec of the recipe {kind} that can be read "
            "here, so that it is not known how its views were set up; render them again with these "
            "passes"
        )


def untold(record: ViewRecord) -> SpecError:
    """Return the refusal of a view whose recipe cannot set it up once more."""
    name, kind = record.view.name, record.view.kind
    return SpecError(
        f"{name}: views of the recipe {kind} cannot get passes later, since their records alone do "
        "not tell all of their scene; render them again with these passes"
    )


def job_of(record: ViewRecord, spec: JobSpec, finder: AssetFinder) -> Job:
    """Return a job of what one view is made of."""
    recipe = spec.recipe
    assets = (
        finder.look(asset, fps=recipe.scene_fps)
        if asset.kind == "scene" and recipe.needs_facts
        else asset
        for asset in record.assets
    )
    return make_job(spec, tuple(assets))


def is_needed(asset: Asset, passes: Sequence[PassName]) -> bool:
    """Say whether passes depend on an asset: without light, on no environment."""
    return asset.kind != "hdr" or not LIT.isdisjoint(passes)


def proof_of(
    record: ViewRecord,
    added: Sequence[PassName],
    *,
    unhashed: bool = False,
    one_thing: bool = True,
) -> tuple[PassName, ...]:
    """Return which of a view's files are to come out the same when passes are added to it.

    Where it has labels of the pixels' centres, these are enough for others. What is a mean over
    samples takes these samples in any case, so that the mask is compared, too; what depends on
    light, the picture. A mask alone takes all of its samples, and where pixels have as many as
    their noise asks for, or another engine makes the picture, the picture as well. So does what
    shows textures of which nobody has kept the hashes, and what has many things, of which
    silhouettes and numbers tell little.

    Args:
        record: What is known of the view.
        added: What it gets.
        unhashed: What it gets shows textures whose contents its record does not know.
        one_thing: It shows one model, which its silhouette tells.

    Raises:
        SpecError: Nothing proves what it shows.
    """
    has = record.files
    odd = record.noise_threshold is not None or record.engine != "cycles"
    lit = not LIT.isdisjoint(added) or unhashed
    shapes = () if record.view.pose is not None else SHAPES  # of another light's turn, rounded
    proof = [name for name in ("index", next(filter(has.__contains__, shapes), "")) if name in has]
    told = bool(proof) if one_thing else not set(SHAPES).isdisjoint(proof)
    if not told or not AVERAGED.isdisjoint(added):
        proof += [name for name in ("mask",) if name in has]
    sampled = not AVERAGED.isdisjoint((*proof, *added))
    if not (proof if one_thing else told) or lit or (sampled and odd):
        proof += [name for name in ("rgb",) if name in has]
    telling = proof if one_thing else [name for name in proof if name != "mask"]
    if not telling:
        proof += [name for name in has if name != "mask" and PASSES[name].kind not in NO_PIXELS][:1]
    if not proof or (proof == ["mask"] and not one_thing):
        raise SpecError(
            f"{record.view.name}: none of its passes ({', '.join(has)}) proves what it shows; "
            "render it again with these passes"
        )
    return tuple(name for name in PASS_NAMES if name in proof)


def render_of(record: ViewRecord, spec: JobSpec) -> ResolvedRender:
    """Return how a view was rendered: as its record says, and its spec where that says nothing."""
    asked = resolve_render(spec.render, default_format=spec.recipe.default_format)
    original = record.passes_at_first
    changes: dict[str, Any] = {
        "resolution_px": record.resolution_px,
        "format": format_of(record) or asked.format,
        "quality": "plain" if record.quality == "plain" else "standard",  # `auto` measures anew
    }
    if not AVERAGED.isdisjoint(original):
        changes |= {"samples": record.samples, "noise_threshold": record.noise_threshold}
    if not PICTURES.isdisjoint(original):
        changes |= {
            "engine": record.engine,
            "background": record.background,
            "denoise": record.denoiser is not None,
            "prefilter": record.prefilter,
        }
    return asked.model_copy(update=changes)


def format_of(record: ViewRecord) -> ImageFormat | None:
    """Return the format of a view's pictures; None where it has none."""
    for name, file in record.files.items():
        if PASSES[name].kind == "picture":
            return "jxl" if file.path.endswith(".jxl") else "png"
    return None


def specs_of(summary: DatasetSummary | None) -> list[JobSpec]:
    """Return the specs that a dataset was rendered by; of a merged one there may be several."""
    said: Any = summary.spec if summary is not None else {}
    parts = said.get(MERGED, [said])
    specs = [spec for part in parts if (spec := read_spec(part)) is not None]
    return specs or [JobSpec.model_validate({"models": ["?"], "hdrs": ["?"]})]


def read_spec(said: Any) -> JobSpec | None:
    """Return a spec as `dataset.json` has it; None where this version cannot read it."""
    try:
        return JobSpec.model_validate(said)
    except ValidationError:
        return None


def spec_of(record: ViewRecord, specs: Sequence[JobSpec], finder: AssetFinder) -> JobSpec:
    """Return the spec that a view was rendered by: the one that makes its id, if any does."""
    fitting = [spec for spec in specs if spec.recipe.kind == record.view.kind]
    made = (spec for spec in fitting if len(fitting) > 1 and makes_view(record, spec, finder))
    return next(made, (fitting or specs)[0])


def makes_view(record: ViewRecord, spec: JobSpec, finder: AssetFinder) -> bool:
    """Say whether a spec makes a view of a record's id."""
    job = job_of(record, spec, finder)
    try:
        again = expand.again(job, record)
    except SpecError:  # of another spec
        return False
    return again is not None and makes(
        job, record, then=again.then or again.setup, product=again.product
    )


def find_added(job: Job, storage: Storage, report: Report) -> Finished:
    """Look which tasks of a job that adds passes have nothing left to do."""
    assert job.adds is not None
    data, result = Dataset(storage, job.adds.datasets, broken=report), Finished()
    whole = {view.key for view in data if set(view.passes).issuperset(job.adds.passes)}
    for task in expand.expand(job):
        done = [view for view in task.views if dataset_key(task.dataset, view.name) in whole]
        result.views += len(done)
        if len(done) == len(task.views):
            result.tasks.append(task.index)
            result.views_of_tasks += len(done)
    return result


def fold_datasets(
    summaries: Mapping[str, DatasetSummary],
    storage: Storage,
    datasets: Iterable[str],
    note: Report,
    *,
    is_complete: Callable[[str], bool] = lambda _task: True,
) -> None:
    """Fold the records of datasets into their lists; what their runs knew stays as it was.

    Args:
        summaries: What `dataset.json` says of each.
        storage: Where they are.
        datasets: Which of them.
        note: Takes a sentence for each line that is not a record.
        is_complete: Says of a task id whether nothing is left to do for it.
    """
    for dataset in datasets:
        facts = facts_again(summaries.get(dataset), name=name_of(storage, dataset))
        finish_dataset(storage, dataset, FinishedRun(facts, is_complete, note))


def name_of(storage: Storage, dataset: str) -> str:
    """Return what a dataset is called that says nothing of itself: its folder."""
    return (dataset or storage.place).rstrip("/").rpartition("/")[2]
