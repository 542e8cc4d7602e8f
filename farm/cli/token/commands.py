"""`farm token`: make, list, change and revoke tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from farm.errors import SpecError
from farm.spec.role import MAY, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from farm.spec.wire import TokenInfo
    from farm.tokens import TokenBook

token = typer.Typer(
    help="Make, list, change and revoke tokens; needs the farm's storage.", no_args_is_help=True
)
ROLES = "; ".join(f"{role}: {may}" for role, may in MAY.items())
ROLES += "; each may do what those before it may."
Storage = Annotated[str | None, typer.Option(help="The farm's storage. (default: FARM_STORAGE)")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TokenId = Annotated[str, typer.Argument(help="Id of the token: `farm token list` shows it.")]
QUOTA_HELP = "Most bytes of its owner's uploads and datasets: 500MB, 50GB; none: FARM_QUOTA_BYTES."
VIEWS_HELP = "Most views that its owner submits a day (UTC); none: FARM_VIEWS_PER_DAY."


@token.command("create")
def create_token(  # noqa: PLR0913 - one parameter per flag
    name: Annotated[
        str, typer.Option(help="Who will use the token; jobs and uploads belong to this name.")
    ],
    role: Annotated[str, typer.Option(help=ROLES)] = "submit",
    expires: Annotated[
        str, typer.Option(help="When it stops working: 90d, 12w, 1y, 2030-01-31 or never.")
    ] = "1y",
    quota: Annotated[str, typer.Option(help=QUOTA_HELP)] = "none",
    views_per_day: Annotated[str, typer.Option(help=VIEWS_HELP)] = "none",
    storage: Storage = None,
    *,
    json: Json = False,
) -> None:
    """Make a token and print it, once: only a hash of it is kept.

    Example:  farm token create --name ada --expires 90d --quota 50GB
    """
    from time import time

    from farm.cli.token.limits import read_expiry, read_quota, read_views
    from farm.spec.hint import none_of
    from farm.tokens import name_fault

    if role not in get_args(Role):
        raise SpecError(f"--role: {none_of(role, get_args(Role))}")
    if fault := name_fault(name):
        raise SpecError(f"--name: {fault}")
    book, name = _book(storage), name.strip()
    expires_s, bytes_, views = (
        read_expiry(expires, now_s=time()),
        read_quota(quota),
        read_views(views_per_day),
    )
    names = {info.name for info in book.list()}
    alike = sorted(each for each in names - {name} if each.casefold() == name.casefold())
    secret, info = book.create(
        name, cast("Role", role), expires_s=expires_s, quota_bytes=bytes_, views_per_day=views
    )
    if name in names:
        typer.echo(f"note: {name} has a token already; both own the same jobs", err=True)
    if alike:
        told = f"note: {name} is another user than {', '.join(alike)}: names differ by case, too"
        typer.echo(told, err=True)
    if json:
        from json import dumps

        typer.echo(dumps({"token": secret, **info.model_dump(mode="json")}))
        return
    typer.echo(f"{info.role} token for {name}, {ending(info)}; it is not shown again:", err=True)
    typer.echo(secret)


@token.command("list")
def list_tokens(storage: Storage = None, *, json: Json = False) -> None:
    """List the tokens, without their secrets: when they expire, when they were used last.

    Example:  farm token list
    """
    found = sorted(_book(storage).list(), key=lambda info: info.created_s)
    if json:
        from json import dumps

        typer.echo(dumps([info.model_dump(mode="json") for info in found]))
        return
    from farm.cli.token.table import table, warnings

    if not found:
        typer.echo("there are no tokens; farm token create --name NAME makes one", err=True)
        return
    for line in table(found):
        typer.echo(line)
    _warn(warnings(found))


@token.command("change")
def change_token(  # noqa: PLR0913 - one parameter per flag
    token_id: TokenId,
    expires: Annotated[
        str | None, typer.Option(help="When it stops working: 90d, 12w, 1y, 2030-01-31 or never.")
    ] = None,
    quota: Annotated[str | None, typer.Option(help=QUOTA_HELP)] = None,
    views_per_day: Annotated[str | None, typer.Option(help=VIEWS_HELP)] = None,
    storage: Storage = None,
    *,
    json: Json = False,
) -> None:
    """Change when a token expires, or its quotas; its user keeps the same secret.

    Example:  farm token change 0123456789ab --expires 1y
    """
    from time import time

    from farm.cli.token.limits import read_expiry, read_quota, read_views

    changes: dict[str, float | None] = {}
    if expires is not None:
        changes["expires_s"] = read_expiry(expires, now_s=time())
    if quota is not None:
        changes["quota_bytes"] = read_quota(quota)
    if views_per_day is not None:
        changes["views_per_day"] = read_views(views_per_day)
    if not changes:
        raise SpecError("nothing to change: give --expires, --quota or --views-per-day")
    info = _book(storage).change(token_id, **changes)
    if info is None:
        raise _unknown(token_id)
    if json:
        typer.echo(info.model_dump_json())
        return
    from farm.cli.token.table import quota_words

    typer.echo(f"{info.role} token of {info.name}: {ending(info)}, {quota_words(info)}")


@token.command("revoke")
def revoke_token(token_id: TokenId, storage: Storage = None) -> None:
    """Revoke a token; it stops working within seconds.

    Example:  farm token revoke 0123456789ab
    """
    if not _book(storage).revoke(token_id):
        raise _unknown(token_id)
    typer.echo(f"{token_id} is revoked")


def ending(info: TokenInfo) -> str:
    """Say when a token stops working."""
    from farm.tokens import moment

    return "never expires" if info.expires_s is None else f"expires {moment(info.expires_s)}"


def _warn(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        typer.echo(f"warning: {sentence}", err=True)


def _unknown(token_id: str) -> SpecError:
    return SpecError(f"there is no token {token_id!r}; `farm token list` shows them")


def _book(storage: str | None) -> TokenBook:
    from farm.settings import load_settings
    from farm.storage import open_storage
    from farm.tokens import TokenBook

    return TokenBook(open_storage(str(load_settings(storage=storage).storage)))
