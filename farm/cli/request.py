"""From arguments to a spec: a YAML file, flags, or flags over a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farm.errors import SpecError
from farm.spec.asset import HDR_SUFFIXES, MODEL_SUFFIXES
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec, parse_yaml

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
    data, base = _read_file(Path(specs[0])) if specs else ({}, Path.cwd())
    flags = dict(flags)
    for path in paths:
        if path not in specs:
            _add_asset(flags, path)
    for key in ("models", "hdrs"):
        flags[key] = [str(Path.cwd() / value) for value in flags.get(key) or []] or None
    if flags.get("output"):
        flags["output"] = str(Path.cwd() / flags["output"])
    for field, value in flags.items():
        if value is not None:
            _put(data, field, value)
    return parse_spec(data), base


def _read_file(path: Path) -> tuple[dict[str, Any], Path]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not a text file"
        raise SpecError(f"{path}: cannot be read: {reason}") from None
    data = parse_yaml(text, name=str(path))
    if not isinstance(data, dict):
        raise SpecError(f"{path}: a spec is a mapping such as `farm spec` prints")
    return data, path.resolve().parent


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
            raise SpecError(f"{group}: {inner!r} is not a group of fields")
        data[group] = data = dict(inner or {})
    data[name] = value
