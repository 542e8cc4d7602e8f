"""The doors of expansion: they find the recipe's own module by its name."""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from farm.errors import FarmError, SpecError
from farm.expand.again import Again
from farm.expand.rounds import job_of_round, rounds_of, streamed
from farm.spec.asset import Asset
from farm.spec.base import Spec
from farm.spec.job import Job
from farm.spec.recipes import RECIPES, unknown_recipe
from farm.spec.record import ViewRecord
from farm.spec.task import RenderTask, dataset_key


class Count(Spec):
    """How big a job is."""

    tasks: int
    views: int


class Expansion(ABC):
    """What a recipe's own module offers as `EXPANSION`."""

    names_are_distinct: ClassVar[bool] = False
    """No two files of a dataset can have one name; where that is not said, all names are looked at
    when a job is made."""

    @abstractmethod
    def count(self, job: Job) -> Count:
        """Return how many tasks and views the job has, without making them."""

    @abstractmethod
    def task(self, job: Job, index: int) -> RenderTask:
        """Make task `index`, looking at no other."""

    def datasets(self, job: Job) -> Iterator[str]:
        """Yield the key prefix of every dataset the job writes to; it is one unless said.

        Raises:
            SpecError: Two datasets would be one.
        """
        yield job.spec.dataset_name or ""

    def tell_apart(self, assets: tuple[Asset, ...]) -> tuple[Asset, ...]:
        """Return `assets`, with other ids where file names made of them would be the same."""
        return assets

    def mistakes(self, job: Job) -> Iterator[str]:
        """Yield what is wrong with a job whose assets somebody else has named."""
        yield from ()

    def remarks(self, job: Job) -> Iterator[str]:
        """Yield what whoever asks for a job should know of it, such as what is left out."""
        yield from ()

    def things(self, task: RenderTask) -> tuple[Asset, ...]:
        """Return of each thing that all views of a task are to show its asset; none where only the
        render tells.
        """
        return ()

    def sides(self, task: RenderTask) -> Iterator[tuple[float, float]]:
        """Yield yaw and pitch, degrees, from which the views of a task are to look at their one
        thing, in its own frame: 0 is its +Y, 90 its +X. Nothing where only the render tells.
        """
        yield from ()

    def again(self, job: Job, record: ViewRecord) -> Again | None:
        """Return how a view is set up once more, so that it gets passes that it lacks; None where
        that is not known.

        Args:
            job: Its spec is the one that the view was rendered by, but for the passes, which are
                those to come; its assets are the view's.
            record: What is known of the view.

        Raises:
            SpecError: The record does not tell; the error says why, and what to do.
        """
        return None

    def setup_s(self, job: Job) -> float:
        """Return about how many seconds tasks take beside pictures and what all tasks take: for
        estimates.
        """
        return 0.0

    def makers(self, job: Job) -> int:
        """Return how many tasks make what others need; these are the job's first ones."""
        return 0

    def waits_for(self, job: Job, index: int) -> int | None:
        """Return the maker, of a lower index, that must be done before task `index`.

        It is asked often, so it should not make the task. Only jobs that have makers are asked.
        """
        return None

    def assets_at(self, job: Job, index: int) -> tuple[Asset, ...]:
        """Return the assets of task `index`; where a recipe does not say, the task is made."""
        return self.task(job, index).assets

    def tasks_of(self, job: Job, asset: Asset) -> Iterable[range] | None:
        """Return the tasks that take an asset, in order; None where only making them tells."""
        return None

    def affinity(self, job: Job, index: int) -> str | None:
        """Return the key of a thing, such as a scene, that workers may keep for task `index`.

        A worker that had the same key last gets the task first. None where all workers are alike.
        It is asked often, so it should not make the task.
        """
        return None


def count(job: Job) -> Count:
    """Return how many tasks and views `job` has."""
    if job.adds is not None:
        return Count(tasks=job.adds.tasks, views=job.adds.views)
    with Blame(job.spec.recipe.kind) as expansion:
        one = expansion.count(job)
        if job.stream is None:
            return one
        makers = expansion.makers(job)
    number = rounds_of(job.stream, views=one.views, makers=makers, tasks=one.tasks)
    return Count(tasks=number * one.tasks, views=job.stream.length)


def tasks_of_a_round(job: Job) -> int:
    """Return how many tasks a stream takes for each time that its spec is rendered."""
    with Blame(job.spec.recipe.kind) as expansion:
        return expansion.count(job).tasks


