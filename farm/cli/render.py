"""`farm render`: a dataset on this machine, in one command."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.cli.remote.farm_options import Trace, Yes
from farm.cli.request.flags import WHERE, Request, takes_spec


@takes_spec
def render(  # noqa: PLR0913 - one parameter per flag
    request: Request,
    *,
    workers: Annotated[
        str, typer.Option(help="How many, or auto: one per device.", rich_help_panel=WHERE)
    ] = "auto",
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda:N or optix:N.", rich_help_panel=WHERE)
    ] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be rendered, and stop.")
    ] = False,
    page: Annotated[
        bool,
        typer.Option(
            "--page",
            help="Show it in a browser while it renders, and until Ctrl-C.",
            rich_help_panel=WHERE,
        ),
    ] = False,
    trace: Trace = False,
    yes: Yes = False,
) -> None:
    """Render a dataset on this machine.

    Starts a private Redis and a worker per device, renders what is missing, stops everything.
    Asks before it starts what does not fit on the disk, or takes longer than a week.

    Exit codes: 0 all views are rendered, 1 some failed, 2 the request is wrong, 130 stopped.
    """
    from farm.cli.render_run import render_request

    spec, base = request()
    code = render_request(
        spec,
        base=base,
        workers=workers,
        device=device,
        dry_run=dry_run,
        page=page,
        trace=trace,
        yes=yes,
    )
    if code:
        raise typer.Exit(code)
