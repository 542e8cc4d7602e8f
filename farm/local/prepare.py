"""From a spec to a job: the files that it means, hashed and named."""

from __future__ import annotations

from pathlib import Path

from farm import expand, library
from farm.spec.job import Job, JobSpec, make_job


def prepare(spec: JobSpec, *, base: Path) -> tuple[Job, list[str]]:
    """Find, hash and name the assets of `spec`; return the job and remarks for the user.

    Args:
        spec: What was asked for.
        base: The folder that relative paths start from.

    Raises:
        SpecError: A pattern means no file, or two datasets would be one.
    """
    files = library.discover(spec.models, "model", base=base)
    models, model_remarks = library.describe(files, "model")
    files = library.discover(spec.hdrs, "hdr", base=base)
    hdrs, hdr_remarks = library.describe(files, "hdr")
    job = make_job(spec, models=library.tell_pairs_apart(models, hdrs), hdrs=hdrs)
    for _dataset in expand.datasets(job):  # raises where two would share their file names
        pass
    return job, model_remarks + hdr_remarks


def output_folder(spec: JobSpec, *, base: Path) -> Path:
    """Return the folder that the datasets go to."""
    return (base / Path(spec.output).expanduser()).resolve()