def render_task(job: Job, index: int) -> RenderTask:
    """Make task `index` of `job`: the same in every process, whatever the other tasks are."""
    if job.adds is not None:  # it was made of records, when the job was
        return job.added_task(index)
    if job.stream is not None:
        tasks = tasks_of_a_round(job)
        number, place = divmod(index, tasks)
        task = render_task(job_of_round(job, number), place)
        if task.needs is not None:
            needs = {"made_by": task.needs.made_by + number * tasks}
            task = task.model_copy(update={"needs": task.needs.model_copy(update=needs)})
        return streamed(task, job, index=index, number=number)
    with Blame(job.spec.recipe.kind) as expansion:
        task, affinity = expansion.task(job, index), expansion.affinity(job, index)
    dataset = dataset_key(job.prefix, task.dataset)
    changes = {"dataset": dataset, "affinity": affinity, "trace": job.trace}
    return task.model_copy(update=changes)


def expand(job: Job) -> Iterator[RenderTask]:
    """Yield the tasks of `job`, lazily and in order."""
    return (render_task(job, index) for index in range(count(job).tasks))


def datasets(job: Job) -> Iterator[str]:
    """Yield the storage prefix of every dataset of `job`; "" is the storage's root."""
    if job.adds is not None:
        yield from job.adds.datasets
        return
    with Blame(job.spec.recipe.kind) as expansion:
        for name in expansion.datasets(job):
            yield dataset_key(job.prefix, name)


def tell_apart(recipe: str, assets: tuple[Asset, ...]) -> tuple[Asset, ...]:
    """Return the assets of a job to be, with other ids where a recipe needs them."""
    with Blame(recipe) as expansion:
        return expansion.tell_apart(assets)


def mistakes(job: Job) -> Iterator[str]:
    """Yield what is wrong with a job whose assets somebody else has chosen and named."""
    needed = [role.name for role in job.spec.recipe.roles if role.at_least]
    for role in job.spec.recipe.roles:
        found = len(job.of(role.name))
        if found < role.at_least:
            yield f"{role.name}: {found} is too few; the recipe needs {role.at_least}"
        if role.at_most is not None and found > role.at_most:
            yield f"{role.name}: {found} is too many; the recipe takes {role.at_most} at most"
    with Blame(job.spec.recipe.kind) as expansion:
        own = tuple(expansion.mistakes(job))
        yield from own
        if not own and all(job.of(name) for name in needed) and not count(job).views:
            yield "recipe: makes no views: change its settings"
        if not expansion.names_are_distinct:
            yield from itertools.islice(unfit_names(job), 1)


def remarks(job: Job) -> tuple[str, ...]:
    """Return what whoever asks for a job should know of it."""
    with Blame(job.spec.recipe.kind) as expansion:
        return tuple(expansion.remarks(job))


def things(task: RenderTask) -> tuple[Asset, ...]:
    """Return of each thing that all views of a task are to show its asset, as far as is known."""
    with Blame(task.recipe) as expansion:
        return expansion.things(task)


def sides(task: RenderTask) -> tuple[tuple[float, float], ...]:
    """Return from which yaw and pitch, degrees, views are to look, as far as is known."""
    with Blame(task.recipe) as expansion:
        return tuple(expansion.sides(task))


def setup_s(job: Job) -> float:
    """Return about how many seconds the tasks of `job` take beside pictures."""
    with Blame(job.spec.recipe.kind) as expansion:
        return expansion.setup_s(job)


def again(job: Job, record: ViewRecord) -> Again | None:
    """Return how a view that has a record is set up once more; None where that is not known.

    Raises:
        SpecError: Its recipe says why it cannot be.
    """
    with Blame(job.spec.recipe.kind) as expansion:
        return expansion.again(job, record)


def gets_passes_later(recipe: str) -> bool:
    """Say whether views of a recipe can get passes that they lack."""
    if recipe not in RECIPES:
        return False
    return type(expansion_of(recipe)).again is not Expansion.again


def unfit_names(job: Job) -> Iterator[str]:
    """Yield which files of a job cannot be in a dataset, or would be written by two views.

    Two names are one also where case does not count.
    """
    owners: dict[int, str] = {}
    for task in expand(job):
        for view in task.views:
            for name in task.passes:
                path = view.path_of(name, picture_format=task.render.format)
                place = dataset_key(task.dataset, path)
                me = f"{task.task_id}: {view.name} ({name})"
                if not is_plain(path):
                    yield f"recipe: {path!r} of {me} is not a plain path below the dataset"
                owner = owners.setdefault(hash(place.casefold()), me)
                if owner != me:
                    yield f"recipe: {place} would be written by {owner} and by {me}"


