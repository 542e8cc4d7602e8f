"""What a page needs to ask for a job: the recipes with their fields, and names for files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from pydantic import Field, JsonValue

from farm import expand
from farm.api.asking.picked import read_suffixes
from farm.library.ids import assign_ids
from farm.library.survey import is_installed
from farm.spec.asset import KINDS, Asset, AssetFile, AssetKind, Credit
from farm.spec.base import Spec
from farm.spec.passes import LAYERS, OF_SEQUENCES, VIEW_PASSES
from farm.spec.recipes import RECIPES, all_roles, classes_of, file_flags_of
from farm.spec.render import RenderSettings
from farm.spec.role import allows
from farm.spec.wire import SHA256_PATTERN, TokenInfo, Whole


class RoleForm(Spec):
    """What a recipe takes files for."""

    name: str
    word: str
    kind: AssetKind
    at_least: int
    at_most: int | None
    suffixes: tuple[str, ...]
    read: tuple[str, ...]
    """What those files end in that are looked into, to know what assets need beside them."""


class RecipeForm(Spec):
    """A recipe, and the JSON schema of each of its modes."""

    name: str
    summary: str
    roles: tuple[RoleForm, ...]
    modes: tuple[dict[str, JsonValue], ...]
    passes: tuple[str, ...]
    file_fields: dict[str, tuple[str, ...]]
    """Fields that may name a file which is not an asset, and what such files end in."""
    runs_code: bool
    needs_facts: bool
    """Its files must be looked into before tasks are made of them."""
    why_not: str | None = None
    """Why whoever asks cannot submit such a job here; None: they can."""


class Forms(Spec):
    """All that a job may ask for."""

    recipes: tuple[RecipeForm, ...]
    render: dict[str, JsonValue]
    """JSON schema of the render settings."""


class NeededFile(Spec):
    """A file that an asset needs beside its own."""

    path: str = Field(min_length=1, max_length=1024)
    """Relative to the folder of the asset's own file."""
    sha256: str = Field(pattern=SHA256_PATTERN)
    size_bytes: Whole


class NamedFile(Spec):
    """A file that is to be an asset."""

    role: str = Field(max_length=100)
    name: str = Field(min_length=1, max_length=255)
    """Its file name, without a folder."""
    sha256: str = Field(pattern=SHA256_PATTERN)
    size_bytes: Whole
    needs: tuple[NeededFile, ...] = Field(default=(), max_length=10_000)
    credit: Credit = Credit()


class NamedFiles(Spec):
    """Files that are to be the assets of one job."""

    files: tuple[NamedFile, ...] = Field(max_length=10_000)
    recipe: str = Field(default="", max_length=100)
    """Of the job: some have a word for several roles."""


def forms(caller: TokenInfo) -> Forms:
    """Return what may be asked for, and what of it the caller cannot have here."""
    looks = is_installed()
    made = [form_of(name) for name in sorted(RECIPES)]
    return Forms(
        recipes=tuple(
            form.model_copy(update={"why_not": why_not(form, caller, looks=looks)}) for form in made
        ),
        render=schema_of(RenderSettings),
    )


def why_not(form: RecipeForm, caller: TokenInfo, *, looks: bool) -> str | None:
    """Say why somebody cannot submit a job of a recipe from a page; None where they can."""
    if form.runs_code and not allows(caller.role, "script"):
        return (
            f"brings code of its own, which needs a token with the role script, not {caller.role}"
        )
    if form.needs_facts and not looks:
        return (
            "its scenes must be looked into by Blender, which this server does not have: use "
            "farm submit on a machine that has it"
        )
    return None


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
                read=read_suffixes(role),
            )
            for role in first.roles
        ),
        modes=tuple(schema_of(cls) for cls in classes),
        passes=VIEW_PASSES + LAYERS + (tuple(sorted(OF_SEQUENCES)) if first.has_neighbours else ()),
        file_fields=file_flags_of(name),
        runs_code=first.runs_code,
        needs_facts=first.needs_facts,
    )


def schema_of(cls: type[Spec]) -> dict[str, Any]:
    """Return the JSON schema of what a person may write."""
    return cls.model_json_schema()


def named(files: Sequence[NamedFile], recipe: str = "") -> tuple[Asset, ...]:
    """Return files as assets of the library, each once, with a short name of its own."""
    known: dict[tuple[str, str], Asset] = {}
    for file in files:
        if file.role in all_roles():
            asset = unnamed(file)
            known.setdefault((file.role, asset.content), asset)
    named_ones: list[Asset] = []
    for role in dict.fromkeys(role for role, _ in known):
        assets = [asset for (of, _), asset in known.items() if of == role]
        ids = assign_ids([(PurePath(asset.name).stem, asset.content) for asset in assets])
        named_ones += [asset.model_copy(update={"id": ids[asset.content]}) for asset in assets]
    return expand.tell_apart(recipe, tuple(named_ones)) if recipe in RECIPES else tuple(named_ones)


def unnamed(file: NamedFile) -> Asset:
    """Return a file as an asset without a short name."""
    name = PurePath(file.name.replace("\\", "/")).name
    return Asset(
        kind=all_roles()[file.role].kind,
        role=file.role,
        id="",
        name=name,
        path=name,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        credit=file.credit,
        dependencies=tuple(AssetFile(**each.model_dump()) for each in file.needs),
        in_library=True,
    )
