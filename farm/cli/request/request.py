"""From arguments to a spec: a YAML file, flags, or flags over a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from farm.cli.request.recipe_flags import SPEC_SUFFIXES, split_lists
from farm.errors import SpecError
from farm.library import home_expanded
from farm.local.plan.prepare import read_spec_file
from farm.spec.asset import KINDS
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec
from farm.spec.quote import quoted
from farm.spec.recipes import (
    DEFAULT_RECIPE,
    RECIPES,
    AssetRole,
    all_roles,
    file_flags_of,
    roles_of,
)
from farm.spec.yaml_text import parse_yaml


def read_request(
    paths: list[str], flags: dict[str, Any], assignments: Sequence[str] = ()
) -> tuple[JobSpec, Path]:
    """Return the spec, and the folder that its relative paths start from.

    Args:
        paths: A spec file, and asset files that an unquoted glob leaves after a flag.
        flags: Dotted field -> value; None was not given. Paths in flags start from here.
        assignments: `FIELD=VALUE`, which override all others; values are written as in YAML.

    Raises:
        SpecError: The arguments do not make a spec.
    """
    specs = [path for path in paths if Path(path).suffix.lower() in SPEC_SUFFIXES]
    if len(specs) > 1:
        raise SpecError(f"give one spec at a time, not {' and '.join(specs)}")
    data, base = read_spec_file(Path(specs[0])) if specs else ({}, Path.cwd())
    given = _fields_of(
        flags, [path for path in paths if path not in specs], _recipe_of(flags, data)
    )
    for field, value in given.items():
        if value is not None:
            _put(data, field, value)
    for assignment in assignments:
        _assign(data, assignment)
    return parse_spec(data), base


def _fields_of(flags: dict[str, Any], assets: list[str], recipe: str) -> dict[str, Any]:
    """Return the spec's fields that flags set, and asset files that no flag names."""
    fields = split_lists(RECIPES[recipe], flags) if recipe in RECIPES else dict(flags)
    for path in assets:
        _add_asset(fields, path, roles_of(recipe))
    for name in all_roles():
        fields[name] = [_from_here(value) for value in fields.get(name) or []] or None
    for name, suffixes in file_flags_of(recipe).items():
        value = fields.get(f"recipe.{name}")
        if isinstance(value, str) and Path(value).suffix.lower() in suffixes:
            fields[f"recipe.{name}"] = _from_here(value)
    if fields.get("output"):
        fields["output"] = _from_here(fields["output"])
    return fields


def _assign(data: dict[str, Any], assignment: str) -> None:
    """Put the values of `--set FIELD=VALUE` into a spec."""
    field, equals, text = assignment.partition("=")
    if not (field and equals):
        raise SpecError(f"--set {assignment}: write it as FIELD=VALUE, such as recipe.yaw=24")
    _put(data, field, parse_yaml(text, name=f"--set {assignment}"))


def _from_here(path: str) -> str:
    """Return a path of the command line with any `~` that the shell left expanded."""
    return str(Path.cwd() / home_expanded(path))


def _recipe_of(flags: dict[str, Any], data: dict[str, Any]) -> str:
    """Return the requested recipe."""
    recipe = data.get("recipe")
    said = flags.get("recipe.kind") or (recipe.get("kind") if isinstance(recipe, dict) else None)
    return said if isinstance(said, str) else DEFAULT_RECIPE


def _add_asset(flags: dict[str, Any], path: str, roles: tuple[AssetRole, ...]) -> None:
    suffix = Path(path).suffix.lower()
    for role in roles:
        if suffix in KINDS[role.kind].suffixes:
            flags[role.name] = [*(flags.get(role.name) or []), path]
            return
    phrases = " nor ".join(["a spec (.yaml)", *(KINDS[role.kind].phrase for role in roles)])
    raise SpecError(f"{path} is neither {phrases}")


def _put(data: dict[str, Any], field: str, value: Any) -> None:
    *groups, name = field.split(".")
    for depth, group in enumerate(groups):
        inner = data.get(group)
        if depth and isinstance(inner, str):  # `--camera orbit --set recipe.camera.speed=2`
            inner = {"kind": inner}
        if inner is not None and not isinstance(inner, dict):
            raise SpecError(f"{group}: {quoted(inner)} is not a group of fields")
        data[group] = data = dict(inner or {})
    data[name] = value
