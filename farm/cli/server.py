"""`farm api` and `farm dispatcher`: the server's side."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.errors import needing

SERVER = ("the server needs", "pip install 'viewfarm[server]'")


def api(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all interfaces.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
) -> None:
    """Serve the API of the farm that FARM_REDIS_URL and FARM_STORAGE name."""
    with needing(*SERVER):
        from farm.api.server import serve
    from farm.settings import load_settings

    serve(load_settings(), host=host, port=port)


def dispatcher() -> None:
    """Feed the workers and finish their datasets, until told to stop."""
    with needing(*SERVER):
        from farm.serve.service import serve
    from farm.settings import load_settings

    serve(load_settings())
