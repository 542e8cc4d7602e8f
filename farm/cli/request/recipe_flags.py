"""The flags of a recipe, made from the fields of its spec: `--recipe NAME` brings them in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand

from farm.errors import SpecError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from farm.spec.recipes import AssetRole, RecipeKind

ROLE, FIELD = "role__", "field__"
"""Prefix of the names of such parameters, so that they clash with no others."""
OWN_OF_SOD = frozenset(
    {"models", "hdrs", "augmented", "yaw", "pitch", "yaw_per_pitch", "hdr_switch", "fit",
     "file_lights", "front", "ground", "randomise", "relight", "relight_turns",
     "rig", "views", "elevations", "azimuths",
     "elevation_range", "distance", "fov", "orthographic", "stereo", "frame"}
)  # fmt: skip
"""Flags that are written by hand; they make way for those of another recipe."""
SPEC_SUFFIXES = (".yaml", ".yml", ".json")
PANEL = "What to render"
SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)\. (?=[A-Z])")

given: ContextVar[dict[str, Any]] = ContextVar("given", default={})  # noqa: B039 - never changed
"""Values of a recipe's flags in the command that runs, by field of the spec."""


class SpecCommand(TyperCommand):
    """A command that takes a spec, and the flags of the recipe that `--recipe` names."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> Any:
        recipe = recipe_in(args)
        if recipe is not None:
            self.params = params_of(recipe, self.params)
        return super().make_context(info_name, args, *more, **extra)

    def invoke(self, ctx: Any) -> Any:
        given.set(taken_from(ctx.params))  # typer hands its functions what they name, and no more
        return super().invoke(ctx)


def recipe_in(args: Sequence[str]) -> RecipeKind | None:
    """Return the recipe, other than the default, that a command's arguments or its spec name.

    Raises:
        SpecError: A flag names one that is not known here.
    """
    flag = recipe_flag(args)
    name = flag if flag is not None else recipe_of_file(args)
    if name is None:
        return None
    from farm.spec.recipes import DEFAULT_RECIPE, RECIPES, unknown_recipe

    if flag is not None and flag not in RECIPES:
        raise SpecError(f"--recipe: {unknown_recipe(flag)}")
    return None if name == DEFAULT_RECIPE else RECIPES.get(name)


def recipe_flag(args: Sequence[str]) -> str | None:
    """Return what the flag `--recipe` says."""
    name = None
    for place, arg in enumerate(args):
        if arg == "--recipe" and place + 1 < len(args):
            name = args[place + 1]
        elif arg.startswith("--recipe="):
            name = arg.partition("=")[2]
    return name


def recipe_of_file(args: Sequence[str]) -> str | None:
    """Return the recipe of the spec among the arguments; who reads it whole finds its faults."""
    file = next((Path(arg) for arg in args if arg.lower().endswith(SPEC_SUFFIXES)), None)
    if file is None or not file.is_file():
        return None
    from farm.local.plan.prepare import read_spec_file

    try:
        recipe = read_spec_file(file)[0].get("recipe")
    except SpecError:
        return None
    kind = recipe.get("kind") if isinstance(recipe, dict) else None
    return kind if isinstance(kind, str) else None


def params_of(recipe: RecipeKind, params: Sequence[Any]) -> list[Any]:
    """Return a command's parameters with a recipe's in place of `sod`'s."""
    kept = [param for param in params if param.name not in OWN_OF_SOD]
    taken = {option for param in kept for option in param.opts}
    made = [param for param in command_of(recipe).params if not taken & set(param.opts)]
    first = next((place for place, param in enumerate(kept) if param.name != "paths"), len(kept))
    return [*kept[:first], *made, *kept[first:]]


def command_of(recipe: RecipeKind) -> Any:
    """Return a command with a recipe's flags and nothing else."""

    def command(**_values: Any) -> None:
        pass

    parameters = [*map(role_parameter, recipe.roles), *field_parameters(recipe)]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # for typer
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    app = typer.Typer(add_completion=False)
    app.command(add_help_option=False)(command)
    return typer.main.get_command(app)


def role_parameter(role: AssetRole) -> inspect.Parameter:
    """Return the flag that names the assets of a role."""
    option = typer.Option(f"--{dashed(role.name)}", help=help_of_role(role))
    return parameter(f"{ROLE}{role.name}", list[str] | None, option)


