"""From a spec to a job: the files that it means, hashed and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from farm import expand, library
from farm.spec.asset import Asset, AssetFile, AssetKind
from farm.spec.job import Job, JobSpec, make_job


def prepare(
    spec: JobSpec,
    *,
    base: Path,
    hash_file: Callable[[Path], str] = library.hash_file,
    dependencies: Callable[[Path], tuple[AssetFile, ...]] = lambda _path: (),
) -> tuple[Job, list[str]]:
    """Find, hash and name the assets of `spec`; return the job and remarks for the user.

    Args:
        spec: What was asked for.
        base: The folder that relative paths start from.
        hash_file: Returns the SHA-256 of a file.
        dependencies: Returns the files that a model needs beside its own.

    Raises:
        SpecError: A pattern means no file, or two datasets would be one.
    """

    def described(patterns: tuple[str, ...], kind: AssetKind) -> tuple[Asset, ...]:
        files = library.discover(patterns, kind, base=base)
        assets, notes = library.describe(
            files, kind, hash_file=hash_file, dependencies=dependencies
        )
        remarks.extend(notes)
        return assets

    remarks: list[str] = []
    models, hdrs = described(spec.models, "model"), described(spec.hdrs, "hdr")
    job = make_job(spec, models=library.tell_pairs_apart(models, hdrs), hdrs=hdrs)
    for _dataset in expand.datasets(job):  # raises where two would share their file names
        pass
    return job, remarks


def output_folder(spec: JobSpec, *, base: Path) -> Path:
    """Return the folder that the datasets go to."""
    return (base / Path(spec.output).expanduser()).resolve()
