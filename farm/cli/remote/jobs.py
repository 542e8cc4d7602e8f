"""`farm jobs`, `status`, `logs`, `wait`, and the commands that steer a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.remote.farm_options import (
    PATIENT_S,
    JobName,
    Json,
    Yes,
    confirm,
    err_console,
    exit_code,
    farm_client,
    interruptible,
    out_console,
    print_json,
    say,
)

if TYPE_CHECKING:
    from farm.client import Client
    from farm.spec.wire import JobInfo, TaskInfo, TasksChanged

LOGS_SHOWN = 10

Tasks = Annotated[
    list[int] | None,
    typer.Option("--task", metavar="N", min=0, help="The task of this number; may be repeated."),
]
Cause = Annotated[
    str, typer.Option(metavar="CAUSE", help="Those given up by a cause, such as asset or killed.")
]
AssetName = Annotated[
    str, typer.Option("--asset", metavar="FILE", help="Those that take an asset of the job.")
]


def jobs(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Only jobs of this name, or whose id begins so."),
    ] = None,
    *,
    mine: Annotated[bool, typer.Option("--mine", help="Only jobs of this token's owner.")] = False,
    state: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    json: Json = False,
) -> None:
    """List the farm's jobs, the newest first. Of ids it shows as much as commands need.

    Example:  farm jobs --mine --state running
    """
    with farm_client() as client:
        found = list(client.jobs(state=state))
        if mine:
            owner = client.whoami().name
            found = [job for job in found if job.owner == owner]
    if name is not None:
        from farm.client.lookup import matching

        found = matching(name, found)
    if json:
        print_json(found)
        return
    from farm.cli.remote.tables import jobs_table

    if found:
        out_console().print(jobs_table(found))
    else:
        whose = "you have no jobs" if mine else "there are no jobs"
        say(err_console(), f"{whose}{f' that are {state}' if state else ''}")


def status(
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="JOB", help="Its name, its id, or `last`; left out: the farm itself."
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Show the state of a job, and why it waits or fails; or that of the whole farm.

    Example:  farm status last
    """
    if job is None:
        from farm.cli.remote.farm_screen import show_farm

        show_farm(json=json)
        return
    with farm_client() as client:
        found = client.job(job)
    if json:
        print_json(found)
        return
    from farm.cli.remote.tables import job_facts

    out_console().print(job_facts(found))
    for line in next_commands(found, job):
        say(err_console(), line)


def next_commands(job: JobInfo, said: str) -> list[str]:
    """Return the commands that help with a job in this state, by the word that named it."""
    import shlex

    from farm.cli.remote.farm_options import failed_tasks

    verbs = []
    if failed_tasks(job):
        verbs += ["logs", "retry"]
    if job.state == "paused":
        verbs.append("resume")
    if job.state in ("queued", "running"):
        verbs += ["watch", "open"]
    if job.views_done:
        verbs.append("download")
    if job.state == "cancelled":
        verbs.append("delete")
    return [f"  farm {verb} {shlex.quote(said)}" for verb in verbs]


def wait(job: JobName, *, json: Json = False) -> None:
    """Wait until a job is over; the exit code says how it ended.

    Exit codes: 0 all is done, 1 some tasks failed, 3 it failed or was cancelled, 130 interrupted.

    Example:  farm wait last && farm download last
    """
    from farm.cli.remote.sentences import standing
    from farm.client.lookup import label

    with farm_client(patience_s=PATIENT_S) as client, interruptible("the job continues"):
        found = client.wait(job)
    if json:
        print_json(found)
    else:
        say(err_console(), f"{label(found)} {standing(found)}")
    _leave(exit_code(found))


def logs(
    job: JobName,
    task: Annotated[
        int | None,
        typer.Argument(metavar="TASK", help="Number of the task. (default: all tasks that failed)"),
    ] = None,
    *,
    attempt: Annotated[
        int | None, typer.Option(help="Number of the attempt. (default: the newest)")
    ] = None,
    json: Json = False,
) -> None:
    """Print the log of a task.

    Example:  farm logs last 12
    """
    with farm_client() as client:
        found = client.job(job)
        indices = [task] if task is not None else _failed(client, found)
        texts = {index: client.log(found.job_id, index, attempt=attempt) for index in indices}
    if json:
        print_json({"job_id": found.job_id, "logs": {str(k): text for k, text in texts.items()}})
        return
    from farm.client.text import printable

    for index, text in texts.items():
        if task is None:
            say(err_console(), f"task {index}:")
        typer.echo(printable(text, keep="\n\t").rstrip("\n"))
    if not texts:
        say(
            err_console(),
            f"none of its tasks has failed; `farm logs {job} 0` shows task 0",
        )


