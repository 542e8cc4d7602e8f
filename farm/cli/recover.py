"""`farm recover`: the jobs of a lost ledger, from what is on storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.server import SERVER
from farm.errors import needing

if TYPE_CHECKING:
    from farm.serve.restore import Found

SOME_LOST = 1

Storage = Annotated[str | None, typer.Option(help="The farm's storage. (default: FARM_STORAGE)")]
RedisUrl = Annotated[str | None, typer.Option(help="The farm's Redis. (default: FARM_REDIS_URL)")]


def recover(
    *,
    storage: Storage = None,
    redis_url: RedisUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per job.")] = False,
) -> None:
    """Restore the jobs that Redis has lost, from the specs and records on storage.

    The dispatcher does this by itself when it starts, and when Redis was restarted or emptied.
    Running it twice does no harm.
    """
    with needing(*SERVER):
        from farm.serve.restore import restore_each
    from farm.job_store import JobStore
    from farm.ledger import open_ledger
    from farm.settings import load_settings
    from farm.storage import open_storage

    settings = load_settings(storage=storage, redis_url=redis_url)
    place = open_storage(str(settings.storage))
    ledger = open_ledger(settings.redis_url.get_secret_value())
    told = []
    for found in restore_each(ledger, place, JobStore(place)):
        told.append(found)
        _tell(found, as_json=as_json)
    lost = sum(bool(found.problem) for found in told)
    restored = sum(found.restored for found in told)
    known = len(told) - lost - restored
    typer.echo(f"{restored} restored, {known} known, {lost} not readable", err=True)
    raise typer.Exit(SOME_LOST if lost else 0)


def _tell(found: Found, *, as_json: bool) -> None:
    from farm.spec.counted import counted

    if as_json:
        from json import dumps

        typer.echo(dumps(found._asdict()))
        return
    if found.problem:
        typer.echo(f"{found.job_id}  cannot be restored: {found.problem}")
        return
    how = "restored" if found.restored else "known"
    name = "" if found.name == found.job_id else f"  {found.name}"
    done = f"{found.done:,} of {counted(found.tasks, 'task')} done"
    typer.echo(f"{found.job_id}  {how:8}  {found.state:10}  {done}{name}")