def help_of_role(role: AssetRole) -> str:
    """Return what kind of files a role takes, and how many."""
    from farm.spec.asset import KINDS

    phrase = KINDS[role.kind].phrase
    most = "" if role.at_most is None else f", {role.at_most} at most"
    least = "may be left out" if not role.at_least else f"needed, {role.at_least} or more"
    if role.at_least and role.at_most is not None:
        least, most = f"needed, {role.at_least} to {role.at_most}", ""
        if role.at_least == role.at_most:
            least = f"needed, {role.at_least}"
    return f"File, glob or folder, each file {phrase}; may be repeated. ({least}{most})"


def field_parameters(recipe: RecipeKind) -> Iterator[inspect.Parameter]:
    """Yield the flags of the fields of a recipe's spec."""
    for name, field in fields_of(recipe).items():
        flag = dashed(name)
        switch = field.annotation is bool
        option = typer.Option(
            f"--{flag}/--no-{flag}" if switch else f"--{flag}",
            help=help_of(field),
            rich_help_panel=PANEL,
        )
        yield parameter(f"{FIELD}{name}", bool | None if switch else str | None, option)


def fields_of(recipe: RecipeKind) -> dict[str, FieldInfo]:
    """Return the fields of a recipe's spec, of all its modes, by name."""
    from farm.spec.recipes import classes_of

    found: dict[str, FieldInfo] = {}
    for cls in classes_of(recipe.name):
        found = {**cls.model_fields, **found}
    return {name: field for name, field in found.items() if name != "kind"}


def help_of(field: FieldInfo) -> str:
    """Return the first sentence of a field's documentation, and its default."""
    words = " ".join((field.description or "").split())
    first = SENTENCE_END.split(words, maxsplit=1)[0].rstrip(".")
    notes = [f"one of {', '.join(choices)}"] if (choices := choices_of(field.annotation)) else []
    has_default = not field.is_required() and field.default_factory is None
    if has_default and field.default is not None:
        notes.append(f"default: {as_written(field.default)}")
    told = f"{first}." + (f" ({'; '.join(notes)})" if notes else "")
    return told.replace("[", "(").replace("]", ")")


def choices_of(annotation: Any) -> list[str]:
    """Return the words that a field, or each word of its list, must be one of."""
    if get_origin(annotation) is Literal:
        return [as_written(value) for value in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [as_written(value) for value in annotation]
    return [word for part in get_args(annotation) for word in choices_of(part)]


def as_written(value: Any) -> str:
    """Return a value as a flag has it."""
    if isinstance(value, Enum):
        return as_written(value.value)
    if isinstance(value, tuple | list):
        return ",".join(map(as_written, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def parameter(name: str, kind: Any, option: Any) -> inspect.Parameter:
    """Return a parameter of a command that may be left out."""
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def taken_from(values: dict[str, Any]) -> dict[str, Any]:
    """Take a recipe's flags out of a command's values: field of the spec -> what was given."""
    found: dict[str, Any] = {}
    for name in list(values):
        if name.startswith(ROLE):
            found[name.removeprefix(ROLE)] = values.pop(name)
        elif name.startswith(FIELD):
            found[f"recipe.{name.removeprefix(FIELD)}"] = values.pop(name)
    return found


def split_lists(recipe: RecipeKind, flags: dict[str, Any]) -> dict[str, Any]:
    """Return comma-separated flags as lists, where a field takes a list.

    An empty name is left out; an empty number stays, to be refused: it may be one that got lost.
    """
    fields = fields_of(recipe)
    split = dict(flags)
    for name, value in flags.items():
        field = fields.get(name.removeprefix("recipe."))
        if isinstance(value, str) and field and is_list(field):
            words = [word.strip() for word in value.split(",")]
            keeps_all = any(words) and has_numbers(field.annotation)
            split[name] = words if keeps_all else [word for word in words if word]
    return split


def has_numbers(annotation: Any) -> bool:
    """Say whether numbers are among what a field takes."""
    return annotation in (int, float) or any(map(has_numbers, get_args(annotation)))


def is_list(field: FieldInfo) -> bool:
    """Say whether a field takes several values."""
    kinds = (field.annotation, *get_args(field.annotation))
    return any(get_origin(kind) in (tuple, list) for kind in kinds)


def dashed(name: str) -> str:
    """Return a name as flags write it."""
    return name.replace("_", "-")
