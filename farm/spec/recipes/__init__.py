"""The recipes: one module each, found by its name, or by the entry point of an installed package.

A module of this package, or the module `spec` of an installed package, has three names:
`RecipeSpec` (what `recipe:` in a spec may say), `Setup` and `View` (what its tasks and views hold).
"""

from __future__ import annotations

import functools
import importlib
import logging
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from operator import or_
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import Field

from farm.spec.recipes.base import AssetRole, Recipe, Setup, of_role
from farm.spec.view import View

__all__ = [
    "RECIPES", "AnyRecipe", "AnySetup", "AnyView", "AssetRole", "Recipe", "RecipeKind", "Setup",
    "all_roles", "classes_of", "of_role", "roles_of", "tags", "word_of",
]  # fmt: skip

log = logging.getLogger(__name__)

DEFAULT_RECIPE = "sod"
"""What a spec that names no recipe asks for."""
ENTRY_POINTS = "viewfarm.recipes"
"""Group under which an installed package names its recipes: `name = package`."""


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
        return classes_of(self.name)[0].roles


def find_recipes() -> Iterator[RecipeKind]:
    """Yield our own recipes, then those of installed packages; a broken one is left out."""
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base":
            name = module.name
            yield load_recipe(
                name, f"{__name__}.{name}", f"farm.expand.{name}", f"worker.recipes.{name}"
            )
    for point in entry_points(group=ENTRY_POINTS):
        try:
            yield load_recipe(
                point.name, f"{point.value}.spec", f"{point.value}.expand", f"{point.value}.stage"
            )
        except Exception as error:  # noqa: BLE001 - a stranger's package: ours go on without it
            log.warning("%s", broken_package(point, error))


def load_recipe(name: str, spec: str, expansion: str, stage: str) -> RecipeKind:
    """Return the recipe whose spec is in the module `spec`."""
    module = importlib.import_module(spec)
    return RecipeKind(name, module.RecipeSpec, module.Setup, module.View, expansion, stage)


def broken_package(point: EntryPoint, error: Exception) -> str:
    """Say which installed package's recipe cannot be used, and why."""
    package = point.dist.name if point.dist else point.value
    return f"the recipe {point.name!r} of the package {package} cannot be loaded: {error!r}"


def subclasses(base: type[Recipe]) -> list[type[Recipe]]:
    """Return all classes that are made from `base`."""
    found = list(base.__subclasses__())
    for cls in found:
        found += cls.__subclasses__()
    return found


def classes_of(recipe: str) -> list[type[Recipe]]:
    """Return the classes that what `recipe:` says may be of, the most special ones first."""
    found = [cls for cls in subclasses(Recipe) if kind_of(cls) == recipe]
    return sorted(found, key=lambda cls: -len(cls.__mro__))


def kind_of(cls: type[Recipe]) -> str | None:
    """Return which recipe a class is of."""
    return next(iter(get_args(cls.model_fields["kind"].annotation)), None)


RECIPES: dict[str, RecipeKind] = {recipe.name: recipe for recipe in find_recipes()}


def union(types: list[Any]) -> Any:
    """Return the type of what is one of `types`, by its `kind`."""
    if len(types) == 1:  # pydantic tells one type from another by `kind` only where there are two
        return types[0]
    return Annotated[functools.reduce(or_, types), Field(discriminator="kind")]


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
    roles = {role.name: role for recipe in RECIPES.values() for role in recipe.roles}
    return MappingProxyType(roles)


def word_of(role: str) -> str:
    """Return what one asset of a role is called: `model`; of a recipe that is gone, `asset`."""
    known = all_roles().get(role)
    return known.word if known else "asset"


def roles_of(recipe: str) -> tuple[AssetRole, ...]:
    """Return the roles of a recipe; none where it is not known here."""
    known = RECIPES.get(recipe)
    return known.roles if known else ()


def tags() -> set[str]:
    """Return the words that tell one recipe, or mode of one, from another."""
    annotations = (
        field.annotation for cls in subclasses(Recipe) for field in cls.model_fields.values()
    )
    return {
        value for note in annotations if get_origin(note) is Literal for value in get_args(note)
    }
