"""`farm flower`: the queue and its workers in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farm.errors import needing


def flower(
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. (env: FARM_FLOWER_HOST)")
    ] = None,
    port: Annotated[int | None, typer.Option(help="(env: FARM_FLOWER_PORT)")] = None,
    db: Annotated[
        Path | None,
        typer.Option(help="File that keeps Flower's history. (env: FARM_FLOWER_DB)"),
    ] = None,
) -> None:
    """Show tasks and workers in a browser (Flower); FARM_FLOWER_AUTH holds user and password."""
    with needing("Flower needs", "pip install 'viewfarm[server]'"):
        from farm.flower import load_flower_settings, serve_flower
        from farm.settings import load_settings
    redis_url = load_settings().redis_url.get_secret_value()
    serve_flower(redis_url, load_flower_settings(host=host, port=port, db=db))
