"""Whose jobs, datasets and uploads are: who may see them, and who may change them."""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi import Request

from farm.api.problems import ApiProblem, not_found
from farm.api.services import Caller, FarmServices, Services
from farm.ledger import JobStatus
from farm.spec.role import allows
from farm.spec.wire import TokenInfo

LOOKING = ("GET", "HEAD")
COPYING = re.compile(r"(/v1)?/datasets/[^/]+/exports(/.*)?")
"""Who asks for a copy of a dataset in another format changes nothing of its job."""


def may_see(services: Services, caller: TokenInfo, owner: str) -> bool:
    """Say whether somebody may see what is `owner`'s; what is nobody's is seen by all."""
    return services.settings.shared or owner in ("", caller.name) or is_admin(caller)


def sees(services: Services, caller: TokenInfo) -> Callable[[str], bool]:
    """Return what says whether somebody may see what is an owner's."""
    return lambda owner: may_see(services, caller, owner)


def may_change(caller: TokenInfo, owner: str) -> bool:
    """Say whether somebody may change what is `owner`'s; what is nobody's is the admins'."""
    return owner == caller.name or is_admin(caller)


def is_admin(caller: TokenInfo) -> bool:
    """Say whether somebody runs this farm."""
    return allows(caller.role, "admin")


def owner_of(services: Services, job_id: str) -> str | None:
    """Return whose a job is; None where there is none."""
    owner = services.book.owner(job_id)
    status = None if owner else services.ledger.job(job_id)
    return status.owner if status else owner


def seen_jobs(services: Services, caller: TokenInfo) -> list[JobStatus]:
    """Return all jobs that somebody may see, in the order in which they are served."""
    return [job for job in services.ledger.jobs() if may_see(services, caller, job.owner)]


def guard(services: FarmServices, caller: Caller, request: Request) -> None:
    """Let a request pass if its job, where it names one, is the caller's to see or to change.

    One rule before all routes, so that no route can forget it.

    Raises:
        ApiProblem: It is not.
    """
    job_id = request.path_params.get("job_id") or request.query_params.get("job")
    looks = request.method in LOOKING or bool(COPYING.fullmatch(request.scope["path"]))
    if not job_id or is_admin(caller) or (looks and services.settings.shared):
        return
    owner = owner_of(services, job_id)
    if owner is None:
        return  # the route says that there is none
    if not may_see(services, caller, owner):
        raise not_found(f"job {job_id[:40]!r}", "list the jobs: farm jobs")
    if not looks and not may_change(caller, owner):
        raise foreign(job_id, owner)


def foreign(job_id: str, owner: str) -> ApiProblem:
    """Return the problem of somebody who would change a job of others."""
    if owner:
        detail = f"job {job_id} belongs to {owner!r}: only its owner and admins may change it"
        return ApiProblem(403, detail, f"ask {owner} or the farm's operator to do it")
    detail = f"job {job_id} is from before jobs had owners: only admins may change it"
    return ApiProblem(403, detail, "ask the farm's operator to do it")
