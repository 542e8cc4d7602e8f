"""From arguments to a spec: a YAML file, flags, or flags over a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farm.errors import SpecError
from farm.library import home_expanded
from farm.local.prepare import read_spec_file
from farm.spec.asset import KINDS
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec
from farm.spec.quote import quoted
from farm.spec.recipes import DEFAULT_RECIPE, AssetRole, all_roles, roles_of

SPEC_SUFFIXES = (".yaml", ".yml", ".json")


def read_request(paths: list[str], flags: dict[str, Any]) -> tuple[JobSpec, Path]:
    """Return the spec, and the folder that its relative paths start from.

    Args:
        paths: A spec file, and asset files as an unquoted glob leaves them behind a flag.
        flags: Dotted field -> value; None was not given. Paths in flags start from here.

    Raises:
        SpecError: What was asked for is not a spec.
    """
    specs = [path for path in paths if Path(path).suffix.lower() in SPEC_SUFFIXES]
    if len(specs) > 1:
        raise SpecError(f"one spec at a time, not {' and '.join(specs)}")
    data, base = read_spec_file(Path(specs[0])) if specs else ({}, Path.cwd())
    flags = dict(flags)
    roles = roles_of(_recipe_of(flags, data))
    for path in paths:
        if path not in specs:
            _add_asset(flags, path, roles)
    for name in all_roles():
        flags[name] = [_from_here(value) for value in flags.get(name) or []] or None
    if flags.get("output"):
        flags["output"] = _from_here(flags["output"])
    for field, value in flags.items():
        if value is not None:
            _put(data, field, value)
    return parse_spec(data), base


def _from_here(path: str) -> str:
    """Return a path of the command line, where the shell may have left a `~`, as a whole one."""
    return str(Path.cwd() / home_expanded(path))


def _recipe_of(flags: dict[str, Any], data: dict[str, Any]) -> str:
    """Return the recipe that is asked for."""
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
    for group in groups:
        inner = data.get(group)
        if inner is not None and not isinstance(inner, dict):
            raise SpecError(f"{group}: {quoted(inner)} is not a group of fields")
        data[group] = data = dict(inner or {})
    data[name] = value
