"""`farm render`: a dataset on this machine, in one command."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SPEC.yaml]", help="A spec such as `farm spec` prints; flags go over it."
    ),
]
Models = Annotated[list[str] | None, typer.Option(help="File, glob or folder; may be repeated.")]
Hdrs = Annotated[list[str] | None, typer.Option(help="File, glob or folder; may be repeated.")]
Text = str | None
WHAT, HOW, WHERE = "What to render", "How to render", "Where to render"


def render(  # noqa: PLR0913 - one parameter per flag
    paths: Paths = None,
    *,
    models: Models = None,
    hdrs: Hdrs = None,
    output: Annotated[
        Text, typer.Option(help="Folder for the datasets. [default: datasets]")
    ] = None,
    dataset_name: Annotated[
        Text, typer.Option(help="Folder inside it; a grid's may say {model} and {hdr}.")
    ] = None,
    augmented: Annotated[
        bool | None,
        typer.Option("--augmented/--grid", help="Random angles and light, or a regular grid."),
    ] = None,
    yaw: Annotated[
        Text, typer.Option(help="Grid: yaw steps. [default: 12]", rich_help_panel=WHAT)
    ] = None,
    pitch: Annotated[
        Text,
        typer.Option(help="Pitch steps. [default: 8; augmented: 10]", rich_help_panel=WHAT),
    ] = None,
    yaw_per_pitch: Annotated[
        Text, typer.Option(help="Augmented: random yaws. [default: 4]", rich_help_panel=WHAT)
    ] = None,
    hdr_switch: Annotated[
        Text,
        typer.Option(help="Augmented: views between HDRIs. [default: 4]", rich_help_panel=WHAT),
    ] = None,
    fit: Annotated[
        bool | None,
        typer.Option("--fit/--no-fit", help="Frame by projected bounds.", rich_help_panel=WHAT),
    ] = None,
    file_lights: Annotated[
        bool | None,
        typer.Option(
            "--file-lights/--no-file-lights", help="Keep the files' lights.", rich_help_panel=WHAT
        ),
    ] = None,
    seed: Annotated[
        Text, typer.Option(help="Makes a dataset again. [default: 0]", rich_help_panel=WHAT)
    ] = None,
    resolution: Annotated[
        Text, typer.Option(help="64..8192 px, or WxH. [default: 640]", rich_help_panel=HOW)
    ] = None,
    samples: Annotated[
        Text,
        typer.Option(help="Per pixel. [default: 64; from 2048 px: 128]", rich_help_panel=HOW),
    ] = None,
    denoise: Annotated[
        bool | None,
        typer.Option("--denoise/--no-denoise", help="[default: from 2048 px]", rich_help_panel=HOW),
    ] = None,
    format_: Annotated[
        Text,
        typer.Option(
            "--format", help="png or jxl. [default: png; augmented: jxl]", rich_help_panel=HOW
        ),
    ] = None,
    bit_depth: Annotated[
        Text, typer.Option(help="8 or 16. [default: 8]", rich_help_panel=HOW)
    ] = None,
    view_transform: Annotated[
        Text, typer.Option(help="AgX, Filmic, Standard. [default: AgX]", rich_help_panel=HOW)
    ] = None,
    views_per_task: Annotated[
        Text, typer.Option(help="[default: 10]", rich_help_panel=WHERE)
    ] = None,
    workers: Annotated[
        str, typer.Option(help="Number, or auto: one per device.", rich_help_panel=WHERE)
    ] = "auto",
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda:N, optix:N.", rich_help_panel=WHERE)
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be rendered, and stop.")
    ] = False,
) -> None:
    """Render a dataset on this machine.

    Starts a private Redis and a worker per device, renders what is missing, takes all down again.

    Exit codes: 0 all views are there, 1 some failed, 2 the request is at fault, 130 stopped.
    """
    from farm.cli.request import read_request
    from farm.cli.session import render_request

    flags: dict[str, Any] = {
        "models": models,
        "hdrs": hdrs,
        "output": output,
        "dataset_name": dataset_name,
        "recipe.mode": None if augmented is None else ("augmented" if augmented else "grid"),
        "recipe.yaw": yaw,
        "recipe.pitch": pitch,
        "recipe.yaw_per_pitch": yaw_per_pitch,
        "recipe.hdr_switch": hdr_switch,
        "recipe.fit": fit,
        "recipe.file_lights": file_lights,
        "seed": seed,
        "render.resolution": resolution,
        "render.samples": samples,
        "render.denoise": denoise,
        "render.format": format_,
        "render.bit_depth": None if bit_depth is None else _number(bit_depth),
        "render.view_transform": view_transform,
        "views_per_task": views_per_task,
    }
    spec, base = read_request(paths or [], flags)
    code = render_request(spec, base=base, workers=workers, device=device, dry_run=dry_run)
    if code:
        raise typer.Exit(code)


def _number(text: str) -> int | str:
    """Return a number where `text` is one: a choice of numbers does not take words."""
    return int(text) if text.isdecimal() else text
