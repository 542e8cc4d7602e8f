"""`farm submit`: a spec and its files to a farm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.cli.remote.farm_options import (
    PATIENT_S,
    Json,
    Trace,
    Yes,
    confirm,
    err_console,
    farm_client,
    interruptible,
    print_json,
    say,
)
from farm.cli.request.flags import WHERE, Request, takes_spec
from farm.errors import RequestRefusedError, SetupError

if TYPE_CHECKING:
    from rich.console import Console

    from farm.client import Client
    from farm.client.prepared_job import PreparedJob
    from farm.library.hashes import Watch
    from farm.library.survey import Watch as Looking
    from farm.spec.wire import JobInfo, WorkerInfo

NO_ROOM = 507
"""Status of the farm's answer where a job would not fit on its storage."""
BIG_BYTES = 64_000_000
"""Smallest size of files that get a bar while they are hashed."""


@takes_spec
def submit(  # noqa: PLR0913 - one parameter per flag
    request: Request,
    *,
    priority: Annotated[
        int, typer.Option(min=-100, max=100, help="Higher goes first.", rich_help_panel=WHERE)
    ] = 0,
    on_shared_storage: Annotated[
        bool,
        typer.Option(
            "--on-shared-storage",
            help="The workers see the files under the same paths: upload nothing.",
            rich_help_panel=WHERE,
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What to call the job in other commands. (default: the dataset's name, or its id)",
            rich_help_panel=WHERE,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and stop.")] = False,
    yes: Yes = False,
    trace: Trace = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show the job until it is over, as `farm watch` does.")
    ] = False,
    json: Json = False,
) -> None:
    """Submit a dataset to a farm: check it, show a plan, ask, upload what the farm lacks.

    Takes the same spec and flags as `farm render`; the same request again finds the same job.

    Example:  farm submit spec.yaml --name chairs --priority 10
    """
    spec, base = request()
    console = err_console()
    with interruptible("stopped; run the same command again to resume") as interrupt:
        with farm_client(patience_s=PATIENT_S) as client:
            client.whoami()  # before minutes of hashing
            with _hashing(console) as (watch, looking):
                order = client.prepare(
                    spec,
                    base=base,
                    priority=priority,
                    name=name,
                    on_shared_storage=on_shared_storage,
                    trace=trace,
                    watch=watch,
                    looking=looking,
                )
            seen = _checked(console, client, order, yes=yes, dry_run=dry_run)
            plan = _plan(client, order, seen)
            if dry_run:
                _tell_plan(console, plan, order, seen, json=json)
                return
            job = _placed(console, client, order, plan, yes=yes)
        interrupt.sentence = f"the job continues; `farm watch {word_for(job)}` shows it"
        if not json:
            _print_next(console, job, there=is_there(seen), wait=wait)
            if is_there(seen):
                _tell_name(console, job, was=seen.name, wanted=name)
        if wait:
            _watch(job, json=json)
        elif json:
            print_json(job)


def _placed(
    console: Console, client: Client, order: PreparedJob, plan: dict[str, Any], *, yes: bool
) -> JobInfo:
    """Show the plan of an order, ask, upload what the farm lacks, and place it."""
    from farm.local.plan.objections import too_long

    if not plan["already_there"]:
        _print_plan(console, plan, order)
        confirm("submit it?", yes=yes, default=too_long(plan["seconds"]) is None)
    _upload(console, client, order, client.missing(order))
    return client.place(order)


def _tell_plan(
    console: Console, plan: dict[str, Any], order: PreparedJob, seen: JobInfo, *, json: bool
) -> None:
    """Print what a submission would come to."""
    if json:
        print_json(plan)
        return
    _print_plan(console, plan, order)
    if is_there(seen):
        from farm.cli.remote.sentences import already_there

        say(console, already_there(seen))


def _watch(job: JobInfo, *, json: bool) -> None:
    """Show a job until it is over; leave with the code that says how it ended."""
    from farm.cli.remote.watch import watch_job

    with farm_client(patience_s=PATIENT_S) as client:
        code = watch_job(client, job.job_id, said=word_for(job), json=json)
    if code:
        raise typer.Exit(code)


def _checked(
    console: Console, client: Client, order: PreparedJob, *, yes: bool, dry_run: bool
) -> JobInfo:
    """Return what the farm makes of an order, before it is placed."""
    if not order.is_known:
        _let_the_farm_look(console, client, order, yes=yes, dry_run=dry_run)
    try:
        return client.validate(order)
    except RequestRefusedError as error:
        if error.status == NO_ROOM and order.is_known:
            _print_plan(console, _plan(client, order, None), order)
        raise


def _let_the_farm_look(
    console: Console, client: Client, order: PreparedJob, *, yes: bool, dry_run: bool
) -> None:
    """Upload the files of a job of which nobody here knows what is in them."""
    from farm.cli.progress import file_size
    from farm.spec.counted import counted

    if dry_run:
        raise SetupError(
            "a plan needs a look into the scenes: pip install 'viewfarm[worker]' on Python 3.13, "
            "or submit without --dry-run and let the farm look"
        )
    missing = client.missing(order)
    files = f"{len(missing):,} of {counted(len(order.files), 'file')}"
    upload = f"{files}, {file_size(order.size_bytes(missing))}"
    say(console, "the farm looks into the scenes, since this machine cannot: it has no Blender")
    confirm(f"upload {upload}?", yes=yes or not missing, default=True)
    _upload(console, client, order, missing)


def _plan(client: Client, order: PreparedJob, seen: JobInfo | None) -> dict[str, Any]:
    from farm.client.prepared_job import estimate

    if seen is not None and not order.is_known:
        return _what_the_farm_said(client, order, seen)
    missing = client.missing(order)
    workers = _takers(client)
    plan, seconds = estimate(order, workers)
    return {
        **plan.assets,
        "tasks": plan.tasks,
        "views": plan.views,
        "datasets": plan.datasets,
        "dataset_bytes": plan.size_bytes,
        "files": len(order.files),
        "upload_files": len(missing),
        "upload_bytes": order.size_bytes(missing),
        "workers": len(workers),
        "seconds": None if seconds is None else round(seconds),
        "priority": order.submission.priority,
        "already_there": is_there(seen),
    }


def _takers(client: Client) -> tuple[WorkerInfo, ...]:
    """Return the workers that are given tasks."""
    return tuple(worker for worker in client.workers() if worker.takes_tasks)


def _what_the_farm_said(client: Client, order: PreparedJob, seen: JobInfo) -> dict[str, Any]:
    """Return the plan of a job that only the farm can count."""
    counts = {role.name: len(order.job.of(role.name)) for role in order.job.spec.recipe.roles}
    return {
        **counts,
        "tasks": seen.tasks,
        "views": seen.views,
        "datasets": 1,
        "dataset_bytes": None,
        "files": len(order.files),
        "upload_files": 0,
        "upload_bytes": 0,
        "workers": len(_takers(client)),
        "seconds": None,
        "priority": order.submission.priority,
        "already_there": is_there(seen),
    }


def _print_plan(console: Console, plan: dict[str, Any], order: PreparedJob) -> None:
    from farm.cli.progress import duration, file_size
    from farm.local.plan.objections import too_long
    from farm.spec.counted import counted

    render = order.job.render
    width, height = render.resolution_px
    rough = "unknown"
    if order.is_known:
        rough = "unknown: no worker has rendered yet"
    if plan["seconds"] is not None:
        rough = f"roughly {duration(plan['seconds'])} at the workers' recent speed"
    size = "" if plan["dataset_bytes"] is None else f", about {file_size(plan['dataset_bytes'])}"
    files = f"{plan['upload_files']:,} of {counted(plan['files'], 'file')}"
    upload = f"{files}, {file_size(plan['upload_bytes'])}"
    rows = {
        **{f"{role.word}s": plan[role.name] for role in order.job.spec.recipe.roles},
        "views": f"{plan['views']:,} in {counted(plan['tasks'], 'task')}",
        "picture": f"{width} x {height} px, {render.samples} samples, {render.format}",
        "datasets": f"{plan['datasets']}{size}",
        "upload": upload if order.files else "nothing: the workers see the files",
        "time": f"{rough}; {counted(plan['workers'], 'worker')}",
    }
    for name, value in rows.items():
        say(console, f"{name:<9} {value}")
    if objection := too_long(plan["seconds"]):
        say(console, f"note: {objection}")


def _upload(console: Console, client: Client, order: PreparedJob, missing: list[str]) -> None:
    if not missing:
        return
    from farm.cli.remote.download import bytes_bar

    with bytes_bar(console, "uploading") as (listed, sent):
        listed(order.size_bytes(missing))
        client.upload(order, missing, sent=sent)


def is_there(seen: JobInfo | None) -> bool:
    """Say whether the farm has the job already that an order asks for."""
    return seen is not None and seen.state != "valid"


def word_for(job: JobInfo) -> str:
    """Return the word that commands may call a job by which was just submitted."""
    from farm.client.lookup import handle

    return handle(job)


def _print_next(console: Console, job: JobInfo, *, there: bool, wait: bool) -> None:
    from farm.cli.remote.jobs import next_commands
    from farm.cli.remote.sentences import already_there
    from farm.client.lookup import label, short_id

    say(console, already_there(job) if there else f"submitted {label(job)}")
    if wait:
        return
    if there:  # perhaps not the newest of its name
        for line in next_commands(job, short_id(job)):
            say(console, line)
        return
    for command in ("watch", "open", "status", "download"):
        say(console, f"  farm {command} {word_for(job)}")


def _tell_name(console: Console, job: JobInfo, *, was: str, wanted: str | None) -> None:
    """Say whether a job that was there before has taken the name that was asked for."""
    from farm.client.lookup import short_id
    from farm.client.text import printable

    if job.name != was and was != job.job_id:
        say(console, f"note: it was called {printable(was, limit=60)!r} until now")
    if wanted and job.name != wanted.strip():
        whose = printable(job.owner or "somebody else", limit=60)
        say(console, f"note: it belongs to {whose} and keeps its name; {short_id(job)} means it")


@contextmanager
def _hashing(console: Console) -> Iterator[tuple[Watch, Looking]]:
    """Yield what shows the progress of hashing big files, and then of looking into scenes."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from farm.cli.progress import show_looking
    from farm.client.text import printable

    columns = (TextColumn("hashing {task.fields[name]}", markup=False), BarColumn())
    shown = console.is_terminal
    with (
        show_looking(console) as show,
        Progress(
            *columns, DownloadColumn(), console=console, transient=True, disable=not shown
        ) as progress,
    ):
        bar = progress.add_task("", total=None, visible=False, name="")

        def watch(path: Path, done: int, size: int) -> None:
            if size >= BIG_BYTES:
                name = printable(path.name, limit=40)
                progress.update(bar, completed=done, total=size, name=name, visible=done < size)

        def looking(done: int, total: int, name: str) -> None:
            progress.stop()  # only one thing at a time may move on a terminal
            show(done, total, name)

        yield watch, looking
