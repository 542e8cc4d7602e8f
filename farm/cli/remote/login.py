"""`farm login` and `farm logout`: which farm, and with which token."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from farm.cli.remote.farm_options import Json, err_console, print_json, say

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def login(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the farm.")],
    *,
    token: Annotated[
        str | None,
        typer.Option(
            help="The token, as `farm token` printed it. (default: FARM_TOKEN; else you are asked)"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Remember a farm and your token for it, after trying both.

    FARM_URL and FARM_TOKEN, where they are set, override what is remembered.

    Example:  farm login https://farm.example
    """
    from farm.client import Client
    from farm.client.home import ClientSettings, Home, Login, check_token, normal_url

    home, console, url = Home.of_user(), err_console(), normal_url(url)
    environment = ClientSettings()
    token = check_token(token or environment.secret or _ask_token())
    with Client(url, token, patience_s=0.0, home=home) as client:
        found = client.whoami()
        theirs, ours = client.connection.versions
    home.save_login(Login(url, token))
    if not _is_safe(url):
        say(console, "note: this is http, not https: anyone on the network path can read the token")
    for sentence in environment.overrides(Login(url, token)):
        say(console, f"note: {sentence}")
    if theirs not in (None, ours):
        say(console, f"note: the farm has version {theirs}, this is {ours}")
    if json:
        print_json(found)
    else:
        say(console, f"logged in to {url} as {found.name} ({found.role})")


def logout(*, json: Json = False) -> None:
    """Forget the farm and the token.

    Example:  farm logout
    """
    from farm.client.home import Home

    there = Home.of_user().forget_login()
    if json:
        print_json({"logged_out": there})
    else:
        say(err_console(), "logged out" if there else "there was no login to forget")


def _ask_token() -> str:
    from farm.errors import LoginError

    if sys.stdin.isatty():
        return str(typer.prompt("Token", hide_input=True, err=True))
    if line := sys.stdin.readline().strip():
        return line
    raise LoginError("the token is missing: set FARM_TOKEN, pipe it in, or pass --token", 401)


def _is_safe(url: str) -> bool:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK
