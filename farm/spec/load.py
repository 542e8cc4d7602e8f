"""Specs as people write them, and what is wrong with them in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from farm.errors import SpecError
from farm.spec.hint import hint
from farm.spec.job import JobSpec
from farm.spec.passes import PASS_NAMES, SEVERAL
from farm.spec.quote import LIMIT, quoted
from farm.spec.recipe_contract import classes_in
from farm.spec.recipes import (
    DEFAULT_RECIPE,
    RECIPES,
    all_roles,
    tags,
    unknown_recipe,
    without_tags,
)

SENTENCES = {
    "extra_forbidden": "is not a field; `farm spec` shows all of them{near}",
    "missing": "is needed",
    "union_tag_not_found": "lacks its {discriminator}",
    "less_than_equal": "{input} is more than {le}",
    "greater_than_equal": "{input} is less than {ge}",
    "less_than": "{input} is not less than {lt}",
    "greater_than": "{input} is not more than {gt}",
    "finite_number": "{input} is not a finite number",
    "too_long": "has {actual_length} entries; give {max_length} at most",
    "string_too_long": "has more than {max_length} characters",
    "literal_error": "{input} is not one of {expected}{near}",
    "enum": "{input} is not one of {expected}{near}",
    "union_tag_invalid": "'{tag}' is not one of {expected_tags}{near}",
    "tuple_type": "{input} is not a list",
    "too_short": "is empty; name at least one",
    "int_parsing": "{input} is not a whole number",
    "int_type": "{input} is not a whole number",
    "int_from_float": "{input} is not a whole number",
    "float_parsing": "{input} is not a number",
    "float_type": "{input} is not a number",
    "bool_parsing": "{input} is neither true nor false",
    "string_type": "{input} is not text",
    "string_unicode": "{input} is not valid Unicode text",
    "model_type": "{input} is not a group of fields",
    "model_attributes_type": "{input} is not a group of fields",
}  # fmt: skip
QUOTED = re.compile(r"'([^']*)'")


def parse_spec(data: Any) -> JobSpec:
    """Turn plain data into a spec.

    Raises:
        SpecError: One line per mistake, each with the path of its field.
    """
    if not isinstance(data, dict):
        raise SpecError("a spec is a mapping such as `farm spec` prints")
    try:
        return JobSpec.model_validate(data)
    except ValidationError as error:
        problems = [each for each in error.errors() if not _is_echo(each)]
        raise SpecError("\n".join(map(sentence, problems))) from None


def sentence(problem: Any, *, within: tuple[str, ...] = ()) -> str:
    """Say in words what pydantic found wrong; `within` is a path that goes without saying."""
    if problem["type"] == "sentences":  # each with the field that it is about
        return "\n".join(problem["ctx"]["found"])
    facts = {"input": quoted(problem["input"]), "said": problem["input"]} | problem.get("ctx", {})
    path = tuple(problem["loc"])
    in_spec = path[: len(within)] == within
    path = path[len(within) :] if in_spec else path
    place = [str(part) for part in path]
    if place[:1] == ["recipe"]:
        place = ["recipe", *without_tags(place[1:])]
    if place[:1] == ["assets"]:  # roles are fields of their own
        place = place[1:]
    if problem["type"] == "union_tag_invalid":
        place.append(facts["discriminator"].strip("'"))
        facts["tag"] = facts["tag"][:LIMIT]
    if place == ["recipe", "kind"] and isinstance(name := facts.get("tag", problem["input"]), str):
        return f"recipe.kind: {unknown_recipe(name)}"
    if problem["type"] == "extra_forbidden" and len(place) == 2 and place[0] == "recipe":
        return f"{'.'.join(place)}: is not a field; {help_of_recipe(path)}{near_field(path)}"
    if problem["type"] == "extra_forbidden":
        facts["near"] = near_field(path) if in_spec else ""
    else:
        facts["near"] = near_word(facts)
    template = SENTENCES.get(problem["type"])
    text = template.format(**facts) if template else problem["msg"].removeprefix("Value error, ")
    return f"{'.'.join(place) or 'spec'}: {text}"


def help_of_recipe(path: tuple[str | int, ...]) -> str:
    """Say what shows the fields of the recipe that a path below `recipe` leads through."""
    if path[1] in RECIPES and path[1] != DEFAULT_RECIPE:
        return f"`farm render --recipe {path[1]} --help` shows all of them"
    return "`farm spec` shows all of them"


def near_word(facts: Mapping[str, Any]) -> str:
    """Return which of the words that pydantic expected was probably meant, if any was."""
    expected = facts.get("expected", facts.get("expected_tags"))
    word = facts.get("tag", facts["said"])
    known = QUOTED.findall(str(expected))
    if set(PASS_NAMES) <= set(known):
        known += SEVERAL
    return hint(word, known) if expected and isinstance(word, str) else ""


def near_field(path: Sequence[str | int]) -> str:
    """Return which field of a spec that at `path` was probably meant to be, if any was."""
    *groups, name = path
    models: list[Any] = [JobSpec]
    for group in groups:
        models = below(models, group)
    fields = {field for model in models for field in model.model_fields} - {"assets"}
    return hint(str(name), [*fields, *([] if groups else all_roles())])


def below(models: Sequence[Any], step: str | int) -> list[Any]:
    """Return the models that a step of a path leads to: a field's, or those of a union's tag."""
    tagged = [model for model in models if str(step) in set(tags(model))]
    inner = [
        cls
        for model in models
        if step in model.model_fields
        for cls in classes_in(model.model_fields[str(step)].annotation)
        if isinstance(cls, type) and issubclass(cls, BaseModel)
    ]
    return inner or tagged or list(models)


def _is_echo(problem: Any) -> bool:
    """Tell whether a list is called empty only since what is in it is wrong."""
    return problem["type"] == "too_short" and bool(problem["input"])
