"""Jobs and workers in words: tables, facts, and one line for a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from farm.cli.progress import duration, file_size
from farm.cli.remote.farm_options import failed_tasks
from farm.cli.remote.sentences import newest_failures, state_words
from farm.client.lookup import SHORT, is_named
from farm.client.text import printable
from farm.spec.counted import counted
from farm.spec.stream import StreamState
from farm.spec.wire import Deletion, JobInfo, WorkerInfo

STYLES = {
    "running": "cyan",
    "completed": "green",
    "failed": "red",
    "paused": "yellow",
    "cancelling": "yellow",
    "cancelled": "yellow",
}
TASK_ORDER = (
    "done",
    "running",
    "queued",
    "pending",
    "failed",
    "set aside",
    "left out",
    "cancelled",
)
NAMES_SHOWN = 10
WIDE = 60


def cell(text: str, *, style: str = "", limit: int | None = WIDE) -> Text:
    """Return a stranger's words, made safe for a table."""
    return Text(printable(text, limit=limit), style=style)


def jobs_table(jobs: Sequence[JobInfo]) -> Table:
    """List jobs, on 80 columns if need be: long names are cut, and failures shown if there are any.

    The ids are as long as it takes to tell these jobs apart.
    """
    some_failed = any(map(failed_tasks, jobs))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("ID", "NAME", "OWNER", "STATE", "VIEWS", "DONE", "FAILED", "AGE"):
        if column != "FAILED" or some_failed:
            table.add_column(column, no_wrap=column not in ("NAME", "OWNER"))
    length = id_length(jobs)
    for job in jobs:
        table.add_row(
            cell(job.job_id[:length]),
            elastic(job.name if is_named(job) else "-"),
            elastic(job.owner or "-"),
            cell(job.state, style=STYLES.get(job.state, "")),
            f"{job.views_done:,}/{job.views:,}",
            percent(job),
            *([f"{failed_tasks(job):,}" if failed_tasks(job) else ""] if some_failed else []),
            rough_age(job.created_s),
        )
    return table


def id_length(jobs: Sequence[JobInfo]) -> int:
    """Return how many characters tell the ids of these jobs apart, no fewer than usual."""
    length = SHORT
    while len({job.job_id[:length] for job in jobs}) < len({job.job_id for job in jobs}):
        length += 1
    return length


def elastic(text: str) -> Text:
    """Return a stranger's words, made safe for a table, that give way where room is short."""
    return Text(printable(text, limit=WIDE), no_wrap=True, overflow="ellipsis")


def workers_table(workers: Iterable[WorkerInfo]) -> Table:
    """List workers; what none of them tells has no column."""
    found = list(workers)
    measured = [title for title, told in GAUGES.items() if any(map(told, found))]
    table = _table("WORKER", "HOST", "DEVICE", "TASK", "SPEED", *measured, "SEEN")
    for worker in found:
        table.add_row(
            cell(worker.name),
            cell(worker.host),
            cell(worker.device),
            work_cell(worker),
            speed(worker.views_per_s),
            *(GAUGES[title](worker) for title in measured),
            f"{duration(worker.last_seen_s)} ago",
        )
    return table


def work_cell(worker: WorkerInfo) -> Text:
    """Return what a worker does, or why it does nothing."""
    if worker.drained:
        return cell(f"drains, {worker.task}" if worker.task else "drained", style="yellow")
    if worker.quarantine:
        return cell("quarantine", style="red")
    if worker.state == "warming":
        return cell("warming: compiles kernels", style="yellow")
    return cell(worker.task or "idle")


def sampling_words(worker: WorkerInfo) -> str:
    """Return how much of the last minutes a worker sampled."""
    return "" if worker.sampling_share is None else f"{100 * worker.sampling_share:.0f} %"


def gpu_words(worker: WorkerInfo) -> str:
    """Return how warm a worker's GPU is, and what it takes."""
    told = []
    if worker.temperature_c is not None:
        told.append(f"{worker.temperature_c:.0f} °C")
    if worker.power_w is not None:
        told.append(f"{worker.power_w:.0f} W")
    return " ".join(told)


GAUGES: dict[str, Callable[[WorkerInfo], str]] = {"SAMPLES": sampling_words, "GPU": gpu_words}
"""Columns that only some workers fill."""


