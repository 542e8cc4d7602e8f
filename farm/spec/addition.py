"""Passes that are added to the views of a job that is there."""

from __future__ import annotations

from pydantic import Field

from farm.spec.base import Spec
from farm.spec.job_name import JOB_ID_PATTERN
from farm.spec.passes import PassName


class AdditionPlan(Spec):
    """What makes a job one that adds passes to the views of another."""

    source: str = Field(pattern=JOB_ID_PATTERN)
    """The job that rendered the views."""
    passes: tuple[PassName, ...]
    """What they are to have."""
    any_blender: bool = False
    """Another version of Blender will do, as long as the proof holds."""
    tasks: int = Field(ge=1)
    """They are made of records once, and written down."""
    views: int = Field(ge=1)
    """Those that lack something."""
    datasets: tuple[str, ...]
    """Key prefixes of those that get something."""
