"""What the user asks for, and the job it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from farm.spec import release_0_1
from farm.spec.addition import AdditionPlan
from farm.spec.asset import KINDS, Asset
from farm.spec.base import Spec, digest
from farm.spec.left_out import is_empty, is_none
from farm.spec.passes import CUTOUTS, OF_SEQUENCES, SEVERAL, SHUTTERED, VALIDITY, PassName
from farm.spec.quote import is_text, quoted
from farm.spec.recipes import DEFAULT_RECIPE, AnyRecipe, Recipe, all_roles, of_role
from farm.spec.recipes.sod import SodGrid
from farm.spec.render import RenderSettings, ResolvedRender, resolve_render
from farm.spec.stream import StreamPlan
from farm.spec.task import RenderTask

PACKED_VIEWS = 100
"""Views of a task where these share a tar file and nothing else is said."""


class JobSpec(Spec):
    """A dataset to render: of what, by which recipe, how well."""

    recipe: AnyRecipe = SodGrid()
    """The kind of dataset."""
    assets: dict[str, tuple[str, ...]] = Field(default_factory=dict, validate_default=True)
    """Role -> files, globs and folders. In a spec each role is a field of its own: `models:`,
    `hdrs:`."""
    output: str = "datasets"
    """Folder that the datasets are written to."""
    dataset_name: str | None = Field(default=None, max_length=120)
    """Folder of the dataset inside `output`. In the modes grid and rig it may hold `{model}` and
    `{hdr}` (left out: `{model}_{hdr}`); in augmented mode, left out, the dataset is `output`
    itself."""
    render: RenderSettings = RenderSettings()
    """Size, quality and file format."""
    passes: tuple[PassName, ...] = Field(default=("rgb", "mask"), validate_default=True)
    """Images to write for each view, all from one render."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """The same seed makes the same dataset again, view by view."""
    views_per_task: int = Field(default=10, ge=1, le=1000)
    """Views that a worker renders for one message, with the same assets loaded."""

    @model_validator(mode="before")
    @classmethod
    def _roles_are_fields(cls, data: Any) -> Any:
        """Gather what stands beside the other fields, as `models:` and `hdrs:`."""
        if not isinstance(data, dict):
            return data
        given = {name: data[name] for name in all_roles() if name in data}
        rest = {name: value for name, value in data.items() if name not in given}
        more = rest.get("assets", {})
        if not given or not isinstance(more, dict):
            return rest
        return {**rest, "assets": given | more}

    @field_validator("assets", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {role: (one,) if isinstance(one, str) else one for role, one in value.items()}

    @model_validator(mode="before")
    @classmethod
    def _shards_hold_many_views(cls, data: Any) -> Any:
        """Let tasks be longer where each writes a file of its own, unless it is said how long."""
        if not isinstance(data, dict) or "views_per_task" in data:
            return data
        render = data.get("render")
        pack = render.get("pack") if isinstance(render, dict) else getattr(render, "pack", None)
        return data if pack in (None, "files") else {**data, "views_per_task": PACKED_VIEWS}

    @field_validator("recipe", mode="before")
    @classmethod
    def _sod_unless_said(cls, value: object) -> object:
        return {"kind": DEFAULT_RECIPE, **value} if isinstance(value, dict) else value

    @field_validator("assets")
    @classmethod
    def _fits_the_recipe(
        cls, value: dict[str, tuple[str, ...]], known: ValidationInfo
    ) -> dict[str, tuple[str, ...]]:
        recipe: Recipe | None = known.data.get("recipe")
        if found := [*unwritable(value), *(unfit(value, recipe) if recipe else ())]:
            raise PydanticCustomError("sentences", "{found}", {"found": found})
        return value

    @field_validator("output", "dataset_name")
    @classmethod
    def _names_can_be_written(cls, value: str | None) -> Any:
        if value is not None and not is_text(value):
            raise ValueError(f"{quoted(value)} is not valid Unicode; rename it")
        return value

    @model_serializer(mode="wrap")
    def _roles_as_fields(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return {**data.pop("assets", {}), **data}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        properties = schema.get("properties", {})
        # Of a recipe with several modes pydantic maps the kind to a schema, OpenAPI to names alone.
        properties.get("recipe", {}).pop("discriminator", None)
        if properties.pop("assets", None):
            schema["properties"] = {name: role_schema(name) for name in all_roles()} | properties
        return schema

    @field_validator("dataset_name")
    @classmethod
    def _stays_inside(cls, value: str | None) -> str | None:
        if value is not None and (
            not value.strip() or value.startswith((".", "/")) or set(value) & set('\\:*?"<>|\0')
            or ".." in value.split("/")
        ):  # fmt: skip
            raise ValueError(f"{value!r} cannot be a folder's name")
        return value

    @field_validator("render")
    @classmethod
    def _can_be_packed(cls, value: RenderSettings, known: ValidationInfo) -> RenderSettings:
        recipe: Recipe | None = known.data.get("recipe")
        if recipe is not None and recipe.has_neighbours and value.pack != "files":
            raise ValueError(
                f"pack: {value.pack} is for views that stand by themselves; the recipe "
                f"{recipe.kind} keeps frames in folders of their own: take pack: files, and "
                "farm dataset export --to webdataset afterwards"
            )
        if getattr(recipe, "relight", False) and value.pack != "files":
            raise ValueError(
                f"pack: {value.pack} keeps the labels of each view beside it, and relight links "
                "them from view to view: leave one of the two out"
            )
        return value

    @field_validator("passes", mode="before")
    @classmethod
    def _words_for_several(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return [
            name
            for each in value
            for name in (SEVERAL.get(each, (each,)) if isinstance(each, str) else (each,))
        ]

    @field_validator("passes")
    @classmethod
    def _with_the_recipe_s(
        cls, value: tuple[PassName, ...], known: ValidationInfo
    ) -> tuple[PassName, ...]:
        recipe: Recipe | None = known.data.get("recipe")
        more = recipe.passes_with_it if recipe is not None else ()
        return (*value, *(name for name in more if name not in value))

    @field_validator("passes")
    @classmethod
    def _neighbours_are_there(
        cls, value: tuple[PassName, ...], known: ValidationInfo
    ) -> tuple[PassName, ...]:
        recipe: Recipe | None = known.data.get("recipe")
        if recipe is not None and not recipe.has_neighbours:
            for name in (each for each in value if each in OF_SEQUENCES):
                instead = "name flow_forward or flow_backward instead"
                raise ValueError(
                    f"{name}: views of the recipe {recipe.kind} have no neighbouring frames; "
                    + (instead if name in VALIDITY else "leave it out")
                )
        return value

    @field_validator("passes")
    @classmethod
    def _shutter_is_open(
        cls, value: tuple[PassName, ...], known: ValidationInfo
    ) -> tuple[PassName, ...]:
        recipe: Recipe | None = known.data.get("recipe")
        if recipe is not None and recipe.exposure is None:
            remedy = (
                "say how long it is open, such as --shutter 0.5 (recipe.shutter)"
                if "shutter" in type(recipe).model_fields
                else f"the recipe {recipe.kind} has none; leave it out"
            )
            for name in SHUTTERED:
                if name in value:
                    raise ValueError(f"{name}: is made while a shutter is open: {remedy}")
        return value

    @field_validator("passes")
    @classmethod
    def _can_be_cut_out(
        cls, value: tuple[PassName, ...], known: ValidationInfo
    ) -> tuple[PassName, ...]:
        render: RenderSettings | None = known.data.get("render")
        recipe: Recipe | None = known.data.get("recipe")
        for name in (each for each in value if each in (*CUTOUTS, "shadow")):
            if render is not None and render.engine == "eevee":
                raise ValueError(
                    f"{name}: EEVEE paints what is behind into its picture; leave it out, or take "
                    "engine: cycles"
                )
        if "shadow" in value and recipe is not None and not recipe.has_ground:
            remedy = (
                "say recipe.ground: layer (--ground layer)"
                if "ground" in type(recipe).model_fields
                else f"the recipe {recipe.kind} has none; leave it out"
            )
            raise ValueError(f"shadow: falls on a ground: {remedy}")
        return value

    @model_validator(mode="after")
    def _light_can_be_metered(self) -> Self:
        """Let `exposure: auto` be asked for where HDRIs are all the light there is to meter.

        Raises:
            ValueError: They are not.
        """
        remedy = "or give stops, such as exposure: 1.5"
        if self.render.exposure != "auto":
            return self
        if not self.assets.get("hdrs"):
            raise ValueError(f"render.exposure: auto meters HDRIs: name some, {remedy}")
        if getattr(self.recipe, "lights", None) == "file":
            raise ValueError(
                "render.exposure: auto meters HDRIs, and the lights of a file are none: take "
                f"lights: hdri, {remedy}"
            )
        return self

    @field_validator("passes")
    @classmethod
    def _some_passes_once(cls, value: tuple[PassName, ...]) -> tuple[PassName, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("names each pass once, and at least one")
        return value


def unwritable(assets: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield which patterns no file or message could hold."""
    for role, patterns in assets.items():
        for name in patterns:
            if not is_text(name):
                yield f"{role}: {quoted(name)} is not valid Unicode; rename it"


