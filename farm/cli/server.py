"""`farm api`, `farm dispatcher`, `farm token`: the server's side."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.errors import needing

SERVER = ("the server needs", "pip install 'viewfarm[server]'")

token = typer.Typer(
    help="Make, list and revoke tokens; needs the farm's storage.", no_args_is_help=True
)


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


Storage = Annotated[str | None, typer.Option(help="The farm's storage. (default: FARM_STORAGE)")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@token.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="Who will use the token, for your own reference.")],
    role: Annotated[
        str,
        typer.Option(help="read (look, download), submit (upload, steer) or admin (delete)."),
    ] = "submit",
    storage: Storage = None,
    *,
    json: Json = False,
) -> None:
    """Make a token and print it, once: only a hash of it is kept."""
    from typing import cast, get_args

    from farm.errors import SpecError
    from farm.spec.hint import none_of
    from farm.spec.role import Role

    if role not in get_args(Role):
        raise SpecError(f"--role: {none_of(role, get_args(Role))}")
    if not name.strip() or len(name) > 80 or not name.isprintable():
        raise SpecError("--name: must be 1 to 80 plain characters")
    secret, info = _book(storage).create(name.strip(), cast("Role", role))
    if json:
        from json import dumps

        typer.echo(dumps({"token": secret, **info.model_dump(mode="json")}))
        return
    typer.echo(f"{info.role} token for {info.name}; it is not shown again:", err=True)
    typer.echo(secret)


@token.command("list")
def list_tokens(storage: Storage = None, *, json: Json = False) -> None:
    """List the tokens, without their secrets."""
    from time import localtime, strftime

    found = sorted(_book(storage).list(), key=lambda info: info.created_s)
    if json:
        from json import dumps

        typer.echo(dumps([info.model_dump(mode="json") for info in found]))
        return
    for info in found:
        made = strftime("%Y-%m-%d %H:%M", localtime(info.created_s))
        typer.echo(f"{info.token_id}  {info.role:6}  {made}  {info.name}")


@token.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="Id of the token: `farm token list` shows it.")],
    storage: Storage = None,
) -> None:
    """Revoke a token; it stops working within seconds."""
    from farm.errors import SpecError

    if not _book(storage).revoke(token_id):
        raise SpecError(f"there is no token {token_id!r}; `farm token list` shows them")
    typer.echo(f"{token_id} is revoked")


def _book(storage: str | None):  # type: ignore[no-untyped-def]  # its import is for inside
    from farm.settings import load_settings
    from farm.storage import open_storage
    from farm.tokens import TokenBook

    return TokenBook(open_storage(str(load_settings(storage=storage).storage)))
