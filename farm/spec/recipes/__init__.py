"""The recipes: one module each, found by its name, or by the entry point of an installed package.

A module of this package, or the module `spec` of an installed package, has three names:
`RecipeSpec` (what `recipe:` in a spec may say), `Setup` and `View` (what its tasks and views hold).
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from operator import or_
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, Field, TypeAdapter

from farm.spec.hint import hint
from farm.spec.quote import LIMIT
from farm.spec.recipe_contract import BASES, classes_in, faults
from farm.spec.recipes.base import AssetRole, Recipe, Setup, of_role
from farm.spec.view import View

__all__ = [
    "RECIPES", "AnyRecipe", "AnySetup", "AnyView", "AssetRole", "Recipe", "RecipeKind", "Setup",
    "all_roles", "classes_of", "file_flags_of", "of_role", "roles_of", "tags", "unknown_recipe",
    "without_tags", "word_of",
]  # fmt: skip

log = logging.getLogger(__name__)

DEFAULT_RECIPE = "sod"
"""What a spec that names no recipe asks for."""
ENTRY_POINTS = "viewfarm.recipes"
"""Group under which an installed package names its recipes: `name = package`."""
BROKEN: dict[str, str] = {}
"""Recipes of installed packages that cannot be used, by name, with a sentence that says why."""


class RecipeKind(NamedTuple):
    """Where the parts of a recipe are."""

    name: str
    spec: Any
    """The type of `recipe:` in a spec: a `Recipe`, or a union of them."""
    setup: type[Setup]
    view: type[View]
    expansion: str
    """Module that turns jobs into tasks."""
    stage: str
    """Module that sets the scene in Blender; only a renderer imports it."""

    @property
    def roles(self) -> tuple[AssetRole, ...]:
        """What it takes assets for."""
        roles: tuple[AssetRole, ...] = classes_in(self.spec)[0].roles
        return roles


class UnfitRecipeError(Exception):
    """A package's recipe cannot be used; the text says why."""


def find_recipes() -> dict[str, RecipeKind]:
    """Return our own recipes, then those of installed packages, by name; broken ones are left out.

    What is wrong with those is in `BROKEN`.
    """
    found = {recipe.name: recipe for recipe in own_recipes()}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.value):
        try:
            recipe = packaged_recipe(point, found)
        # A stranger's package, which may also try to end the process: ours go on without it.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            reason = str(error) if isinstance(error, UnfitRecipeError) else repr(error)
            BROKEN.setdefault(point.name, broken_package(point, reason))
            log.warning("%s", broken_package(point, reason))
        else:
            found.setdefault(recipe.name, recipe)
    return found


def own_recipes() -> Iterator[RecipeKind]:
    """Yield the recipes of this package."""
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base":
            name = module.name
            yield load_recipe(
                name, f"{__name__}.{name}", f"farm.expand.{name}", f"worker.recipes.{name}"
            )


def packaged_recipe(point: EntryPoint, others: Mapping[str, RecipeKind]) -> RecipeKind:
    """Return the recipe of an installed package.

    Raises:
        UnfitRecipeError: It cannot be used beside the others.
    """
    name, package = point.name, point.value
    if name in others and others[name].stage != f"{package}.stage":
        raise UnfitRecipeError("another recipe has that name: take another one")
    module = importlib.import_module(f"{package}.spec")
    if reason := next(faults(name, module, roles_by_name(others.values())), None):
        raise UnfitRecipeError(reason)
    for part in ("expand", "stage"):
        if importlib.util.find_spec(f"{package}.{part}") is None:
            raise UnfitRecipeError(f"{package} has no module {part}")
    recipe = load_recipe(name, f"{package}.spec", f"{package}.expand", f"{package}.stage")
    for part in BASES:  # whatever else pydantic may have against it
        field = "spec" if part == "RecipeSpec" else part.lower()
        TypeAdapter(union([getattr(each, field) for each in (*others.values(), recipe)]))
    return recipe


def load_recipe(name: str, spec: str, expansion: str, stage: str) -> RecipeKind:
    """Return the recipe whose spec is in the module `spec`."""
    module = importlib.import_module(spec)
    return RecipeKind(name, module.RecipeSpec, module.Setup, module.View, expansion, stage)


def broken_package(point: EntryPoint, reason: str) -> str:
    """Say which installed package's recipe cannot be used, and why."""
    package = point.dist.name if point.dist else point.value
    return f"the recipe {point.name!r} of the package {package} cannot be loaded: {reason}"


def classes_of(recipe: str) -> list[type[Recipe]]:
    """Return the classes that what `recipe:` says may be of."""
    return classes_in(RECIPES[recipe].spec)


def union(types: list[Any]) -> Any:
    """Return the type of what is one of `types`, by its `kind`."""
    if len(types) == 1:  # pydantic tells one type from another by `kind` only where there are two
        return types[0]
    return Annotated[functools.reduce(or_, types), Field(discriminator="kind")]


def roles_by_name(recipes: Iterable[RecipeKind]) -> dict[str, AssetRole]:
    """Return the roles of recipes by name; where two have one word, as the first has it."""
    roles: dict[str, AssetRole] = {}
    for recipe in recipes:
        for role in recipe.roles:
            roles.setdefault(role.name, role)
    return roles


RECIPES: dict[str, RecipeKind] = find_recipes()

if TYPE_CHECKING:
    AnyRecipe = Recipe
    AnySetup = Setup
    AnyView = View
else:
    AnyRecipe = union([recipe.spec for recipe in RECIPES.values()])
    AnySetup = union([recipe.setup for recipe in RECIPES.values()])
    AnyView = union([recipe.view for recipe in RECIPES.values()])


@functools.cache
def all_roles() -> Mapping[str, AssetRole]:
    """Return the roles of all recipes, by name."""
    return MappingProxyType(roles_by_name(RECIPES.values()))


def word_of(role: str) -> str:
    """Return what one asset of a role is called: `model`; of a recipe that is gone, a guess."""
    known = all_roles().get(role)
    return known.word if known else role.replace("_", " ").removesuffix("s") or "asset"


def roles_of(recipe: str) -> tuple[AssetRole, ...]:
    """Return the roles of a recipe; none where it is not known here."""
    known = RECIPES.get(recipe)
    return known.roles if known else ()


def file_flags_of(recipe: str) -> dict[str, tuple[str, ...]]:
    """Return which fields of a recipe name files that are no assets, and the suffixes of these."""
    known = RECIPES.get(recipe)
    classes = classes_in(known.spec) if known else []
    return {name: suffixes for cls in classes for name, suffixes in cls.file_flags.items()}


def unknown_recipe(name: str) -> str:
    """Say that there is no such recipe here, and why there is none where that is known."""
    said = f"{name[:LIMIT]!r} is not one of {', '.join(map(repr, RECIPES))}"
    return f"{said}: {BROKEN[name]}" if name in BROKEN else f"{said}{hint(name, RECIPES)}"


def without_tags(path: Sequence[str]) -> list[str]:
    """Return the path of a field below `recipe:` without the words that pydantic adds to it.

    It names the recipe where there are several, and then the mode where that has several.
    """
    words, recipe = list(path), next(iter(RECIPES))
    if len(RECIPES) > 1 and words and words[0] in RECIPES:
        recipe = words.pop(0)
    classes = classes_of(recipe)
    if len(classes) > 1 and words and words[0] in {tag for cls in classes for tag in tags(cls)}:
        words.pop(0)
    return words


def tags(cls: type[BaseModel]) -> Iterator[str]:
    """Yield the words by which a class is told from others of its recipe."""
    for field in cls.model_fields.values():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            yield from get_args(field.annotation)