def _failed(client: Client, job: JobInfo) -> list[int]:
    from itertools import chain, islice

    states: list[TaskInfo] = list(
        islice(
            chain.from_iterable(
                client.tasks(job.job_id, state=state) for state in ("failed", "set aside")
            ),
            LOGS_SHOWN,
        )
    )
    return [task.index for task in states]


def pause(job: JobName, *, json: Json = False) -> None:
    """Stop handing out tasks of a job.

    Example:  farm pause last
    """
    _turn("pause", lambda client: client.pause(job), json=json)


def resume(job: JobName, *, json: Json = False) -> None:
    """Resume a paused job.

    Example:  farm resume last
    """
    _turn("resume", lambda client: client.resume(job), json=json)


def cancel(job: JobName, *, json: Json = False) -> None:
    """End a job; rendered views are kept.

    Example:  farm cancel last
    """
    _turn("cancel", lambda client: client.cancel(job), json=json)


def retry(  # noqa: PLR0913 - which tasks, each way by its name
    job: JobName,
    *,
    task: Tasks = None,
    cause: Cause = "",
    asset: AssetName = "",
    elsewhere: Annotated[
        bool, typer.Option("--elsewhere", help="At other workers than those where each failed.")
    ] = False,
    json: Json = False,
) -> None:
    """Try the failed tasks of a job again, or some of them, also those that were left out.

    Example:  farm retry last --cause killed --elsewhere
    """
    if not (task or cause or asset) and not elsewhere:
        _turn("retry", lambda client: client.retry(job), json=json)
        return
    check_picked(task, cause, asset)
    with farm_client() as client:
        told = client.retry_tasks(
            job, tasks=task or (), cause=cause, asset=asset, elsewhere=elsewhere
        )
    tell_changed(told, json=json)


def leave_out(
    job: JobName,
    *,
    task: Tasks = None,
    cause: Cause = "",
    asset: AssetName = "",
    json: Json = False,
) -> None:
    """Leave tasks out of a job, so that it completes without them; `farm retry` undoes it.

    Example:  farm leave-out last --asset chair.blend
    """
    check_picked(task, cause, asset)
    with farm_client() as client:
        told = client.leave_out(job, tasks=task or (), cause=cause, asset=asset)
    tell_changed(told, json=json)


leave_out.__name__ = "leave-out"


def check_picked(task: list[int] | None, cause: str, asset: str) -> None:
    """Make sure that it is said which tasks are meant.

    Raises:
        SpecError: It is not, or in two ways.
    """
    from farm.errors import SpecError
    from farm.spec.wire import MOST_PICKED

    if not (task or cause or asset):
        raise SpecError("say which tasks: --task N, --cause CAUSE or --asset FILE")
    if task and (cause or asset):
        raise SpecError("--task: leave it out, or leave out --cause and --asset")
    if task and len(task) > MOST_PICKED:
        raise SpecError(f"--task: {len(task)} are too many; name {MOST_PICKED} at a time")


def tell_changed(told: TasksChanged, *, json: bool) -> None:
    """Print what was done to tasks."""
    if json:
        print_json(told)
    else:
        say(err_console(), told.sentence)


def priority(
    job: JobName,
    number: Annotated[
        int, typer.Argument(metavar="N", min=-100, max=100, help="Higher goes first.")
    ],
    *,
    json: Json = False,
) -> None:
    """Change which job goes first.

    Example:  farm priority last -50
    """
    _turn("priority", lambda client: client.prioritise(job, number), json=json)


def _turn(verb: str, act: Callable[[Client], JobInfo], *, json: bool) -> None:
    with farm_client() as client:
        found = act(client)
    if json:
        print_json(found)
        return
    from farm.cli.remote.sentences import after

    say(err_console(), after(verb, found))


def delete(
    job: JobName,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete a job that is over, with its datasets.

    Example:  farm delete chairs --dry-run
    """
    from farm.cli.remote.tables import deletion_words
    from farm.client.lookup import label

    with farm_client() as client:
        found = client.job(job)
        deletion = client.delete(found.job_id, dry_run=True)
        if not dry_run:
            console = err_console()
            for line in f"{label(found)}: {deletion_words(deletion)}".splitlines():
                say(console, line)
            confirm("delete them?", yes=yes, default=False)
            deletion = client.delete(found.job_id, dry_run=False)
    if json:
        print_json(deletion)
        return
    word = "would remove" if deletion.dry_run else "removed"
    shown = deletion_words(deletion).splitlines()
    for line in (
        shown if deletion.dry_run else shown[:1]
    ):  # the names were shown before the question
        say(err_console(), f"{word} {line}" if line == shown[0] else line)


def _leave(code: int) -> None:
    if code:
        raise typer.Exit(code)
