"""What a form asks before it submits: recipes, files, specs, plans, one picture."""

from __future__ import annotations

from fastapi import APIRouter

from farm.api.asking import forms, picked, plan, spec_text
from farm.api.asking.forms import Forms, NamedFiles
from farm.api.asking.picked import FoundAssets, PickedFiles
from farm.api.asking.plan import JobPlan
from farm.api.asking.spec_text import Filled, ReadSpec
from farm.api.services import Caller, FarmServices
from farm.spec.asset import Asset
from farm.spec.wire import JobInfo, Submission

router = APIRouter(prefix="/v1", tags=["asking"])


@router.get("/recipes", summary="List the recipes with their fields")
def list_recipes(caller: Caller) -> Forms:
    """What a job may ask for, as JSON schemas: forms are made of them."""
    return forms.forms(caller)


@router.post("/assets/needs", summary="Ask what picked files need beside them")
def needs(services: FarmServices, caller: Caller, files: PickedFiles) -> FoundAssets:
    """Which of them are assets, which of the others those need, and what is missing.

    Files that name others are uploaded first, and named with their hash.
    """
    return picked.find_assets(services, caller, files)


@router.post("/assets/named", summary="Name files that are to be assets")
def name_files(files: NamedFiles) -> tuple[Asset, ...]:
    """As a submission takes them, each with a short name of its own."""
    return forms.named(files.files, files.recipe)


@router.post("/specs/read", summary="Ask what a spec means")
def read_spec(filled: Filled) -> ReadSpec:
    """Of a file, of a form's fields, or of both: as a submission has it, as YAML, as a command."""
    return spec_text.read_filled(filled)


@router.post("/jobs/plan", summary="Ask how large a job would be")
def plan_job(services: FarmServices, caller: Caller, submission: Submission) -> JobPlan:
    """Views, tasks, bytes and time; everything is checked, nothing is kept."""
    return plan.plan(services, submission, caller)


@router.post("/jobs/sample", status_code=201, summary="Render one small view of a job first")
def sample_job(services: FarmServices, caller: Caller, submission: Submission) -> JobInfo:
    """A job of its own named `sample`, before all others."""
    return plan.sample(services, submission, caller)
