"""From a spec on a laptop to a submission: files found, hashed, traced, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.errors import SpecError
from farm.library import discover
from farm.library.dependencies.places import Remark
from farm.library.dependencies.trace import Tracer
from farm.library.hashes import HashCache
from farm.library.store import files_of
from farm.library.survey import Watch, is_installed
from farm.local.plan.estimate import Estimate, make_estimate
from farm.local.plan.prepare import prepare, read_spec_file
from farm.spec.asset import Asset, AssetKind
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.job_name import check_job_name
from farm.spec.load import parse_spec
from farm.spec.recipes import of_role
from farm.spec.wire import Submission, WorkerInfo
from farm.speeds import seconds_on

TRACED: tuple[AssetKind, ...] = ("model", "scene")
"""Kinds of files that refer to others."""


@dataclass(frozen=True)
class PreparedJob:
    """A job that is ready to be submitted."""

    job: Job
    submission: Submission
    files: dict[str, Path]
    """Local path of each file that the job needs, by hash; empty on shared storage."""

    @property
    def is_known(self) -> bool:
        """All is known that its tasks are made of; else the server looks into its scenes."""
        scenes = (asset for asset in self.job.assets if asset.kind == "scene")
        return not self.job.spec.recipe.needs_facts or all(asset.scene for asset in scenes)

    def size_bytes(self, sha256s: list[str]) -> int:
        """Return how many bytes these files have."""
        return sum(self.files[sha256].stat().st_size for sha256 in sha256s)


def make_order(  # noqa: PLR0913 - each stands for itself
    spec: JobSpec,
    *,
    base: Path,
    hash_file: HashCache,
    remark: Remark,
    priority: int = 0,
    name: str | None = None,
    on_shared_storage: bool = False,
    trace: bool = False,
    looking: Watch = lambda _done, _total, _name: None,
) -> PreparedJob:
    """Find, hash and trace the files of `spec`.

    Args:
        spec: The request.
        base: The folder that relative paths start from.
        hash_file: Hashes, and remembers.
        remark: Takes sentences for the user.
        priority: Of the job.
        name: Of the job.
        on_shared_storage: The workers see the files under the same paths: nothing is uploaded.
        trace: Workers take down where the time goes.
        looking: Follows how scenes are looked into.

    Raises:
        SpecError: A file cannot be found or read, two datasets would have the same name, or the
            priority or the name cannot be had.
    """
    if not -100 <= priority <= 100:
        raise SpecError(f"priority: {priority} is not between -100 and 100")
    name = None if name is None else named(name)
    may_look = is_installed()
    if on_shared_storage:
        found, remarks = prepare(
            spec, base=base, hash_file=hash_file, watch=looking, may_look=may_look
        )
    else:
        tracer = Tracer(hash_file, remark)
        for role in spec.recipe.roles:
            if role.kind in TRACED:
                patterns = spec.assets.get(role.name, ())
                tracer.prepare(discover(patterns, role.kind, base=base, field=role.name))
        found, remarks = prepare(
            spec,
            base=base,
            hash_file=hash_file,
            dependencies=tracer,
            watch=looking,
            may_look=may_look,
        )
    for sentence in remarks:
        remark(sentence)
    assets, files = found.assets, dict[str, Path]()
    if not on_shared_storage:
        files, assets = _files(assets), _in_library(assets)
    # The same request from two laptops is one job: it must not say where their files lie.
    spec = found.spec.model_copy(
        update={
            "assets": {
                role: tuple(asset.name for asset in of_role(assets, role)) for role in spec.assets
            },
            "output": JobSpec.model_fields["output"].default,
        }
    )
    return PreparedJob(
        job=make_job(spec, assets),
        submission=Submission(spec=spec, assets=assets, priority=priority, name=name, trace=trace),
        files=files,
    )


def named(name: str) -> str:
    """Return the name that a job is to have.

    Raises:
        SpecError: No job can be called so.
    """
    try:
        return check_job_name(name)
    except ValueError as error:
        raise SpecError(f"name: {error}") from None


def _files(assets: tuple[Asset, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for asset in assets:
        own, *others = files_of(asset)
        path = Path(asset.path)
        found[own.sha256] = path
        for file in others:
            found.setdefault(file.sha256, path.parent / file.path)
    return found


def _in_library(assets: tuple[Asset, ...]) -> tuple[Asset, ...]:
    return tuple(
        asset.model_copy(update={"path": asset.name, "in_library": True}) for asset in assets
    )


def estimate(order: PreparedJob, workers: tuple[WorkerInfo, ...]) -> tuple[Estimate, float | None]:
    """Return how big a job is and, if the workers have rendered before, its seconds on them."""
    plan = make_estimate(order.job, devices=["cpu"])
    return plan, seconds_on(workers, order.job, views=plan.views)


def read_spec(spec: JobSpec | Mapping[str, Any] | str | Path) -> tuple[JobSpec, Path]:
    """Return a spec, and the folder that its relative paths start from.

    Raises:
        SpecError: It is not a spec, or its file cannot be read.
    """
    if isinstance(spec, JobSpec):
        return spec, Path.cwd()
    if isinstance(spec, Mapping):
        return parse_spec(dict(spec)), Path.cwd()
    data, base = read_spec_file(Path(spec))
    return parse_spec(data), base
