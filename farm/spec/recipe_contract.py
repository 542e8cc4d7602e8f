"""What the classes of a recipe must be, and what is wrong with those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from farm.spec.asset import KINDS
from farm.spec.recipes.base import AssetRole, Recipe, Setup
from farm.spec.view import View

BASES: Mapping[str, type[BaseModel]] = {"RecipeSpec": Recipe, "Setup": Setup, "View": View}
"""What the module `spec` of a recipe must have, and what each is made from."""
FIELDS_OF_SPECS = frozenset(
    {"recipe", "assets", "output", "dataset_name", "render", "passes", "seed", "views_per_task"}
)
"""Words of every spec, which no role can have."""


def classes_in(annotation: Any) -> list[Any]:
    """Return the classes that a value of a type may be of."""
    if get_origin(annotation) is Annotated:
        return classes_in(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [cls for part in get_args(annotation) for cls in classes_in(part)]
    return [annotation]


def faults(name: str, module: Any, known: Mapping[str, AssetRole]) -> Iterator[str]:
    """Yield what is wrong with the classes of a recipe.

    Args:
        name: What the recipe is called.
        module: What holds its classes.
        known: The roles of other recipes, by name.
    """
    for part, base in BASES.items():
        if not hasattr(module, part):
            yield f"{module.__name__} has no {part}"
            return
        for cls in classes_in(getattr(module, part)):
            yield from class_faults(name, part, cls, base)
    for cls in classes_in(module.RecipeSpec):
        yield from role_faults(getattr(cls, "roles", ()), known)


def class_faults(name: str, part: str, cls: Any, base: type[BaseModel]) -> Iterator[str]:
    """Yield what is wrong with one class of a recipe."""
    if not (isinstance(cls, type) and issubclass(cls, base)):
        yield f"{part} is not made from {base.__module__}.{base.__name__}"
        return
    kind = cls.model_fields["kind"]
    if get_origin(kind.annotation) is not Literal or get_args(kind.annotation) != (name,):
        yield f'{part} lacks the line: kind: Literal["{name}"] = "{name}"'


def role_faults(roles: Iterable[Any], known: Mapping[str, AssetRole]) -> Iterator[str]:
    """Yield what is wrong with what a recipe takes assets for."""
    for role in roles:
        if not isinstance(role, AssetRole):
            yield f"{role!r} among its roles is not an AssetRole"
        elif not role.name.isidentifier() or role.name in FIELDS_OF_SPECS:
            yield f"its role {role.name!r} cannot be a field of a spec: take another name"
        elif role.kind not in KINDS:
            kinds = ", ".join(KINDS)
            yield f"its role {role.name!r} has the kind {role.kind!r}, not one of {kinds}"
        elif role.name in known and known[role.name].kind != role.kind:
            yield (
                f"its role {role.name!r} takes the kind {role.kind!r}, but that of another recipe "
                f"takes {known[role.name].kind!r}: take another name"
            )