def unfit(assets: Mapping[str, Sequence[str]], recipe: Recipe) -> Iterator[str]:
    """Yield what a recipe lacks, and what it does not take."""
    roles = {role.name: role for role in recipe.roles}
    for name in assets:
        if name not in roles:
            only = f", only {', '.join(roles)}" if roles else ""
            yield f"{name}: the recipe {recipe.kind} does not take it{only}"
    for name, role in roles.items():
        if role.at_least and name not in assets:
            yield f"{name}: is needed"
        elif role.at_least and not assets[name]:
            yield f"{name}: is empty; name at least one"


def role_schema(name: str) -> JsonSchemaValue:
    """Return the JSON schema of a field that names assets."""
    suffixes = ", ".join(KINDS[all_roles()[name].kind].suffixes)
    return {
        "title": name.title(),
        "description": f"Files, globs and folders ({suffixes}).",
        "items": {"type": "string"},
        "type": "array",
    }


class Job(Spec):
    """One submitted spec with its assets: everything needed to make any of its tasks again."""

    job_id: str
    session: str
    """8 characters that every augmented file name starts with; from the seed and the settings."""
    spec: JobSpec
    assets: tuple[Asset, ...]
    """Sorted by role, as the recipe lists them."""
    prefix: str = ""
    """Storage key prefix of all its datasets; "" on one machine, where `output` is the storage."""
    stream: StreamPlan | None = Field(default=None, exclude_if=is_none)
    """Where its views are streamed instead of stored: how."""
    trace: bool = Field(default=False, exclude_if=is_empty)
    """Workers take down where the time of its tasks goes; it is the same job without."""
    adds: AdditionPlan | None = Field(default=None, exclude_if=is_none)
    """Where it adds passes to the views of another job, instead of rendering its own: how."""
    _added_task: Callable[[int], RenderTask] | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _of_any_release(cls, data: Any) -> Any:
        return release_0_1.job_of(data)

    def of(self, role: str) -> tuple[Asset, ...]:
        """Return the assets that are taken for `role`."""
        return of_role(self.assets, role)

    def with_added_tasks(self, read: Callable[[int], RenderTask]) -> Job:
        """Return the same job with what reads its tasks, which are made of records.

        Args:
            read: Returns the task of an index, as it was written down.
        """
        job = self.model_copy()
        job._added_task = read
        return job

    def added_task(self, index: int) -> RenderTask:
        """Return a task that adds passes to views that are there."""
        assert self._added_task is not None, "a job that adds passes is loaded by its store"
        return self._added_task(index)

    @property
    def views_of(self) -> str:
        """Id of the job in whose datasets its views are: its own, unless it adds to another's."""
        return self.job_id if self.adds is None else self.adds.source

    @property
    def render(self) -> ResolvedRender:
        """The render settings with every choice made."""
        return resolve_render(self.spec.render, default_format=self.spec.recipe.default_format)


