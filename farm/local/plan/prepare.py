"""From a spec to a job: its files found, hashed and named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from farm import expand, library
from farm.errors import AssetError, SpecError
from farm.library.dependencies.imports import modules_beside
from farm.library.formats import check_file, environment_fault, read_head
from farm.library.survey import Watch, survey
from farm.local.plan.kept_ids import with_kept_ids
from farm.local.receipt import Draft
from farm.spec.asset import Asset, AssetFile, AssetKind
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.recipes import AssetRole
from farm.spec.trajectory import MOST_BYTES
from farm.spec.yaml_text import parse_yaml

HEADERS: tuple[AssetKind, ...] = ("hdr", "image")
"""Kinds whose headers tell whether they can be used at all."""
NAMED = 10
"""Most unusable files that are named."""


def prepare(  # noqa: PLR0913 - each stands for itself
    spec: JobSpec,
    *,
    base: Path,
    hash_file: Callable[[Path], str] = library.hash_file,
    dependencies: Callable[[Path], tuple[AssetFile, ...]] = lambda _path: (),
    watch: Watch = lambda _done, _total, _name: None,
    may_look: bool = True,
    continues: Path | None = None,
    draft: Draft | None = None,
) -> tuple[Job, list[str]]:
    """Find, hash and name the assets of `spec`; return the job and remarks for the user.

    Args:
        spec: The request.
        base: The folder that relative paths start from.
        hash_file: Returns the SHA-256 of a file.
        dependencies: Returns the other files that a model needs.
        watch: Follows how scenes are looked into, which takes seconds each.
        may_look: Scenes are looked into here; else whatever hangs on that is left to a server.
        continues: The folder of datasets that an earlier version may have begun.
        draft: Takes note of what is read.

    Raises:
        SpecError: A pattern matches no file, there are too many for the recipe, a header says that
            its file is not an environment, a file of the recipe's own cannot be read, two datasets
            would have the same name, or scenes cannot be looked into here.
    """
    draft = draft or Draft()
    spec = with_files(spec, base=base, draft=draft)
    remarks: list[str] = []
    found: list[Asset] = []
    for role in spec.recipe.roles:
        patterns = spec.assets.get(role.name, ())
        files = find_files(role, patterns, base=base, draft=draft, note=remarks.append)
        beside = partial(modules_beside, hash_file=hash_file)
        assets, notes = library.describe(
            files,
            role.kind,
            role=role.name,
            hash_file=hash_file,
            dependencies=beside if role.kind == "script" else dependencies,
            tell_ids=spec.recipe.names_show_assets,
        )
        if role.kind == "scene" and spec.recipe.needs_facts and may_look:
            assets = survey(assets, fps=spec.recipe.scene_fps, watch=watch)
        found.extend(assets)
        remarks.extend(notes)
    if continues is not None:
        found = [*with_kept_ids(found, continues)]
    job = make_job(spec, expand.tell_apart(spec.recipe.kind, tuple(found)))
    if spec.recipe.needs_facts and not may_look:
        return job, remarks
    if mistakes := list(expand.mistakes(job)):
        raise SpecError("\n".join(mistakes))
    remarks.extend(expand.remarks(job))
    for _dataset in expand.datasets(job):  # raises where two would share their file names
        pass
    return job, remarks


def find_files(
    role: AssetRole,
    patterns: Iterable[str],
    *,
    base: Path,
    draft: Draft,
    note: Callable[[str], None],
) -> list[Path]:
    """Return the files that patterns mean for a role, all of which may be of use.

    Raises:
        SpecError: A pattern matches no file, or the header of one says that it is unfit.
    """
    patterns = tuple(patterns)
    for folder, pattern in library.places_of(patterns, base=base):
        draft.looks_for((str(folder), pattern))
    files = library.discover(patterns, role.kind, base=base, field=role.name, note=note)
    for file in files:
        draft.reads(file)
        draft.reads(file.with_name(f"{file.name}.json"))  # who made it
    if role.kind in HEADERS:
        refuse_unfit(files, field=role.name, kind=role.kind)
    return files


def with_files(spec: JobSpec, *, base: Path, draft: Draft) -> JobSpec:
    """Return a spec with what is in the files that its recipe names, instead of their names.

    Raises:
        SpecError: A file cannot be read, or does not hold what it is named for.
    """

    def read(name: str) -> str:
        path = base / library.home_expanded(name)
        draft.reads(path)
        return text_of(path)

    recipe = spec.recipe.with_files(read)
    return spec.model_copy(update={"recipe": recipe})


def text_of(path: Path) -> str:
    """Return the text of a file that a spec names.

    Raises:
        SpecError: It cannot be read, or is too large to be meant.
    """
    try:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            raise SpecError(f"{path}: has more than {MOST_BYTES // 1_000_000} MB: leave some out")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # of names with a zero byte, too
        reason = getattr(error, "strerror", None) or "is not a text file"
        raise SpecError(f"{path}: cannot be read: {reason}") from None


def refuse_unfit(files: Sequence[Path], *, field: str, kind: AssetKind = "hdr") -> None:
    """Refuse environments and pictures that are unusable according to their headers.

    Raises:
        SpecError: Some are unusable; the error names them.
    """
    faults = [f"{path}: {fault}" for path in files if (fault := header_fault(path, kind))]
    if len(faults) > NAMED:
        faults = [*faults[:NAMED], f"{field}: {len(faults) - NAMED} more cannot be used either"]
    if faults:
        raise SpecError("\n".join(faults))


def header_fault(path: Path, kind: AssetKind) -> str | None:
    """Return what a file's header shows to be wrong; the worker reports unreadable environments."""
    try:
        if kind == "hdr":
            return environment_fault(read_head(path))
        check_file(path, kind)
    except AssetError as error:
        return None if kind == "hdr" else error.reason
    return None


def read_spec_file(path: Path) -> tuple[dict[str, Any], Path]:
    """Return the fields that a spec's file gives, and the folder that its paths start from.

    Raises:
        SpecError: It cannot be read, or is not a spec.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not a text file"
        raise SpecError(f"{path}: cannot be read: {reason}") from None
    data = parse_yaml(text, name=str(path))
    if not isinstance(data, dict):
        raise SpecError(f"{path}: is not a spec: it must be a mapping, such as `farm spec` prints")
    return data, path.resolve().parent


def output_folder(spec: JobSpec, *, base: Path) -> Path:
    """Return the folder that the datasets go to."""
    return (base / library.home_expanded(spec.output)).resolve()
