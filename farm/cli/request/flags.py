"""The flags that make a spec: one list for all commands that take one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.cli.request.recipe_flags import SpecCommand, given

if TYPE_CHECKING:
    from farm.spec.job import JobSpec

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SPEC.yaml", help="A spec, as `farm spec` prints it; flags override it."
    ),
]
Models = Annotated[list[str] | None, typer.Option(help="File, glob or folder; may be repeated.")]
Hdrs = Annotated[list[str] | None, typer.Option(help="File, glob or folder; may be repeated.")]
Text = str | None
Hidden = dict[str, Any] | None
"""Not a flag: the values of a recipe's flags, by field of the spec."""
WHAT, HOW, WHERE = "What to render", "How to render", "Where to render"

Request = Callable[[], "tuple[JobSpec, Path]"]
"""Reads the spec, and the folder that its relative paths start from."""


def spec_flags(  # noqa: PLR0913 - one parameter per flag
    paths: Paths = None,
    *,
    models: Models = None,
    hdrs: Hdrs = None,
    recipe: Annotated[
        Text,
        typer.Option(
            metavar="NAME", help="Kind of dataset; add --help to see its flags. (default: sod)"
        ),
    ] = None,
    output: Annotated[
        Text, typer.Option(help="Folder for the datasets. (default: datasets)")
    ] = None,
    dataset_name: Annotated[
        Text, typer.Option(help="Folder inside it; a grid's name may contain {model} and {hdr}.")
    ] = None,
    augmented: Annotated[
        bool | None,
        typer.Option("--augmented/--grid", help="Random angles and light, or a regular grid."),
    ] = None,
    yaw: Annotated[
        Text, typer.Option(help="Grid: yaw steps. (default: 12)", rich_help_panel=WHAT)
    ] = None,
    pitch: Annotated[
        Text,
        typer.Option(help="Pitch steps. (default: 8; augmented: 10)", rich_help_panel=WHAT),
    ] = None,
    yaw_per_pitch: Annotated[
        Text, typer.Option(help="Augmented: random yaws. (default: 4)", rich_help_panel=WHAT)
    ] = None,
    hdr_switch: Annotated[
        Text,
        typer.Option(help="Augmented: views between HDRIs. (default: 4)", rich_help_panel=WHAT),
    ] = None,
    relight: Annotated[
        bool | None,
        typer.Option(
            "--relight",
            help="Each view under every HDRI, by the same camera; labels once.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    relight_turns: Annotated[
        Text,
        typer.Option(
            help="With --relight: times that each HDRI is turned. (default: 1)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    rig: Annotated[
        Text,
        typer.Option(
            metavar="NAME",
            help="Cameras of a rig: rings, fibonacci, hammersley, random, zero123, zero123plus, "
            "zero123plus-v1.1, syncdreamer, wonder3d, trellis, trellis-cond, lrm.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    views: Annotated[
        Text,
        typer.Option(
            help="Rig: how many cameras, where that is not fixed. (default: 40, or the rig's)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    elevations: Annotated[
        Text,
        typer.Option(
            metavar="DEG,...",
            help="Rings: degrees above the horizon, such as 0,20,-10. (default: 20)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    azimuths: Annotated[
        Text,
        typer.Option(
            metavar="DEG,...",
            help="Rings: degrees from the front, counter-clockwise from above, such as 0,90 or "
            "0:360:45. (default: 0:360:45)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    elevation_range: Annotated[
        Text,
        typer.Option(
            metavar="LOW..HIGH",
            help="Rigs fibonacci, hammersley, random: degrees. (default: -90..90)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    distance: Annotated[
        Text,
        typer.Option(
            help="Rig: from the frame's origin, in its units: 2, or 1.5..2.2. (default: the "
            "rig's, or as far as all of the frame is seen)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    fov: Annotated[
        Text,
        typer.Option(
            metavar="DEG",
            help="Rig: angle of the picture's longer side: 40, or 10..70. (default: the rig's, "
            "or 39.6)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    orthographic: Annotated[
        Text,
        typer.Option(
            metavar="WIDTH",
            help="Rig: parallel rays; units of the frame that the picture's longer side spans.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    stereo: Annotated[
        Text,
        typer.Option(
            metavar="BASELINE",
            help="Rig: a pair of cameras in place of each, so far apart.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    frame: Annotated[
        Text,
        typer.Option(
            help="Where models stand: unit-cube, unit-sphere, unit-diagonal, or as in their file. "
            "(default: unit-cube, or the rig's)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    front: Annotated[
        Text,
        typer.Option(
            help="Side of models that is seen at yaw or azimuth 0: -y, +y, +x, -x. Most models "
            "face -y. (default: +y; of a rig: -y)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    ground: Annotated[
        Text,
        typer.Option(
            help="Shadow on a plane under the model that is not seen: layer (a pass of its own), "
            "picture (in rgb, too) or none. (default: none)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    fit: Annotated[
        bool | None,
        typer.Option("--fit/--no-fit", help="Frame by projected bounds.", rich_help_panel=WHAT),
    ] = None,
    file_lights: Annotated[
        bool | None,
        typer.Option(
            "--file-lights/--no-file-lights",
            help="Keep the lights of model files.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    randomise: Annotated[
        Text,
        typer.Option(
            metavar="NAME,...",
            help="What is drawn anew for each view: lights, exposure, hdri, camera, materials.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    allow_empty_masks: Annotated[
        bool | None,
        typer.Option(
            "--allow-empty-masks/--no-empty-masks",
            help="Keep views that show nothing of the model.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    seed: Annotated[
        Text,
        typer.Option(
            help="The same seed makes the same dataset. (default: 0)", rich_help_panel=WHAT
        ),
    ] = None,
    passes: Annotated[
        Text,
        typer.Option(
            metavar="NAME,...",
            help="Such as rgb,mask,depth,normal,index; `farm spec` names all. (default: rgb,mask)",
            rich_help_panel=WHAT,
        ),
    ] = None,
    resolution: Annotated[
        Text, typer.Option(help="64..8192 px, or WxH. (default: 640)", rich_help_panel=HOW)
    ] = None,
    quality: Annotated[
        Text,
        typer.Option(
            help="plain, draft, standard, reference or auto. (default: plain)",
            rich_help_panel=HOW,
        ),
    ] = None,
    samples: Annotated[
        Text,
        typer.Option(
            help="Samples per pixel. (default: 64; from 2048 px: 128)", rich_help_panel=HOW
        ),
    ] = None,
    denoise: Annotated[
        bool | None,
        typer.Option(
            "--denoise/--no-denoise",
            help="Denoise the pictures. (default: from 2048 px)",
            rich_help_panel=HOW,
        ),
    ] = None,
    noise_threshold: Annotated[
        Text,
        typer.Option(
            help="Noise at which a pixel gets no more samples, such as 0.05. (default: none)",
            rich_help_panel=HOW,
        ),
    ] = None,
    engine: Annotated[
        Text,
        typer.Option(help="Of pictures: cycles or eevee. (default: cycles)", rich_help_panel=HOW),
    ] = None,
    background: Annotated[
        Text,
        typer.Option(
            help="Where only the HDRI is seen: traced or looked_up. (default: traced)",
            rich_help_panel=HOW,
        ),
    ] = None,
    format_: Annotated[
        Text,
        typer.Option(
            "--format", help="png or jxl. (default: png; augmented: jxl)", rich_help_panel=HOW
        ),
    ] = None,
    bit_depth: Annotated[
        Text, typer.Option(help="8 or 16. (default: 8)", rich_help_panel=HOW)
    ] = None,
    view_transform: Annotated[
        Text, typer.Option(help="AgX, Filmic, Standard. (default: AgX)", rich_help_panel=HOW)
    ] = None,
    exposure: Annotated[
        Text,
        typer.Option(
            help="Stops: none, auto (by the light of each HDRI) or a number such as -1.5. "
            "(default: none)",
            rich_help_panel=HOW,
        ),
    ] = None,
    previews: Annotated[
        bool | None,
        typer.Option(
            "--previews/--no-previews",
            help="8-bit pictures of labels, for viewing.",
            rich_help_panel=HOW,
        ),
    ] = None,
    pack: Annotated[
        Text,
        typer.Option(
            help="How views are kept: files, or many in one: webdataset (tar) or parquet. "
            "(default: files)",
            rich_help_panel=WHERE,
        ),
    ] = None,
    views_per_task: Annotated[
        Text,
        typer.Option(help="Views per task. (default: 10; packed: 100)", rich_help_panel=WHERE),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Any field of a spec, such as recipe.yaw=24; may be repeated.",
        ),
    ] = None,
    of_recipe: Hidden = None,
) -> Request:
    """Return a function that reads the spec from the flags and the file under them.

    Nothing is imported or read before it is called.
    """
    flags: dict[str, Any] = {
        "models": models,
        "hdrs": hdrs,
        "output": output,
        "dataset_name": dataset_name,
        "recipe.kind": recipe,
        "recipe.mode": None if augmented is None else ("augmented" if augmented else "grid"),
        "recipe.yaw": yaw,
        "recipe.pitch": pitch,
        "recipe.yaw_per_pitch": yaw_per_pitch,
        "recipe.hdr_switch": hdr_switch,
        "recipe.rig": rig,
        "recipe.views": views,
        "recipe.elevations": elevations,
        "recipe.azimuths": azimuths,
        "recipe.elevation_range": elevation_range,
        "recipe.distance": distance,
        "recipe.fov_deg": fov,
        "recipe.orthographic": orthographic,
        "recipe.stereo": stereo,
        "recipe.frame": frame,
        "recipe.relight": relight,
        "recipe.relight_turns": relight_turns,
        "recipe.front": front,
        "recipe.ground": ground,
        "recipe.fit": fit,
        "recipe.file_lights": file_lights,
        "recipe.randomise": randomise,
        "recipe.allow_empty_masks": allow_empty_masks,
        "seed": seed,
        "passes": None if passes is None else _words(passes),
        "render.resolution": resolution,
        "render.quality": quality,
        "render.samples": samples,
        "render.denoise": denoise,
        "render.noise_threshold": noise_threshold,
        "render.engine": engine,
        "render.background": background,
        "render.format": format_,
        "render.bit_depth": None if bit_depth is None else _number(bit_depth),
        "render.view_transform": view_transform,
        "render.exposure": exposure,
        "render.previews": previews,
        "render.pack": pack,
        "views_per_task": views_per_task,
    }
    flags |= {name: value for name, value in (of_recipe or {}).items() if value is not None}

    def read() -> tuple[JobSpec, Path]:
        from farm.cli.request.request import read_request

        return read_request(paths or [], flags, set_ or [])

    return read


def takes_spec(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the flags of a spec; its first argument is then a `Request`."""
    shared = dict(inspect.signature(spec_flags, eval_str=True).parameters)
    del shared["of_recipe"]
    more = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    def run(**values: Any) -> None:
        own = {name: values.pop(name) for name in shared if name in values}
        request = spec_flags(**own, of_recipe=given.get())
        command(request, **values)

    parameters = [*shared.values(), *more]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # for typer
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.command_class = SpecCommand  # type: ignore[attr-defined]  # what `make_app` makes of it
    return run


def _words(text: str) -> list[str]:
    """Return the words of a comma-separated list."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _number(text: str) -> int | str:
    """Return `text` as a number if it is one: a choice of numbers does not take words."""
    return int(text) if text.isdecimal() else text