def make_job(spec: JobSpec, assets: Sequence[Asset]) -> Job:
    """Join a spec with its assets; the ids depend on nothing else: asking again finds the job."""
    by_role = [
        asset if role.tagged else asset.without_tags
        for role in spec.recipe.roles
        for asset in of_role(assets, role.name)
    ]
    shown = spec.render.model_copy(update={"previews": True})  # without, it is the same dataset
    settings = spec.model_copy(update={"render": shown}).model_dump(
        mode="json",
        exclude={
            **dict.fromkeys(("assets", "output", "dataset_name", "views_per_task"), True),
            "recipe": {"allow_empty_masks"},  # with it the same dataset goes on
        },
        exclude_defaults=True,  # so that a new knob does not rename old datasets
    )
    named = [[asset.content, asset.id] for asset in by_role]
    unsaid = {"render": {"previews"}} if spec.render.previews else None  # as in older versions
    return Job(
        job_id=digest(spec.model_dump(mode="json", exclude=unsaid), named)[:12],
        session=digest(settings)[:8],
        spec=spec,
        assets=tuple(by_role),
    )


def make_stream(job: Job, plan: StreamPlan, *, views_per_task: int) -> Job:
    """Return the job that streams what `job` would store, by smaller tasks.

    Its id depends on the stream's name, too: a stream is never taken for the job itself.
    """
    per_task = min(views_per_task, job.spec.views_per_task)
    spec = job.spec.model_copy(update={"views_per_task": per_task})
    job_id = digest(job.job_id, plan.model_dump(mode="json"), per_task)[:12]
    changes = {"job_id": job_id, "spec": spec, "stream": plan, "trace": False}
    return job.model_copy(update=changes)
