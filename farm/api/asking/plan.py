"""How large a job would be, and one small picture of it first."""

from __future__ import annotations

import math
from typing import Any

from farm import expand
from farm.api import workers
from farm.api.problems import ApiProblem
from farm.api.services import Services
from farm.api.submission import submit
from farm.errors import SpecError
from farm.spec.amounts import duration, file_size
from farm.spec.base import Spec
from farm.spec.counted import counted
from farm.spec.load import parse_spec
from farm.spec.view_sizes import view_bytes
from farm.spec.wire import JobInfo, Submission, TokenInfo
from farm.speeds import seconds_on

SAMPLE_PX = 256
SAMPLE_SAMPLES = 16
SAMPLE_PASSES = ("rgb", "mask")
SAMPLE_NAME = "sample"
SAMPLE_PRIORITY = 100
ONE = ("yaw", "pitch", "yaw_per_pitch", "views", "scenes", "frames", "sequences_per_scene")
"""Fields of recipes that say how many views there are."""


class JobPlan(Spec):
    """What a job would be."""

    job: JobInfo
    """In the state `valid`; or as it stands, where the same one was submitted before."""
    datasets: int
    size_bytes: int
    seconds: float | None = None
    """On the workers that are alive; None while none has rendered."""
    sentence: str


def plan(services: Services, submission: Submission, caller: TokenInfo) -> JobPlan:
    """Return how large the job of a submission would be; nothing is kept.

    Raises:
        ApiProblem: Something about it cannot be accepted.
    """
    info = submit.validate(services, submission, caller)
    job = submit.checked_job(services, submission, caller)
    size = round(info.views * view_bytes(job))
    crew = workers.list_workers(services.ledger)
    seconds = seconds_on(crew, job, views=info.views)
    return JobPlan(
        job=info,
        datasets=sum(1 for _ in expand.datasets(job)),
        size_bytes=size,
        seconds=None if seconds is None or not math.isfinite(seconds) else seconds,
        sentence=plan_sentence(
            info,
            size_bytes=size,
            seconds=seconds,
            crew=len(crew),
            prepares=expand.render_task(job, 0).product is not None,
        ),
    )


def plan_sentence(
    info: JobInfo, *, size_bytes: int, seconds: float | None, crew: int, prepares: bool
) -> str:
    """Say in a sentence how large a job would be; the time is that of its views alone."""
    parts = [
        f"{counted(info.views, 'view')} in {counted(info.tasks, 'task')}",
        f"about {file_size(size_bytes)}",
    ]
    if seconds is not None:
        parts.append(f"roughly {duration(seconds)} on {counted(crew, 'worker')}")
        if prepares:
            parts[-1] += " once its scenes are prepared"
    elif crew:
        parts.append("nobody knows yet how long: no worker has rendered lately")
    else:
        parts.append("no worker is alive now")
    sentence = f"{', '.join(parts)}."
    if info.state != "valid":
        sentence += f" The very same job is here already: {info.name}, {info.state}."
    return sentence


def sample(services: Services, submission: Submission, caller: TokenInfo) -> JobInfo:
    """Submit a job of one small view of what is asked for, before all others.

    Raises:
        ApiProblem: Something about it cannot be accepted.
    """
    return submit.submit(services, sample_of(submission), caller)[0]


def sample_of(submission: Submission) -> Submission:
    """Return what asks for one small view of what somebody asks for.

    Raises:
        ApiProblem: So few views of it cannot be asked for.
    """
    assets = submission.assets
    if submission.spec.recipe.names_show_assets:  # one of each is enough
        assets = tuple({asset.role: asset for asset in reversed(assets)}.values())
    data = submission.spec.model_dump(mode="json")
    for role in {asset.role for asset in submission.assets}:
        data[role] = [asset.name for asset in assets if asset.role == role]
    recipe = submission.spec.recipe
    data["recipe"] = fewest(data.get("recipe", {}), set(type(recipe).model_fields))
    data["recipe"] |= recipe.as_sample
    data["render"] = data.get("render", {}) | {"resolution": SAMPLE_PX, "samples": SAMPLE_SAMPLES}
    data |= {"dataset_name": None, "passes": list(SAMPLE_PASSES)}
    try:
        spec = parse_spec(data)
    except SpecError as error:
        raise ApiProblem(422, str(error), "submit it without a sample") from None
    return submission.model_copy(
        update={"spec": spec, "assets": assets, "name": SAMPLE_NAME, "priority": SAMPLE_PRIORITY}
    )


def fewest(recipe: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    """Return what a recipe says with as few views as there can be."""
    return recipe | {name: 1 for name in ONE if name in fields}
