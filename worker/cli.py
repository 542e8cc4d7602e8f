"""The worker's commands; importing this loads neither Celery nor Blender."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.errors import needing


def worker(  # noqa: PLR0913 - one parameter per flag
    *,
    redis_url: Annotated[
        str | None,
        typer.Option(help="The farm's Redis; better in FARM_REDIS_URL, which `ps` does not show."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Storage that all share: a folder or s3://bucket/prefix. (env: FARM_STORAGE)"
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda:N or optix:N. (env: FARM_DEVICE)")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name, unique on this machine. (env: FARM_NAME)")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads for Cycles. (env: FARM_THREADS)")
    ] = None,
    require_gpu: Annotated[
        bool | None,
        typer.Option(
            "--require-gpu", help="Do not let `auto` choose the CPU. (env: FARM_REQUIRE_GPU)"
        ),
    ] = None,
    warm_kernels: Annotated[
        bool,
        typer.Option(
            "--warm-kernels",
            help="Let the driver compile the kernels of this machine's GPUs into "
            "FARM_KERNEL_CACHE, then stop: once for each host and driver.",
        ),
    ] = False,
    die_with_parent: Annotated[
        bool,
        typer.Option("--die-with-parent", help="Stop when the process that started this one ends."),
    ] = False,
) -> None:
    """Render tasks from a farm's queue on one device until told to stop."""
    with needing("a worker needs", "pip install 'viewfarm[worker]'"):
        from farm.settings import load_settings
        from worker.supervisor.service import serve
    settings = load_settings(
        redis_url=redis_url,
        storage=storage,
        device=device,
        name=name,
        threads=threads,
        require_gpu=require_gpu,
    )
    if warm_kernels:
        from worker.supervisor.warm_kernels import warm_up

        raise typer.Exit(warm_up(settings, typer.echo))
    raise typer.Exit(serve(settings, die_with_parent=die_with_parent))


def samples(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder for models/ and hdrs/.")],
    *,
    things: Annotated[
        bool,
        typer.Option(
            "--things", help="In place of the models, write things/ for --recipe tabletop."
        ),
    ] = False,
) -> None:
    """Write three sample models and three HDRIs, free to use, for a first dataset."""
    with needing("samples need", "pip install 'viewfarm[worker]'"):
        from worker.blender.samples import write_samples
    for path in write_samples(folder, things=things):
        typer.echo(path)


def scenes(
    files: Annotated[list[str], typer.Argument(help="Files, globs and folders of scenes.")],
    *,
    fps: Annotated[
        float | None,
        typer.Option(min=1e-3, help="Frames per second of files that state none, such as glTF."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what scenes have to be rendered as sequences: frames, cameras, animations, problems.

    Exit codes: 0 all can be used, 1 some cannot.
    """
    from worker.scene_table import show_scenes

    if not show_scenes(files, fps=fps, json=json):
        raise typer.Exit(1)
