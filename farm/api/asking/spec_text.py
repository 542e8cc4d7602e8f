"""What somebody wrote or filled in, as a spec: read, put in order, and told as a command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml
from pydantic import Field, JsonValue

from farm.errors import SpecError
from farm.spec.base import Spec
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec
from farm.spec.recipes import DEFAULT_RECIPE, all_roles, roles_of
from farm.spec.yaml_text import parse_yaml

Written = dict[str, Any]
"""A spec as YAML has it, not looked into yet."""

YAML = (".yaml", ".yml", ".json")
FIELD = re.compile(r"[a-z0-9_]{1,60}(\.[a-z0-9_]{1,60}){0,3}", re.IGNORECASE)
PLACE = re.compile(r"([a-z0-9_]+(?:\.[^\s:.]+)*): ", re.IGNORECASE)
"""How a sentence begins that is about a field."""
GROUPS = ("recipe", "render")
NOT_PLAIN = "holds a value that a spec cannot have, such as a date or half a character"
MOST_YAML_CHARS = 1 << 20
"""YAML is read slowly: more of it would keep others waiting."""
PLAIN = re.compile(r"[0-9A-Za-z_.][0-9A-Za-z_. -]*")
"""Text that YAML reads as itself or as a number, and that needs no quotes to be read."""


class Filled(Spec):
    """What somebody wrote in a file, filled into a form, or both: `POST /v1/specs/read`."""

    text: str = Field(default="", max_length=MOST_YAML_CHARS)
    """A spec, as YAML or JSON; what is filled in goes over it."""
    fields: dict[str, str] = Field(default_factory=dict, max_length=1000)
    """Dotted field -> its value, written as in YAML: `recipe.yaw` -> `12`."""
    assets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Role -> paths of files, as they were picked."""
    files: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Name -> text of a file that a field names, such as `words.yaml`."""
    name: str | None = Field(default=None, max_length=200)
    """Of the job."""
    priority: int = Field(default=0, ge=-100, le=100)


class Fault(Spec):
    """Something that is wrong."""

    field: str
    """Which field it is about, dotted; "" where that is not one."""
    sentence: str


class ReadSpec(Spec):
    """What it means."""

    spec: dict[str, JsonValue] | None = None
    """As a submission has it; None where something is wrong."""
    faults: tuple[Fault, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict)
    """What the text says of each field, written as in YAML."""
    assets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Which files the text names, by role."""
    yaml: str = ""
    """The same as a file for `farm render` and `farm submit`."""
    command: str = ""
    """The same as a command."""


def read_filled(filled: Filled) -> ReadSpec:
    """Return what somebody's words mean, or what is wrong with them."""
    try:
        data = written(filled)
    except SpecError as error:
        return ReadSpec(faults=tuple(faults_in(str(error))))
    told = {
        "fields": dict(flat(data)),
        "assets": {role: listed(data[role]) for role in all_roles() if role in data},
        "yaml": yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None),
        "command": command(data, filled),
    }
    try:
        spec = whole(data, filled.files)
    except SpecError as error:
        return ReadSpec(faults=tuple(faults_in(str(error))), **told)
    return ReadSpec(spec=spec.model_dump(mode="json"), **told)


def written(filled: Filled) -> Written:
    """Return what somebody wrote, with what they filled in over it.

    Raises:
        SpecError: Some of it is not YAML, or not a spec.
    """
    data = parse_yaml(filled.text, name="the file") if filled.text.strip() else {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise SpecError("the file: is not a spec: it must be a mapping, such as `farm spec` prints")
    for field, text in filled.fields.items():
        if not FIELD.fullmatch(field):
            raise SpecError(f"{field[:60]!r} is not a field")
        put(data, field, parse_yaml(text, name=field))
    for role, paths in filled.assets.items():
        data[role] = list(paths)
    if not is_plain(data):
        raise SpecError(f"the file: {NOT_PLAIN}")
    return data


def is_plain(data: Any) -> bool:
    """Say whether data can be sent as JSON: no dates, no half characters, no endless numbers."""
    try:
        json.dumps(data, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def put(data: Written, field: str, value: Any) -> None:
    """Put the value of a dotted field into what is written."""
    *groups, name = field.split(".")
    for group in groups:
        inner = data.get(group)
        data[group] = dict(inner) if isinstance(inner, dict) else {}
        data = data[group]
    data[name] = value


def whole(data: Written, files: Mapping[str, str]) -> JobSpec:
    """Return the spec of what is written, with what is in the files that it names.

    Raises:
        SpecError: Something is wrong, one line per mistake.
    """
    named = {
        role: tuple(PurePosixPath(path.replace("\\", "/")).name for path in listed(data[role]))
        for role in all_roles()
        if role in data
    }
    spec = parse_spec({**data, **named})

    def text_of(name: str) -> str:
        if name not in files:
            raise SpecError(f"{name}: this file was not picked, and the spec names it")
        if name.lower().endswith(YAML) and len(files[name]) > MOST_YAML_CHARS:
            raise SpecError(f"{name}: is too long for a form: use farm submit")
        return files[name]

    recipe = spec.recipe.with_files(text_of)
    if not is_plain(recipe.model_dump(mode="json")):
        raise SpecError(f"{', '.join(files)}: {NOT_PLAIN}")
    output = JobSpec.model_fields["output"].default  # where it goes is the farm's own business
    return spec.model_copy(update={"recipe": recipe, "output": output})


def listed(value: Any) -> tuple[str, ...]:
    """Return what a role's field says as a list of paths."""
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(each for each in given if isinstance(each, str))


def faults_in(text: str) -> Iterator[Fault]:
    """Yield the sentences of an error, each with the field that it is about."""
    for line in text.splitlines():
        place = PLACE.match(line)
        yield Fault(field=place[1] if place else "", sentence=line)


def flat(data: Written) -> Iterator[tuple[str, str]]:
    """Yield the fields that are written, dotted, and their values as YAML has them."""
    for name, value in data.items():
        if name in all_roles():
            continue
        if name in GROUPS and isinstance(value, dict):
            yield from ((f"{name}.{inner}", in_yaml(each)) for inner, each in value.items())
        else:
            yield name, in_yaml(value)


def in_yaml(value: Any) -> str:
    """Return a value as it is written in YAML, on one line."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and parse_yaml(value, name="") == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def order_of(data: Written) -> list[str]:
    """Return the roles that are written, those of the recipe first and as it lists them."""
    recipe = data.get("recipe")
    kind = recipe.get("kind", DEFAULT_RECIPE) if isinstance(recipe, dict) else DEFAULT_RECIPE
    own = [role.name for role in roles_of(kind)] if isinstance(kind, str) else []
    return [role for role in dict.fromkeys([*own, *all_roles()]) if role in data]


def command(data: Written, filled: Filled) -> str:
    """Return the command that submits what is written."""
    words = ["farm", "submit"]
    recipe = data.get("recipe")
    kind = recipe.get("kind") if isinstance(recipe, dict) else None
    if isinstance(kind, str) and kind != DEFAULT_RECIPE:
        words += ["--recipe", kind]
    for role in order_of(data):
        for path in listed(data[role]):
            words += [f"--{role.replace('_', '-')}", path]
    for field, text in flat(data):
        if field != "recipe.kind":
            words += ["--set", f"{field}={text}"]
    if filled.name and filled.name.strip():
        words += ["--name", filled.name.strip()]
    if filled.priority:
        words += ["--priority", str(filled.priority)]
    return shlex.join(words)
