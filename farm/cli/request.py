"""From arguments to a spec: a YAML file, flags, or flags over a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farm.errors import SpecError
from farm.library import home_expanded
from farm.local.prepare import read_spec_file
from farm.spec.asset import HDR_SUFFIXES, MODEL_SUFFIXES
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec
from farm.spec.quote import quoted

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
    for path in paths:
        if path not in specs:
            _add_asset(flags, path)
    for key in ("models", "hdrs"):
        flags[key] = [_from_here(value) for value in flags.get(key) or []] or None
    if flags.get("output"):
        flags["output"] = _from_here(flags["output"])
    for field, value in flags.items():
        if value is not None:
            _put(data, field, value)
    return parse_spec(data), base


def _from_here(path: str) -> str:
    """Return a path of the command line, where the shell may have left a `~`, as a whole one."""
    return str(Path.cwd() / home_expanded(path))


def _add_asset(flags: dict[str, Any], path: str) -> None:
    suffix = Path(path).suffix.lower()
    for key, suffixes in (("models", MODEL_SUFFIXES), ("hdrs", HDR_SUFFIXES)):
        if suffix in suffixes:
            flags[key] = [*(flags.get(key) or []), path]
            return
    raise SpecError(f"{path} is neither a spec (.yaml), nor a model, nor an HDR environment")


def _put(data: dict[str, Any], field: str, value: Any) -> None:
    *groups, name = field.split(".")
    for group in groups:
        inner = data.get(group)
        if inner is not None and not isinstance(inner, dict):
            raise SpecError(f"{group}: {quoted(inner)} is not a group of fields")
        data[group] = data = dict(inner or {})
    data[name] = value
