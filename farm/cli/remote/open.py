"""`farm open`: the farm, or a job, in a browser."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from farm.cli.remote.farm_options import Json, err_console, farm_client, print_json, say


def open_(
    job: Annotated[
        str | None,
        typer.Argument(metavar="JOB", help="Name or id of a job, or `last`; left out: the farm."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Open the farm's page, or that of a job, in a browser that is logged in by that.

    Example:  farm open chairs
    """
    import webbrowser

    from farm.spec.wire import OpenedPage

    with farm_client() as client:
        place = f"/jobs/{client.job(job).job_id}" if job else "/"
        address = f"{client.url}/enter/{client.sign_in_code()}?next={quote(place)}"
        page = f"{client.url}{place}"
    if json:  # for whoever opens it otherwise
        print_json(OpenedPage(page=page, address=address))
    elif webbrowser.open(address):
        say(err_console(), f"opened {page}")
    else:
        say(err_console(), f"no browser can be opened here; the page is {page}, and logs in with")
        typer.echo(address)


open_.__name__ = "open"  # the command; in Python the word is taken
