"""What the user asks for, and the job it becomes."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from farm.spec.asset import Asset
from farm.spec.base import Spec, digest
from farm.spec.passes import PassName
from farm.spec.quote import is_text, quoted
from farm.spec.recipes import AnyRecipe
from farm.spec.recipes.sod import SodGrid
from farm.spec.render import RenderSettings, ResolvedRender, resolve_render


class JobSpec(Spec):
    """A dataset to render: which models under which HDRIs, by which recipe, how well."""

    models: tuple[str, ...] = Field(min_length=1)
    """Files, globs and folders of 3D models (.blend, .glb, .gltf, .obj, .ply, .stl, .fbx, .usd)."""
    hdrs: tuple[str, ...] = Field(min_length=1)
    """Files, globs and folders of HDR environments (.exr, .hdr)."""
    output: str = "datasets"
    """Folder that the datasets are written to."""
    dataset_name: str | None = Field(default=None, max_length=120)
    """Folder of the dataset inside `output`. In grid mode it may hold `{model}` and `{hdr}`
    (left out: `{model}_{hdr}`); in augmented mode, left out, the dataset is `output` itself."""
    recipe: AnyRecipe = SodGrid()
    """The kind of dataset."""
    render: RenderSettings = RenderSettings()
    """Size, quality and file format."""
    passes: tuple[PassName, ...] = ("rgb", "mask")
    """Images to write for each view, all from one render."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """The same seed makes the same dataset again, view by view."""
    views_per_task: int = Field(default=10, ge=1, le=1000)
    """Views that a worker renders for one message, with one model and one HDRI loaded."""

    @field_validator("models", "hdrs", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("recipe", mode="before")
    @classmethod
    def _sod_unless_said(cls, value: object) -> object:
        return {"kind": "sod", **value} if isinstance(value, dict) else value

    @field_validator("models", "hdrs", "output", "dataset_name")
    @classmethod
    def _names_can_be_written(cls, value: tuple[str, ...] | str | None) -> Any:
        for name in (value,) if isinstance(value, str) else value or ():
            if not is_text(name):
                raise ValueError(f"{quoted(name)} is not a name in Unicode; rename it")
        return value

    @field_validator("dataset_name")
    @classmethod
    def _stays_inside(cls, value: str | None) -> str | None:
        if value is not None and (
            not value.strip() or value.startswith((".", "/")) or set(value) & set('\\:*?"<>|\0')
            or ".." in value.split("/")
        ):  # fmt: skip
            raise ValueError(f"{value!r} cannot be a folder's name")
        return value

    @field_validator("passes")
    @classmethod
    def _some_passes_once(cls, value: tuple[PassName, ...]) -> tuple[PassName, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("names each pass once, and at least one")
        return value


class Job(Spec):
    """One submitted spec with its assets: all that is needed to make any of its tasks again."""

    job_id: str
    session: str
    """8 characters that every augmented file name starts with; from the seed and the settings."""
    spec: JobSpec
    models: tuple[Asset, ...]
    hdrs: tuple[Asset, ...]
    prefix: str = ""
    """Storage key prefix of all its datasets; "" on one machine, where `output` is the storage."""

    @property
    def render(self) -> ResolvedRender:
        """The render settings with every choice made."""
        return resolve_render(self.spec.render, default_format=self.spec.recipe.default_format)


def make_job(spec: JobSpec, *, models: tuple[Asset, ...], hdrs: tuple[Asset, ...]) -> Job:
    """Join a spec with its assets; the ids depend on nothing else: asking again finds the job."""
    shown = spec.render.model_copy(update={"previews": True})  # without, it is the same dataset
    settings = spec.model_copy(update={"render": shown}).model_dump(
        mode="json",
        exclude={
            **dict.fromkeys(("models", "hdrs", "output", "dataset_name", "views_per_task"), True),
            "recipe": {"allow_empty_masks"},  # with it the same dataset goes on
        },
        exclude_defaults=True,  # so that a new knob does not rename old datasets
    )
    assets = [[asset.content, asset.id] for asset in (*models, *hdrs)]
    unsaid = {"render": {"previews"}} if spec.render.previews else None  # as in older versions
    return Job(
        job_id=digest(spec.model_dump(mode="json", exclude=unsaid), assets)[:12],
        session=digest(settings)[:8],
        spec=spec,
        models=models,
        hdrs=hdrs,
    )