def job_facts(job: JobInfo) -> RenderableType:
    """Print everything known about a job."""
    table = Table.grid(padding=(0, 2))
    rows = {
        "job": f"{job.name}  (id {job.job_id})" if is_named(job) else job.job_id,
        "owner": job.owner or "nobody: it is older than owners are",
        "state": state_words(job),
        "since": f"submitted {age(job.created_s)} ago, priority {job.priority}",
        "tasks": f"{task_counts(job)} of {job.tasks:,}",
        "views": f"{job.views_done:,} of {job.views:,} ({percent(job)})",
    }
    if job.views_per_s:
        eta = "" if job.eta_s is None or job.state == "paused" else f", ETA {duration(job.eta_s)}"
        rows["speed"] = f"{speed(job.views_per_s)}{eta}"
    rows |= passes_row(job)
    if job.stream is not None:
        rows["stream"] = stream_words(job.stream)
    if job.waits_for:
        rows["waits for"] = job.waits_for
    if job.finishing:
        rows["datasets"] = "views.jsonl, dataset.json and the previews are being made"
    for name, value in rows.items():
        table.add_row(name, cell(value, limit=None))
    for number, failure in enumerate(newest_failures(job)):
        table.add_row("failures" if number == 0 else "", cell(failure, style="red", limit=500))
    return table


def passes_row(job: JobInfo) -> dict[str, str]:
    """Say to which job's views a job adds passes, or which one adds to its own, if any does."""
    if job.adds_to is not None:
        return {"adds to": f"the views of job {job.adds_to}"}
    return {"passes": f"being added by job {', '.join(job.added_by)}"} if job.added_by else {}


def stream_words(stream: StreamState) -> str:
    """Say how a stream stands: what was given out, what waits, and how much it takes."""
    return (
        f"{stream.handed} of {counted(stream.length, 'sample')} given out, "
        f"{stream.acknowledged} acknowledged, {stream.ready} wait; "
        f"{stream.credits} credits of {counted(stream.consumers, 'consumer')}; "
        f"{file_size(stream.size_bytes)} of {file_size(stream.bound_bytes)}"
    )


def live_view(job: JobInfo, workers: Iterable[WorkerInfo]) -> RenderableType:
    """Show an unfinished job, with the workers that render it."""
    bar = Table.grid(padding=(0, 1))
    done = ProgressBar(total=max(job.views, 1), completed=job.views_done, width=40)
    bar.add_row(cell(job.name), done, percent(job), cell(job_line(job), limit=200))
    parts: list[RenderableType] = [bar]
    mine = [worker for worker in workers if (worker.task or "").startswith(f"{job.job_id}/")]
    if mine:
        parts.append(workers_table(mine))
    parts += [cell(text, style="red", limit=300) for text in newest_failures(job)]
    return Group(*parts)


def job_line(job: JobInfo) -> str:
    """Return the state of a job in one line."""
    parts = [job.state, f"{job.views_done}/{counted(job.views, 'view')}"]
    if failed_tasks(job):
        parts.append(f"{failed_tasks(job)} failed")
    if job.waits_for:
        parts.append(f"waits for: {job.waits_for}")
    if job.finishing:
        parts.append("its datasets are being finished")
    if job.views_per_s:
        parts.append(speed(job.views_per_s))
    if job.eta_s is not None:
        parts.append(f"ETA {duration(job.eta_s)}")
    return "  ".join(parts)


def deletion_words(deletion: Deletion) -> str:
    """Say what a deletion removes."""
    some = "".join(f"\n  {name}" for name in deletion.names[:NAMES_SHOWN])
    more = "\n  ..." if deletion.files > len(deletion.names[:NAMES_SHOWN]) > 0 else ""
    return f"{counted(deletion.files, 'file')}, {file_size(deletion.size_bytes)}{some}{more}"


def task_counts(job: JobInfo) -> str:
    """Return the tasks in each state, as `5 done, 1 failed`."""
    known = [state for state in TASK_ORDER if job.counts.get(state)]
    others = [state for state in job.counts if state not in TASK_ORDER and job.counts[state]]
    return ", ".join(f"{job.counts[state]} {state}" for state in (*known, *others)) or "none"


def percent(job: JobInfo) -> str:
    """Return the share of the views that is done; 100 % means all."""
    return f"{100 * job.views_done // max(job.views, 1)} %"


def speed(views_per_s: float | None) -> str:
    """Return a speed as people write it."""
    return "" if not views_per_s else f"{views_per_s:.2f} views/s"


def age(created_s: float) -> str:
    """Return how long ago something was."""
    return duration(max(0, round(time.time() - created_s)))


def rough_age(created_s: float) -> str:
    """Return how long ago something was, to its largest unit: `3 h`."""
    return " ".join(age(created_s).split(" ")[:2])


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table
