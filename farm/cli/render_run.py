"""One run of `farm render` as the person at the terminal sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from farm import expand
from farm.cli.finished import NOTE, closing_lines, draft
from farm.cli.progress import duration, file_size, show_looking, show_progress
from farm.cli.remote.farm_options import confirm
from farm.dataset.finish import PREVIEW_FILE
from farm.dataset.nesting import check_alone
from farm.dataset.records.attribution import ATTRIBUTION_FILE
from farm.dataset.records.card import CARD
from farm.dataset.records.collect import DATASET_FILE
from farm.dataset.records.read import VIEWS_FILE
from farm.dataset.records.resume import find_finished
from farm.devices import choose_devices
from farm.errors import needing
from farm.local.folder_lock import hold_folder
from farm.local.job.status import Summary
from farm.local.plan.estimate import Estimate, make_estimate
from farm.local.plan.objections import too_large, too_long
from farm.local.plan.prepare import output_folder, prepare
from farm.spec.counted import counted
from farm.spec.job import Job, JobSpec
from farm.spec.recipes import RECIPES
from farm.storage import FolderStorage

if TYPE_CHECKING:
    from farm.dataset.records.resume import Finished
    from farm.local.page import JobPage
    from farm.local.receipt import Draft

INTERRUPTED = 130
SOME_FAILED = 1
SUMS = (VIEWS_FILE, DATASET_FILE, ATTRIBUTION_FILE, PREVIEW_FILE, CARD)
"""What sums a dataset up."""


def render_request(  # noqa: PLR0913 - one parameter per flag
    spec: JobSpec,
    *,
    base: Path,
    workers: str,
    device: str,
    dry_run: bool,
    page: bool = False,
    trace: bool = False,
    yes: bool = False,
) -> int:
    """Plan, render and report; return the exit code."""
    console = Console(stderr=True, highlight=False)
    if page:
        check_page()
    devices = choose_devices(device, workers)
    reading = draft.get()
    with show_looking(console) as watch:
        folder = output_folder(spec, base=base)
        job, remarks = prepare(spec, base=base, watch=watch, continues=folder, draft=reading)
        job = job.model_copy(update={"trace": trace})
    storage = FolderStorage(folder)

    told: list[str] = []

    def note(sentence: str) -> None:
        told.append(sentence)
        console.print(f"{NOTE}{escape(sentence)}", soft_wrap=True)

    for remark in remarks:
        note(remark)
    check_alone(storage, expand.datasets(job), flag="--output")
    if dry_run:
        finished = find_finished(job, storage, note)
        plan = make_estimate(job, devices=devices, views_done=finished.views)
        print_plan(plan, job, folder=storage.root, devices=devices)
        return 0
    with needing("rendering needs", "pip install 'viewfarm[worker]' on Python 3.13"):
        from farm.local.job.run import render_job
    with hold_folder(storage.root), ExitStack() as ending:
        finished = find_finished(job, storage, note)
        plan = make_estimate(job, devices=devices, views_done=finished.views)
        console.print(plan_line(plan, job, devices=devices))
        agree(plan, storage.root, note, yes=yes)
        shown = ending.enter_context(open_page(console, job, storage, finished)) if page else None
        bar = show_progress(console, views=plan.views, views_done=plan.views_done)
        with stop_on_signal(console) as stop, bar as report:
            summary = render_job(
                job,
                storage=storage,
                finished=finished,
                devices=devices,
                report=report,
                note=note,
                stop=stop,
                redis=shown.redis if shown else None,
            )
        print_summary(console, summary)
        if reading and set(told) <= {*remarks, *summary.remarks}:
            keep_receipt(reading, job, summary, root=storage.root, remarks=remarks, devices=devices)
        if shown and not summary.interrupted:
            keep_page(console, shown)
    if summary.interrupted:
        return INTERRUPTED
    return SOME_FAILED if summary.failures else 0


def keep_receipt(  # noqa: PLR0913 - what a receipt tells of
    reading: Draft,
    job: Job,
    summary: Summary,
    *,
    root: Path,
    remarks: Sequence[str],
    devices: list[str],
) -> None:
    """Keep what tells the same command that it has nothing to do, where all is rendered."""
    is_ours = RECIPES[job.spec.recipe.kind].expansion.startswith("farm.")
    if summary.views_there < summary.views or job.spec.recipe.runs_code or not is_ours:
        return
    plan = make_estimate(job, devices=devices, views_done=summary.views)
    notes = [f"{NOTE}{sentence}" for sentence in remarks]
    more = [f"{NOTE}{sentence}" for sentence in summary.remarks]
    found = [(each.folder, each.preview) for each in summary.datasets]
    reading.keep(
        root=root,
        outputs=[folder / name for folder, _ in found for name in SUMS],
        previews=job.render.previews,
        views=summary.views,
        said=[*notes, plan_line(plan, job, devices=devices), *more],
        folders=found,
    )


def check_page() -> None:
    """Make sure that this installation can serve pages.

    Raises:
        SetupError: It cannot.
    """
    with needing("the page needs", "pip install 'viewfarm[worker]' on Python 3.13"):
        import farm.local.page  # noqa: F401 - what it needs is known before any file is read


@contextmanager
def open_page(
    console: Console, job: Job, storage: FolderStorage, finished: Finished
) -> Iterator[JobPage]:
    """Serve the page of a job and open it in a browser, or say where it is."""
    from farm.local.page import job_page

    with job_page(job, storage, finished) as shown:
        console.print(f"page: {shown.place}", soft_wrap=True)
        if not opens(shown.address()):
            console.print("no browser can be opened here; this address logs one in, once:")
            console.print(shown.address(), soft_wrap=True)
        yield shown


def opens(address: str) -> bool:
    """Open an address in a browser of windows: one of text would take the run's terminal."""
    import webbrowser

    told = {"BROWSER", "DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    return bool(told or sys.platform == "darwin") and webbrowser.open(address)


def keep_page(console: Console, shown: JobPage) -> None:
    """Serve the page of a job that is over until somebody ends it."""
    shown.finish()
    with stop_on_signal(console, words="the page is closed") as stop:
        console.print(f"the page stays at {shown.place}; Ctrl-C ends it", soft_wrap=True)
        stop.wait()


def agree(plan: Estimate, folder: Path, note: Callable[[str], None], *, yes: bool) -> None:
    """Ask whether to render what does not fit, or takes too long.

    Raises:
        SetupError: There is nobody to ask.
    """
    against = [too_large(plan.size_bytes, folder), too_long(plan.seconds)]
    for objection in filter(None, against):
        note(objection)
    if any(against):
        confirm("render it all the same?", yes=yes, default=False)


def of_what(plan: Estimate, job: Job) -> str:
    """Say how many assets of each role a job has: `3 models x 2 HDRIs`."""
    roles = [role for role in job.spec.recipe.roles if plan.assets[role.name]]
    return " x ".join(counted(plan.assets[role.name], role.word) for role in roles)


def plan_line(plan: Estimate, job: Job, *, devices: list[str]) -> str:
    """Say in one line what is about to happen."""
    there = f"{plan.views_done:,} of them already rendered"
    known = f", {there}" if plan.views_done else ""
    rough = f", roughly {duration(plan.seconds)}" if plan.views > plan.views_done else ""
    return (
        f"{of_what(plan, job)}: "
        f"{counted(plan.views, 'view')} in {counted(plan.tasks, 'task')}"
        f"{known}; {len(devices)} x {devices[0]}{rough}"
    )


def print_plan(plan: Estimate, job: Job, *, folder: Path, devices: list[str]) -> None:
    """Print what would be rendered."""
    width, height = job.render.resolution_px
    left = plan.views - plan.views_done
    against = filter(None, (too_large(plan.size_bytes, folder), too_long(plan.seconds)))
    rows = {
        "job": job.job_id,
        **{f"{role.word}s": str(plan.assets[role.name]) for role in job.spec.recipe.roles},
        "datasets": f"{plan.datasets} in {folder}",
        "tasks": f"{plan.tasks:,}",
        "views": f"{plan.views:,} ({plan.views_done:,} done, {left:,} to render)",
        "picture": f"{width} x {height} px, {job.render.samples} samples"
        f"{noise_of(job)}, {job.render.format}, "
        f"{job.render.bit_depth} bit, {job.render.view_transform}",
        "size": f"about {file_size(plan.size_bytes)}",
        "time": f"roughly {duration(plan.seconds)} on {len(devices)} x {devices[0]}",
    }
    console = Console(highlight=False, soft_wrap=True)
    for name, value in rows.items():
        console.print(f"{name:<9} {escape(value)}")
    for objection in against:
        console.print(f"note: {escape(objection)}; rendering asks first, or takes --yes")


def noise_of(job: Job) -> str:
    """Say what is done about noise beside taking samples."""
    threshold = job.render.noise_threshold
    until = f", until the noise is {threshold:g}" if threshold is not None else ""
    by = "" if job.render.engine == "cycles" else " by EEVEE"
    named = "" if job.render.quality == "plain" else f" ({job.render.quality})"
    return f"{by}{until}{', denoised' if job.render.denoise else ''}{named}"


def print_summary(console: Console, summary: Summary) -> None:
    """Say what is rendered now, what failed and where to look."""
    for failure in summary.failures:
        tasks = counted(failure.tasks, "task")
        console.print(f"[red]failed[/]  {tasks}: {escape(failure.sentence)}", soft_wrap=True)
    lines = closing_lines(
        views=summary.views,
        views_there=summary.views_there,
        rendered=summary.rendered,
        seconds=summary.seconds,
        folders=[(str(each.folder), each.preview) for each in summary.datasets],
        interrupted=summary.interrupted,
    )
    for line in lines:
        console.print(escape(line), soft_wrap=True)
    if summary.interrupted:
        console.print("run the same command again to resume")


STOPPING = "stopping after the current views; press Ctrl-C again to stop at once"


@contextmanager
def stop_on_signal(console: Console, *, words: str = STOPPING) -> Iterator[threading.Event]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP (the terminal was closed) into an event, the second
    into KeyboardInterrupt.
    """
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with contextlib.suppress(OSError, RuntimeError):  # no terminal, or in the midst of a line
            console.print(words)

    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {
        number: signal.signal(number, on_signal)
        for number in watched
        if signal.getsignal(number) != signal.SIG_IGN  # as under nohup
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
