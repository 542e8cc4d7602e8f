"""The flags of a recipe, made from the fields of its spec: `--recipe NAME` brings them in."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from farm.spec.recipes import AssetRole, RecipeKind

ROLE, FIELD = "role__", "field__"
"""What the names of such parameters begin with, so that no other is called so."""
OWN_OF_SOD = frozenset(
    {"models", "hdrs", "augmented", "yaw", "pitch", "yaw_per_pitch", "hdr_switch", "fit",
     "file_lights"}
)  # fmt: skip
"""Flags that are written by hand; they go where another recipe is asked for."""
PANEL = "What to render"

given: ContextVar[dict[str, Any]] = ContextVar("given", default={})  # noqa: B039 - never changed
"""What the flags of a recipe say in the command that runs, by the field of the spec."""


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
    """Return the recipe, other than the default, that the arguments of a command name."""
    name = None
    for place, arg in enumerate(args):
        if arg == "--recipe" and place + 1 < len(args):
            name = args[place + 1]
        elif arg.startswith("--recipe="):
            name = arg.partition("=")[2]
    if name is None:
        return None
    from farm.spec.recipes import DEFAULT_RECIPE, RECIPES

    return None if name == DEFAULT_RECIPE else RECIPES.get(name)


def params_of(recipe: RecipeKind, params: Sequence[Any]) -> list[Any]:
    """Return a command's parameters with those of a recipe in the place of `sod`'s."""
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
    option = typer.Option(f"--{dashed(role.name)}", help="File, glob or folder; may be repeated.")
    return parameter(f"{ROLE}{role.name}", list[str] | None, option)


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
    first = " ".join((field.description or "").split()).partition(". ")[0].rstrip(".")
    default = "" if field.is_required() or field.default is None else f" (default: {field.default})"
    return f"{first}.{default}".replace("[", "(").replace("]", ")")


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
    """Return flags with words between commas as lists, where a field takes a list."""
    fields = fields_of(recipe)
    split = dict(flags)
    for name, value in flags.items():
        field = fields.get(name.removeprefix("recipe."))
        if isinstance(value, str) and field and is_list(field):
            split[name] = [word.strip() for word in value.split(",") if word.strip()]
    return split


def is_list(field: FieldInfo) -> bool:
    """Say whether a field takes several values."""
    kinds = (field.annotation, *get_args(field.annotation))
    return any(get_origin(kind) in (tuple, list) for kind in kinds)


def dashed(name: str) -> str:
    """Return a name as flags have it."""
    return name.replace("_", "-")
