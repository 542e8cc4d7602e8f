"""`farm up` and `farm down`: the whole farm on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farm.errors import needing

if TYPE_CHECKING:
    from farm.local.up.farm_folder import FarmFolder, UpState
    from farm.local.up.up import UpOptions

Storage = Annotated[
    Path,
    typer.Option(
        envvar="FARM_STORAGE", help="Folder for assets, jobs, datasets and the farm's own .farm/."
    ),
]
HERE = Path("farm-storage")  # as farm.local.up.farm_folder says, which is heavy


def up(  # noqa: PLR0913 - one parameter per flag
    *,
    storage: Storage = HERE,
    port: Annotated[int, typer.Option(help="Port of the API.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address that the API listens on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    flower_port: Annotated[int, typer.Option(help="Port of Flower, on this machine only.")] = 5555,
    workers: Annotated[str, typer.Option(help="How many, or auto: one per device.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:N or optix:N.")] = "auto",
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in the terminal; Ctrl-C ends the farm.")
    ] = False,
) -> None:
    """Start the whole farm on this machine: Redis, API, dispatcher, Flower, workers."""
    with needing("a farm needs", "pip install 'viewfarm[worker]' on Python 3.13"):
        import farm.queue  # noqa: F401 - its parts need it, and would say so late
        from farm.local.up import daemon
        from farm.local.up.farm_folder import FarmFolder
        from farm.local.up.up import UpOptions
    from farm.devices import choose_devices

    folder = FarmFolder(storage.expanduser().resolve())
    if state := folder.state():
        typer.echo(f"a farm already runs in {folder.storage}")
        raise typer.Exit(report(folder, state))
    options = UpOptions(
        storage=folder.storage,
        devices=tuple(choose_devices(device, workers)),
        host=host,
        port=port,
        flower_port=flower_port,
    )
    if foreground:
        stay(options)
        return
    first = folder.is_new
    flags = ["--storage", str(folder.storage), "--port", str(port), "--host", host]
    flags += ["--flower-port", str(flower_port), "--workers", workers, "--device", device]
    typer.echo(
        f"starting a farm in {folder.storage} with {len(options.devices)} x {options.devices[0]}"
    )
    state = daemon.start(folder, flags)
    log_in(state.url, folder.secrets().admin_token, replace=first)
    raise typer.Exit(report(folder, state))


def down(*, storage: Storage = HERE) -> None:
    """End the farm that `farm up` started in this folder; jobs resume at the next `farm up`."""
    from farm.local.up import daemon
    from farm.local.up.farm_folder import FarmFolder

    folder = FarmFolder(storage.expanduser().resolve())
    state = folder.state()
    if state is None:
        typer.echo(f"no farm runs in {folder.storage}; --storage names another folder")
        return
    daemon.end(folder, state)
    for part in state.parts:
        if part.pid is not None:
            typer.echo(f"ended {part.name} (process {part.pid})")
    typer.echo(f"the farm in {folder.storage} is down; its jobs resume at the next `farm up`")


def log_in(url: str, token: str, *, replace: bool) -> None:
    """Log this user in; replace a login to another farm only if asked to."""
    from farm.client.home import Home, Login

    home = Home.of_user()
    before = home.stored_login()
    if before is not None and not replace and "//127.0.0.1:" not in before.url:
        typer.echo(f"you are logged in to {before.url}; `farm login {url}` changes that")
        return
    home.save_login(Login(url, token))
    was = f" (before: {before.url})" if before and before.url != url else ""
    typer.echo(f"you are logged in to {url}{was}")


def stay(options: UpOptions) -> None:
    """Run the farm in this process until Ctrl-C or SIGTERM."""
    import logging
    import sys

    from rich.console import Console

    from farm.cli.render_run import stop_on_signal
    from farm.local.up.up import run_farm

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )

    def tell(state: UpState) -> None:
        names = ", ".join(f"{part.name} ({part.pid or part.problem})" for part in state.parts)
        logging.getLogger("farm").info("%s at %s: %s", state.phase, state.url, names)

    with stop_on_signal(Console(stderr=True, highlight=False)) as stop:
        run_farm(options, stop, tell)


def report(folder: FarmFolder, state: UpState) -> int:
    """Say where the farm is and what to do next; return 1 if a part of it cannot run."""
    keys = folder.secrets()
    rows = {
        "page": f"{state.url}  (`farm open` opens it; the API's reference: {state.url}/docs)",
        "token": f"{keys.admin_token[:18]}…  (admin; whole in {folder.folder}/secrets.json)",
        "Flower": f"{state.flower_url}  (user and password: {keys.flower_auth})",
        "storage": str(folder.storage),
        "logs": str(folder.log_folder),
    }
    for name, value in rows.items():
        typer.echo(f"{name:<8} {value}")
    for part in state.parts:
        if part.problem:
            typer.echo(f"problem: {part.name} does not run: {part.problem}", err=True)
    if state.phase != "ready":
        typer.echo("not all parts answer yet; see `farm doctor` and the logs", err=True)
    down = f"farm down --storage {folder.storage}"
    typer.echo(f"next:    farm submit --models MODELS --hdrs HDRS · farm workers · {down}")
    return 1 if any(part.problem for part in state.parts) else 0
