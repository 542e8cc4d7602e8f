"""What is rendered: all datasets, one of them with its exports, and two over each other."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from farm.api import jobs
from farm.api.access.owners import may_see, seen_jobs
from farm.api.browser.rendering import page
from farm.api.browser.visitor import Looking, Pressing
from farm.api.datasets import cards
from farm.api.datasets.exports import own_commands
from farm.api.problems import ApiProblem, not_found
from farm.api.routes.exports import begin
from farm.api.routes.parameters import Cursor, JobId
from farm.api.services import FarmServices, Services
from farm.dataset.export.base import ExportOptions
from farm.dataset.export.registry import (
    FORMATS,
    LANGUAGE_FORMATS,
    PICTURE_FORMATS,
    SCENE_FORMATS,
    SEQUENCE_FORMATS,
)
from farm.spec.base import first_reason
from farm.spec.wire import JOB_ID_PATTERN, DatasetsInfo

router = APIRouter(include_in_schema=False)

DATASETS_AT_ONCE = 24
GROUPS = (
    ("Pictures", PICTURE_FORMATS),
    ("Sentences", LANGUAGE_FORMATS),
    ("3D learning", SCENE_FORMATS),
    ("Sequences", SEQUENCE_FORMATS),
)


@router.get("/datasets")
def show_datasets(
    services: FarmServices,
    who: Looking,
    find: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = None,
) -> Response:
    """Show what is rendered, the newest first."""
    found = cards.list_datasets(
        services.shelf, services.book, seen_jobs(services, who.info), last_look(services),
        find=find, cursor=cursor, limit=DATASETS_AT_ONCE,
    )  # fmt: skip
    return page(
        "datasets",
        who=who,
        found=found,
        find=find,
        here_at=address(find=find, cursor=cursor),
        first=address(find=find) if cursor else None,
        after=address(find=find, cursor=found.next) if found.next else None,
    )


@router.get("/datasets/{job_id}")
def show_dataset(services: FarmServices, who: Looking, job_id: JobId) -> Response:
    """Show the datasets of a job, and what may be done with them."""
    status = jobs.find_status(services.ledger, job_id)
    services.shelf.refresh()
    facts = services.shelf.jobs.get(job_id)
    if facts is not None and facts.adds_to is not None:
        return RedirectResponse(f"/datasets/{facts.adds_to}", 303)
    card = cards.card(services.shelf, services.book, status, last_look(services))
    exports = services.exports.of(who.info.name, job_id)
    return page(
        "dataset",
        who=who,
        dataset=card,
        job=services.job_feed.info(status, whole=False),
        groups=[
            (title, [(name, FORMATS[name].summary) for name in names]) for title, names in GROUPS
        ],
        export=exports[0] if exports else None,
        commands=own_commands(job_id, card.name, "coco"),
    )


@router.post("/datasets/{job_id}/exports")
def ask_for_export(
    services: FarmServices, who: Looking, fields: Pressing, job_id: JobId
) -> Response:
    """Begin an export."""
    begin(services, who.info, job_id, options_in(fields))
    return RedirectResponse(f"/datasets/{job_id}#export", 303)


@router.post("/datasets/{job_id}/exports/{export_id}/remove")
def remove_export(
    services: FarmServices, who: Looking, _fields: Pressing, job_id: JobId, export_id: str
) -> Response:
    """Stop an export, or remove it."""
    services.exports.remove(who.info.name, job_id, export_id)
    return RedirectResponse(f"/datasets/{job_id}#export", 303)


def options_in(fields: dict[str, str]) -> ExportOptions:
    """Return what a form asks for.

    Raises:
        ApiProblem: It asks for what there is not.
    """
    said: dict[str, Any] = {"format": fields.get("format", "")}
    if fields.get("image_format"):
        said["image_format"] = fields["image_format"]
    try:
        return ExportOptions.model_validate(said)
    except ValidationError as error:
        raise ApiProblem(422, first_reason(error), "choose one of those that are offered") from None


def last_look(services: Services) -> DatasetsInfo | None:
    """Return what the last look at all datasets has shown, if there was one."""
    last = services.datasets_look.last
    return last[1] if last else None


def address(*, find: str, cursor: str | None = None) -> str:
    """Return the address of a part of the list."""
    words = {"find": find, "cursor": cursor}
    query = urlencode({name: value for name, value in words.items() if value})
    return f"/datasets?{query}" if query else "/datasets"


@router.get("/compare")
def compare(
    services: FarmServices,
    who: Looking,
    job: Annotated[str, Query(pattern=JOB_ID_PATTERN)],
    other: Annotated[str, Query(pattern=JOB_ID_PATTERN)],
) -> Response:
    """Show the views of two jobs over each other."""
    infos = []
    for job_id in (job, other):
        status = jobs.find_status(services.ledger, job_id)
        if not may_see(services, who.info, status.owner):
            raise not_found(f"job {job_id}", "list the jobs: farm jobs")
        infos.append(services.job_feed.info(status, whole=False))
    return page("compare", who=who, one=infos[0], other=infos[1])
