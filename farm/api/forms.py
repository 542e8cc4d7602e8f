"""What a page needs to ask for a job: the recipes with their fields, and names for files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from pydantic import Field, JsonValue

from farm.library.ids import assign_ids
from farm.spec.asset import KINDS, Asset, AssetKind
from farm.spec.base import Spec
from farm.spec.passes import OF_SEQUENCES, VIEW_PASSES
from farm.spec.recipes import RECIPES, all_roles, classes_of
from farm.spec.render import RenderSettings
from farm.spec.wire import SHA256_PATTERN, Whole


class RoleForm(Spec):
    """What a recipe takes files for."""

    name: str
    word: str
    kind: AssetKind
    at_least: int
    at_most: int | None
    suffixes: tuple[str, ...]


class RecipeForm(Spec):
    """A recipe, and the JSON schema of each of its modes."""

    name: str
    summary: str
    roles: tuple[RoleForm, ...]
    modes: tuple[dict[str, JsonValue], ...]
    passes: tuple[str, ...]
    runs_code: bool
    needs_facts: bool
    """Its files must be looked into before tasks are made of them."""


class Forms(Spec):
    """All that a job may ask for."""

    recipes: tuple[RecipeForm, ...]
    render: dict[str, JsonValue]
    """JSON schema of the render settings."""


class NamedFile(Spec):
    """A file that is to be an asset."""

    role: str = Field(max_length=100)
    name: str = Field(min_length=1, max_length=255)
    """Its file name, without a folder."""
    sha256: str = Field(pattern=SHA256_PATTERN)
    size_bytes: Whole


class NamedFiles(Spec):
    """Files that are to be the assets of one job."""

    files: tuple[NamedFile, ...] = Field(max_length=10_000)


def forms() -> Forms:
    """Return what may be asked for."""
    return Forms(
        recipes=tuple(form_of(name) for name in sorted(RECIPES)),
        render=schema_of(RenderSettings),
    )


def form_of(name: str) -> RecipeForm:
    """Return the form of a recipe."""
    classes = classes_of(name)
    first = classes[0]
    return RecipeForm(
        name=name,
        summary=(first.__doc__ or name).strip().splitlines()[0],
        roles=tuple(
            RoleForm(
                name=role.name,
                word=role.word,
                kind=role.kind,
                at_least=role.at_least,
                at_most=role.at_most,
                suffixes=KINDS[role.kind].suffixes,
            )
            for role in first.roles
        ),
        modes=tuple(schema_of(cls) for cls in classes),
        passes=VIEW_PASSES + (tuple(sorted(OF_SEQUENCES)) if first.has_neighbours else ()),
        runs_code=first.runs_code,
        needs_facts=first.needs_facts,
    )


def schema_of(cls: type[Spec]) -> dict[str, Any]:
    """Return the JSON schema of what a person may write."""
    return cls.model_json_schema()


def named(files: Sequence[NamedFile]) -> tuple[Asset, ...]:
    """Return files as assets of the library, each with a short name of its own within its kind."""
    roles = all_roles()
    ids: dict[tuple[str, str], str] = {}
    for kind in {roles[file.role].kind for file in files if file.role in roles}:
        stems = [
            (PurePath(file.name).stem, file.sha256)
            for file in files
            if file.role in roles and roles[file.role].kind == kind
        ]
        ids |= {(kind, sha256): found for sha256, found in assign_ids(stems).items()}
    return tuple(
        Asset(
            kind=roles[file.role].kind,
            role=file.role,
            id=ids[roles[file.role].kind, file.sha256],
            name=PurePath(file.name.replace("\\", "/")).name,
            path=PurePath(file.name.replace("\\", "/")).name,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            in_library=True,
        )
        for file in files
        if file.role in roles
    )
