"""The user's own scene, which their own Python file changes from view to view."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from farm.spec.camera import FileCamera, SceneCamera
from farm.spec.draws import AnyDraw
from farm.spec.recipes.base import AssetRole, Recipe
from farm.spec.recipes.base import Setup as BaseSetup
from farm.spec.view import View as BaseView

ROLES = (
    AssetRole("scene", "scene", "scene", at_least=0, at_most=1),
    AssetRole("script", "script", "script", at_least=1, at_most=1),
)
MOST_VIEWS = 100_000_000
LAST_FRAME = 1_048_574
"""Blender knows no later ones."""
PARAMS_BYTES = 64 * 1024
"""Most that the parameters of a view may take, as JSON: they are in its record."""

Params = dict[str, JsonValue]


def _by_words(value: Any) -> Any:
    """Let `size=2,colour=red` stand for a group of fields."""
    if not isinstance(value, str):
        return value
    found: dict[str, Any] = {}
    for word in filter(None, (word.strip() for word in value.split(","))):
        name, equals, text = word.partition("=")
        if not (name and equals):
            raise ValueError(f"{word!r} is not of the form NAME=VALUE, such as size=2")
        found[name.strip()] = _value_of(text.strip())
    return found


def _value_of(text: str) -> Any:
    """Return what a word says: a number, true or false, else itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


class RecipeSpec(Recipe):
    """Views of a scene that a Python file of the user's changes."""

    roles: ClassVar[tuple[AssetRole, ...]] = ROLES
    runs_code: ClassVar[bool] = True

    kind: Literal["script"] = "script"
    """Name of the recipe."""
    allow_empty_masks: bool = True
    """Keep views in which nothing of the scene is to be seen."""
    views: int = Field(default=100, ge=1, le=MOST_VIEWS)
    """How many views there are."""
    params: Annotated[Params, BeforeValidator(_by_words)] = Field(default_factory=dict)
    """What the script is told, by name: `size=2,colour=red`."""
    randomise: dict[str, AnyDraw] = Field(default_factory=dict)
    """Parameters that are drawn anew for each view, or for each episode where there are such."""
    episode: int | None = Field(default=None, ge=1, le=LAST_FRAME)
    """Views of one episode: frames that follow each other, from a beginning that the script sets,
    so that physics runs; left out: each view is on its own."""
    first_frame: int = Field(default=1, ge=0, le=LAST_FRAME)
    """Frame of the scene that episodes begin with."""
    frame_step: int = Field(default=1, ge=1, le=10_000)
    """Frames of the scene from one view of an episode to the next."""
    camera: str | None = None
    """Name of the camera in the scene; left out: whichever the scene renders with when the script
    is done."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name in (*self.params, *self.randomise):
            if not name.isidentifier():
                raise ValueError(f"params: {name!r} is not a name that Python can have")
        if twice := sorted(set(self.params) & set(self.randomise)):
            raise ValueError(f"randomise: {twice[0]} has a fixed value in params: name it once")
        if self.last_frame > LAST_FRAME:
            raise ValueError(
                f"episode: its last frame would be {self.last_frame:,}, and Blender knows none "
                f"after {LAST_FRAME:,}: use a shorter episode or a smaller frame_step"
            )
        if len(json.dumps(self.params)) > PARAMS_BYTES:
            raise ValueError(f"params: take more than {PARAMS_BYTES // 1024} kB: pass less")
        return self

    @property
    def last_frame(self) -> int:
        """The scene's frame of an episode's last view."""
        return self.first_frame + ((self.episode or 1) - 1) * self.frame_step


class Setup(BaseSetup):
    """What all views of a job share."""

    kind: Literal["script"] = "script"
    params: Params = Field(default_factory=dict)
    """What `setup` of the script is told: the parameters that are the same for all views."""
    seed: int = 0
    """What the script's own chance comes from, with the number of the episode and of the step."""
    episode: int | None = None
    """Views of one episode."""
    first_frame: int = 1
    frame_step: int = 1


class View(BaseView):
    """One view: a step of an episode."""

    kind: Literal["script"] = "script"
    camera: Annotated[SceneCamera | FileCamera, Field(discriminator="kind")]
    episode: int = Field(ge=0, lt=2**53)
    """From 0; views that are on their own are an episode each."""
    step: int = Field(default=0, ge=0, lt=2**31)
    """From the beginning of the episode, in views."""
    params: Params = Field(default_factory=dict)
    """What the script is told of this view."""

    @property
    def caption(self) -> str:
        place = f"episode {self.episode}, step {self.step}" if self.frame is not None else self.name
        told = ", ".join(f"{name} {short(value)}" for name, value in self.params.items())
        return f"{place}  ·  {told}" if told else place


def short(value: JsonValue) -> str:
    """Return a parameter as people read it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "(" + ", ".join(map(short, value)) + ")"
    return str(value)
