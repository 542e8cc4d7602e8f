"""One run of `farm add-passes` as the person at the terminal sees it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from farm.cli.progress import duration, show_progress
from farm.cli.render_run import INTERRUPTED, SOME_FAILED, stop_on_signal
from farm.dataset.additions import Plan, fold_datasets, passes_named, plan_additions
from farm.dataset.reader import Dataset, open_in
from farm.dataset.records.current import is_running
from farm.devices import choose_devices
from farm.errors import SpecError, needing
from farm.library.found_again import Finder
from farm.local.folder_lock import LOCK_FILE, hold_folder
from farm.local.job.status import Summary
from farm.spec.counted import counted
from farm.storage import FolderStorage, Storage, open_storage


def add_to_place(  # noqa: PLR0913 - one parameter per flag
    place: str,
    passes: str,
    *,
    assets: Path | None,
    any_blender: bool,
    workers: str,
    device: str,
    dry_run: bool,
) -> int:
    """Plan, render and report; return the exit code."""
    console = Console(stderr=True, highlight=False)
    wanted, finder = passes_named(passes), Finder(assets)
    storage, devices = storage_of(place), choose_devices(device, workers)

    def note(sentence: str) -> None:
        console.print(f"note: {escape(sentence)}", soft_wrap=True)

    def plan(data: Dataset) -> Plan:
        return plan_additions(data, wanted, finder=finder, any_blender=any_blender)

    if dry_run:
        print_plan(Console(highlight=False, soft_wrap=True), plan(open_in(storage)), devices)
        return 0
    with needing("rendering needs", "pip install 'viewfarm[worker]' on Python 3.13"):
        from farm.local.additions import add_passes
    with hold_place(storage, note) as hold:
        data = open_folded(storage, note)
        todo = plan(data)
        print_plan(console, todo, devices)
        if not todo.tasks:
            return 0
        bar = show_progress(console, views=todo.missing)
        with stop_on_signal(console) as stop, bar as report:
            hold.stops(stop)
            summary = add_passes(
                todo,
                data,
                storage=storage,
                devices=devices,
                report=report,
                note=note,
                stop=stop,
            )
    print_summary(console, summary, todo)
    if summary.interrupted:
        return INTERRUPTED
    return SOME_FAILED if summary.views_there < summary.views else 0


def storage_of(place: str) -> Storage:
    """Return the datasets at a place: a folder, or one in a bucket.

    Raises:
        SpecError: It is a job of a farm.
        SetupError: It has no meaning.
    """
    if place.startswith("farm:") and not Path(place).exists():
        raise SpecError(
            f"{place}: passes are dropped here in a folder or in s3://bucket/prefix: fetch the "
            "dataset first, with farm download"
        )
    return open_storage(place)


@dataclass
class Hold:
    """A place that this run alone writes into."""

    lost: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event | None = None

    def stops(self, stop: threading.Event) -> None:
        """Stop a run when the place is another's."""
        self.stop = stop
        if self.lost.is_set():
            stop.set()

    def lose(self) -> None:
        """Know that the place is another's: this machine was silent for too long."""
        self.lost.set()
        if self.stop is not None:
            self.stop.set()


@contextmanager
def hold_place(storage: Storage, note: Callable[[str], None]) -> Iterator[Hold]:
    """Be the only run that writes into a dataset, or into the folders around it.

    Raises:
        SetupError: Another one does.
    """
    hold = Hold()
    if not isinstance(storage, FolderStorage):
        from farm.local.bucket_lock import hold_bucket, outer_held

        with ExitStack() as held:
            for place in (*outer_held(storage), storage):
                held.enter_context(hold_bucket(place, note=note, on_lost=hold.lose))
            yield hold
        return
    folder = storage.root
    with ExitStack() as held:
        for outer in folder.parents:
            if (outer / LOCK_FILE).exists() and os.access(outer, os.W_OK):
                held.enter_context(hold_folder(outer, flag="DATASET"))
        held.enter_context(hold_folder(folder, flag="DATASET"))
        yield hold


def open_folded(storage: Storage, note: Callable[[str], None]) -> Dataset:
    """Open the datasets of a place after folding what a run that is over has left beside them."""
    data = open_in(storage)
    left = [prefix for prefix in data.prefixes if is_running(storage, prefix)]
    if not left:
        return data
    fold_datasets(data.summaries, storage, left, note)
    return open_in(storage)


def print_plan(console: Console, plan: Plan, devices: list[str]) -> None:
    """Say what is about to be added, and by what each view is proven."""
    wanted = ", ".join(plan.wanted)
    if not plan.tasks:
        console.print(
            f"nothing to do: all {counted(plan.views, 'view')} have {wanted}", soft_wrap=True
        )
        return
    proofs = {" and ".join(task.adds.proof): None for task in plan.tasks if task.adds}
    console.print(
        f"{wanted} for {plan.missing:,} of {counted(plan.views, 'view')} in "
        f"{counted(len(plan.tasks), 'task')}, proven by {', or '.join(proofs)}; "
        f"{len(devices)} x {devices[0]}",
        soft_wrap=True,
    )


def print_summary(console: Console, summary: Summary, plan: Plan) -> None:
    """Say what was added now, and what was refused and why."""
    for failure in summary.failures:
        tasks = counted(failure.tasks, "task")
        console.print(f"[red]failed[/]  {tasks}: {escape(failure.sentence)}", soft_wrap=True)
    word = "stopped: " if summary.interrupted else ""
    console.print(
        f"{word}{', '.join(plan.wanted)} added to {summary.views_there:,} of "
        f"{counted(summary.views, 'view')} in {duration(summary.seconds)}",
        soft_wrap=True,
    )
    if summary.interrupted:
        console.print("run the same command again to resume")
