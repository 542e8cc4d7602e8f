"""The recipes: one module each, found by its name; `RecipeSpec` in it is what a spec may say."""

from __future__ import annotations

import importlib
import pkgutil
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import Field

from farm.spec.recipes.base import Recipe

RECIPES: dict[str, Any] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").RecipeSpec
    for module in pkgutil.iter_modules(__path__)
    if module.name != "base"
}

if TYPE_CHECKING:
    AnyRecipe = Recipe
elif len(RECIPES) == 1:  # pydantic tells one type from another by `kind` only where there are two
    AnyRecipe = next(iter(RECIPES.values()))
else:
    AnyRecipe = Annotated[reduce(or_, RECIPES.values()), Field(discriminator="kind")]


def tags() -> set[str]:
    """Return the words that tell one recipe, or mode of one, from another."""
    classes = list(Recipe.__subclasses__())
    for cls in classes:
        classes += cls.__subclasses__()
    annotations = (field.annotation for cls in classes for field in cls.model_fields.values())
    return {
        value for note in annotations if get_origin(note) is Literal for value in get_args(note)
    }