def is_plain(path: str) -> bool:
    """Say whether a path is one of a file in a dataset, and not among what the farm keeps there."""
    parts = path.split("/")
    return not any(
        part != part.strip() or not part or part.startswith(".") or set(part) & set('\\:*?"<>|\0')
        for part in parts
    )


def waits_for(job: Job) -> Callable[[int], int | None] | None:
    """Return what says which task must be done before another; None where none must."""
    recipe = Blame(job.spec.recipe.kind)
    with recipe as expansion:
        makers = expansion.makers(job)
    if not makers or job.adds is not None:
        return None
    tasks = tasks_of_a_round(job) if job.stream is not None else 1 << 62

    def ask(index: int) -> int | None:
        number, place = divmod(index, tasks)
        with recipe as expansion:
            waited = expansion.waits_for(job, place)
        if waited is not None and not 0 <= waited < min(place, makers):
            kind = job.spec.recipe.kind
            raise ValueError(f"{kind}: task {place} waits for {waited}, not for an earlier maker")
        return None if waited is None else waited + number * tasks

    return ask


def affinity(job: Job) -> Callable[[int], str | None] | None:
    """Return what says which key a task has; None where none of the recipe's tasks has one."""
    recipe = Blame(job.spec.recipe.kind)
    if type(recipe.expansion).affinity is Expansion.affinity or job.adds is not None:
        return None

    tasks = tasks_of_a_round(job) if job.stream is not None else 1 << 62

    def ask(index: int) -> str | None:
        with recipe as expansion:
            return expansion.affinity(job, index % tasks)

    return ask


def assets_of(job: Job, index: int) -> tuple[Asset, ...]:
    """Return the assets of task `index`, quicker than by making it where its recipe can say."""
    if job.stream is not None or job.adds is not None:
        return render_task(job, index).assets
    with Blame(job.spec.recipe.kind) as expansion:
        return expansion.assets_at(job, index)


def tasks_of(job: Job, asset: Asset) -> Iterable[range] | None:
    """Return the tasks that take an asset, in order; None where only making each task tells."""
    if job.stream is not None or job.adds is not None:
        return None
    with Blame(job.spec.recipe.kind) as expansion:
        return expansion.tasks_of(job, asset)


def products(job: Job) -> Iterator[str]:
    """Yield the key prefix of what each maker of `job` makes."""
    if job.adds is not None:
        return
    with Blame(job.spec.recipe.kind) as expansion:
        makers = expansion.makers(job)
    for index in range(makers):
        if product := render_task(job, index).product:
            yield product


@functools.cache
def expansion_of(recipe: str) -> Expansion:
    """Return the expansion of a recipe.

    Raises:
        SpecError: No such recipe is known here, or the package that brings it is broken.
    """
    known = RECIPES.get(recipe)
    if known is None:
        raise SpecError(f"recipe.kind: {unknown_recipe(recipe)}")
    try:
        expansion: Expansion = importlib.import_module(known.expansion).EXPANSION
    except Exception as error:  # the door: it is the code of a package
        raise_blame(recipe, error)
        raise
    return expansion


class Blame:
    """The door to a recipe's own code: `with Blame(recipe) as expansion`, as often as needed.

    Where that code raises what it should not, it says which recipe is at fault, and which line. It
    is a class, since thousands of tasks may be asked in a row.

    Raises:
        SpecError: It did, or `expansion_of` does.
    """

    def __init__(self, recipe: str) -> None:
        self.recipe = recipe
        self.expansion = expansion_of(recipe)

    def __enter__(self) -> Expansion:
        return self.expansion

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception):
            raise_blame(self.recipe, error)


def raise_blame(recipe: str, error: Exception) -> None:
    """Raise a SpecError that names a recipe and the line at fault; return where it is the farm's.

    Raises:
        SpecError: The recipe is of a package, and the error is none that the farm raises.
    """
    if isinstance(error, FarmError) or RECIPES[recipe].expansion.startswith("farm."):
        return
    raise SpecError(
        f"recipe {recipe!r}: {place_in(recipe, error)}{type(error).__name__}: {error}: "
        "mend the package that brings it"
    ) from error


def place_in(recipe: str, error: Exception) -> str:
    """Return the last line of a recipe's own package that an error went through, if any."""
    package = RECIPES[recipe].expansion.rpartition(".")[0].replace(".", os.sep) + os.sep
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if package in frame.filename]
    return f"{own[-1].filename}, line {own[-1].lineno}: " if own else ""
