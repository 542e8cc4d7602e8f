"""`farm add-passes farm:JOB`: passes that a farm adds to the views of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from farm.cli.remote.farm_options import (
    PATIENT_S,
    err_console,
    farm_client,
    interruptible,
    out_console,
    print_json,
    say,
)

if TYPE_CHECKING:
    from rich.console import Console

    from farm.spec.wire import AdditionInfo, JobInfo

SCHEME = "farm:"


def add_on_farm(  # noqa: PLR0913 - one parameter per flag
    place: str,
    passes: Sequence[str],
    *,
    any_blender: bool,
    priority: int,
    dry_run: bool,
    wait: bool,
    json: bool,
) -> None:
    """Let a farm add passes to the views of a job, and show how far it is until it is over."""
    from farm.client.lookup import handle

    name = place.removeprefix(SCHEME)
    with interruptible("stopped; run the same command again to resume") as interrupt:
        with farm_client(patience_s=PATIENT_S) as client:
            source = client.job(name)
            ask = client.plan_passes if dry_run else client.add_passes
            with err_console().status("the farm looks at all views of the job"):
                found = ask(source.job_id, passes, any_blender=any_blender, priority=priority)
        if dry_run or found.job is None:
            print_json(found) if json else print_plan(out_console(), found, source)
            return
        word = handle(found.job)
        interrupt.sentence = (
            f"the job goes on; `farm watch {word}` shows it, `farm cancel {word}` ends it"
        )
        if not json:
            print_plan(err_console(), found, source)
        elif not wait:
            print_json(found)
        follow(found.job, word, json=json, wait=wait)


def follow(job: JobInfo, word: str, *, json: bool, wait: bool) -> None:
    """Show a job until it is over, or say how that is done; leave with the code of its end."""
    from farm.cli.remote.watch import watch_job

    if not wait:
        for command in () if json else ("watch", "status", "cancel"):
            say(err_console(), f"  farm {command} {word}")
        return
    with farm_client(patience_s=PATIENT_S) as client:
        code = watch_job(client, job.job_id, said=word, json=json)
    if code:
        raise typer.Exit(code)


def print_plan(console: Console, found: AdditionInfo, source: JobInfo) -> None:
    """Say what is about to be added, and by what each view is proven."""
    from farm.client.lookup import label
    from farm.spec.counted import counted

    wanted = ", ".join(found.passes)
    if not found.missing:
        say(console, f"nothing to do: all {counted(found.views, 'view')} have {wanted}")
        return
    proven = f", proven by {', or '.join(found.proofs)}" if found.proofs else ""
    which = f" by job {label(found.job)}" if found.job is not None else ""
    say(
        console,
        f"{wanted} for {found.missing:,} of {counted(found.views, 'view')} of {label(source)} in "
        f"{counted(found.tasks, 'task')}{proven}{which}",
    )
