"""What a task costs beside its render, how many workers one farm feeds, and what Redis keeps.

    python -m bench.queue_scale [--parts overhead,scale,redis,celery,dispatcher] [--small]
                                [--workers 1,2,4,8,16,32,64] [--seconds 2.0] [--out FOLDER]

The farm is real: a private Redis, jobs on storage, the dispatcher as a process of its own, Celery's
messages, the ledger, and the code that a worker runs around a task. Only the renderer is not: it
sleeps. So two cores can hold 64 workers, as long as their tasks are not too short: what a worker
and the dispatcher do for a task is their work, too.

- overhead: one worker, tasks that take no time: milliseconds from the claim to its completion, by
  what is done, and commands of Redis.
- scale: 1 to 64 workers; their efficiency is the share of the time in which they sleep, from when
  all have begun until the first finds nothing more.
- redis: bytes per task of jobs of a thousand tasks to a million, waiting, queued and done.
- celery: the same tasks as a plain group, and as a chord, on Celery's own workers.
- dispatcher: 1,000 workers that ask for 100 tasks a second.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from celery import chord, group

from bench.line_plot import Curve, line_plot
from bench.simulated_workers import LEASE_S, PLAIN_TASK, info_of, plain_app
from farm import expand
from farm.job_store import JobStore
from farm.ledger import JobStatus, Ledger, TaskState, open_ledger
from farm.ledger.stores.redis_store import connect
from farm.local.processes.redis_server import PrivateRedis
from farm.queue import CeleryQueue, shared_queue
from farm.spec.job import Job, make_job
from farm.spec.task import RenderMessage, RenderTask, Ticket
from farm.storage import FolderStorage
from farm.tallies.book import TallyBook
from farm.tallies.model import DoneView
from tests.support.farms.million import a_million_tasks
from worker.attempt.celery_task import perform
from worker.attempt.job_share import JobShare
from worker.attempt.lease import LedgerLease
from worker.attempt.throughput import Throughput

PARTS = ("overhead", "scale", "redis", "celery", "dispatcher")
THREADS = 16
"""Simulated workers of a process."""
TASKS_EACH = 12
"""Tasks of each worker, on average."""
LONGEST_S = 600.0
CROWD_TASK_S = 10.0
MB = 1_000_000
Facts = dict[str, Any]


class Run(NamedTuple):
    """A task that a worker has had; seconds since 1970."""

    worker: str
    start_s: float
    end_s: float


class Bench(NamedTuple):
    """What all parts share."""

    folder: Path
    small: bool
    workers: tuple[int, ...]
    seconds: float


def main() -> None:
    """Measure, print, and write `queue.json`, `queue.md` and `queue.png`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--workers", default="1,2,4,8,16,32,64")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a task, on average")
    parser.add_argument("--small", action="store_true", help="tiny: to see that it works")
    parser.add_argument("--out", type=Path, default=Path("bench-queue"))
    chosen = parser.parse_args()
    counts = (1, 2) if chosen.small else tuple(map(int, chosen.workers.split(",")))
    seconds = 0.1 if chosen.small else chosen.seconds
    chosen.out.mkdir(parents=True, exist_ok=True)
    found: Facts = {}
    for part in chosen.parts.split(","):
        with tempfile.TemporaryDirectory(prefix="farm-bench-") as name:
            bench = Bench(Path(name), chosen.small, counts, seconds)
            found[part] = globals()[f"measure_{part}"](bench)
        print(f"{part}: {json.dumps(found[part])}", flush=True)
    (chosen.out / "queue.json").write_text(json.dumps(found, indent=1) + "\n")
    (chosen.out / "queue.md").write_text("\n".join(lines_of(found)) + "\n")
    if "scale" in found:
        draw(found).save(chosen.out / "queue.png")
    print("\n".join(lines_of(found)))
    print(f"report in {chosen.out}")


# What one task costs


def measure_overhead(bench: Bench) -> Facts:
    """Perform tasks that take no time, one after the other."""
    tasks = 40 if bench.small else 1000
    with redis_in(bench.folder) as url:
        ledger, storage = open_ledger(url), FolderStorage(bench.folder)
        job = add_job(ledger, storage, tasks=tasks)
        spent: dict[str, list[float]] = {}
        timed_ledger = Timed(ledger, spent)
        throughput = Throughput(partial(timed_ledger.tell_work, "bench@here"))
        book = TallyBook(url)
        share = JobShare(timing(book.add, "tally", spent), "bench@here")
        client: Any = connect(url)
        bodies = [body_of(job, ticket) for ticket in ledger.take(job.job_id, tasks)]
        client.config_resetstat()
        mine, theirs = time.process_time(), cpu_s([redis_process(url)])["redis"]
        whole: list[float] = []
        for body in bodies:
            start = time.perf_counter()
            message = RenderMessage.model_validate(body)
            parsed = time.perf_counter()
            perform(
                message, ledger=timed_ledger, render=no_time, worker="bench@here",  # type: ignore[arg-type]
                throughput=throughput, share=share, logs=timed_storage(storage, spent),
            )  # fmt: skip
            whole.append(time.perf_counter() - start)
            spent.setdefault("parse", []).append(parsed - start)
        commands = sum(
            each["calls"]
            for name, each in client.info("commandstats").items()
            if "info" not in name
        )
        book.close()
        assert status_of(ledger, job).counts[TaskState.DONE] == tasks
    return {
        "tasks": tasks,
        "ms": round(statistics.median(whole) * 1000, 3),
        "ms, 95 %": round(sorted(whole)[int(tasks * 0.95)] * 1000, 3),
        "ms of CPU": round(mine / tasks * 1000, 3),
        "ms of CPU of Redis": round(theirs / tasks * 1000, 3),
        "by step, ms": {
            step: round(sum(times) / tasks * 1000, 3) for step, times in sorted(spent.items())
        },
        "commands of Redis": round(commands / tasks, 1),
    }


def no_time(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
    """Render nothing, and tell the ledger what a renderer tells."""
    for _view in task.views:
        lease.confirm()
        lease.secure()
        lease.view_done(DoneView())


class Timed:
    """A ledger whose verbs are timed."""

    def __init__(self, ledger: Ledger, spent: dict[str, list[float]]) -> None:
        self._ledger = ledger
        self._spent = spent

    def __getattr__(self, name: str) -> Any:
        return timing(getattr(self._ledger, name), name, self._spent)


def timing(verb: Callable[..., Any], name: str, spent: dict[str, list[float]]) -> Any:
    """Return a verb that notes how long it takes."""

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return verb(*args, **kwargs)
        finally:
            spent.setdefault(name, []).append(time.perf_counter() - start)

    return call


def timed_storage(storage: FolderStorage, spent: dict[str, list[float]]) -> FolderStorage:
    """Return a storage whose `put`, of logs, is timed."""
    other = FolderStorage(storage.root)
    other.put = timing(storage.put, "log", spent)  # type: ignore[method-assign]
    return other


# How many workers a farm feeds


def measure_scale(bench: Bench) -> list[Facts]:
    """Run the same tasks with more and more workers."""
    return [efficiency_of(bench, count) for count in bench.workers]


def efficiency_of(bench: Bench, workers: int) -> Facts:
    """Run tasks on so many workers."""
    tasks = workers * TASKS_EACH
    folder = bench.folder / f"{workers}"
    with redis_in(folder) as url, crew(url, workers, bench.seconds) as processes:
        ledger, storage = open_ledger(url), FolderStorage(folder)
        wait_until(lambda: len(ledger.workers()) == workers)
        with dispatcher(url, folder) as feeding:
            job = add_job(ledger, storage, tasks=tasks)
            wait_until(lambda: status_of(ledger, job).over)
            spent = cpu_s([feeding, *processes, redis_process(url)])
        runs = read_runs(url, "runs")
        end(url, "runs")
    assert len(runs) == tasks
    return {"workers": workers, "tasks": tasks, **busy(runs), "CPU ms per task": {
        name: round(seconds / tasks * 1000, 2) for name, seconds in spent.items()
    }}  # fmt: skip


def busy(runs: Sequence[Run]) -> Facts:
    """Return the share of time in which workers were busy while there was enough for all."""
    by_worker: dict[str, list[Run]] = {}
    for run in runs:
        by_worker.setdefault(run.worker, []).append(run)
    first = max(min(run.start_s for run in mine) for mine in by_worker.values())
    last = max(run.start_s for run in runs)
    asleep = sum(max(0.0, min(run.end_s, last) - max(run.start_s, first)) for run in runs)
    gaps = [
        (after.start_s - before.end_s) * 1000
        for mine in by_worker.values()
        for before, after in zip(mine, sorted(mine)[1:], strict=False)
    ]
    return {
        "tasks/s": round(len(runs) / (max(run.end_s for run in runs) - min(runs)[1]), 2),
        "efficiency": round(asleep / (len(by_worker) * (last - first)), 4) if last > first else 1.0,
        "ms between tasks": round(statistics.median(gaps), 1) if gaps else 0.0,
        "ms between tasks, 95 %": round(sorted(gaps)[int(len(gaps) * 0.95)], 1) if gaps else 0.0,
    }


@contextmanager
def crew(url: str, workers: int, seconds: float) -> Iterator[list[psutil.Process]]:
    """Give the processes of so many simulated workers."""
    names = [f"w{number:03d}@bench#{number:08x}" for number in range(workers)]
    commands = [
        [sys.executable, "-m", "bench.simulated_workers", "--redis", url, "--names",
         *names[at : at + THREADS], "--seconds", str(seconds), "--runs", "runs"]
        for at in range(0, workers, THREADS)
    ]  # fmt: skip
    with running(commands) as processes:
        yield [psutil.Process(process.pid) for process in processes]
        end(url, "runs")


@contextmanager
def running(commands: Sequence[list[str]], **more: Any) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Give processes, which end with this."""
    processes = [subprocess.Popen(command, **more) for command in commands]
    try:
        yield processes
        for process in processes:
            process.wait(timeout=60)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextmanager
def dispatcher(url: str, folder: Path) -> Iterator[psutil.Process]:
    """Give the process of a dispatcher, as `farm dispatcher` runs it."""
    env = os.environ | {"FARM_REDIS_URL": url, "FARM_STORAGE": str(folder)}
    with running([[sys.executable, "-m", "farm", "dispatcher"]], env=env,
                 stderr=subprocess.DEVNULL) as (process,):  # fmt: skip
        yield psutil.Process(process.pid)
        process.send_signal(signal.SIGTERM)


# What Redis keeps


def measure_redis(bench: Bench) -> list[Facts]:
    """Make jobs of more and more tasks; run some of them through."""
    sizes = (1000, 10_000) if bench.small else (1000, 10_000, 100_000, 1_000_000)
    most = 50 if bench.small else 2000
    return [bytes_of(bench.folder / f"{size}", size, most) for size in sizes]


def bytes_of(folder: Path, tasks: int, most: int) -> Facts:
    """Return what a job takes while it waits, with messages in the queue, and with tasks done."""
    with redis_in(folder) as url:
        ledger, queue, client = open_ledger(url), CeleryQueue(url), connect(url)
        job = add_job(ledger, FolderStorage(folder), tasks=tasks)
        waiting = bytes_in(client, "farm:job:*")
        tickets = ledger.take(job.job_id, most)
        given = bytes_in(client, "farm:job:*")
        for ticket in tickets:
            task = expand.render_task(job, ticket.index)
            queue.put(RenderMessage(ticket=ticket, task=task), priority=0)
        messages = bytes_in(client, "farm:render*")
        for ticket in tickets:
            assert ledger.claim(ticket, "bench@here")
        claimed = bytes_in(client, "farm:job:*")
        for ticket in tickets:
            assert ledger.complete(ticket)
        done = bytes_in(client, "farm:job:*")
        queue.close()
    return {
        "tasks": tasks,
        "bytes per task, waiting": round(waiting / tasks, 2),
        "bytes per ticket": round((given - waiting) / len(tickets)),
        "bytes per message": round(messages / len(tickets)),
        "bytes per running task": round((claimed - waiting) / len(tickets)),
        f"bytes per task, {most:,} done": round(done / tasks, 2),
    }


def bytes_in(client: Any, names: str) -> int:
    """Return the memory that keys take, whose names match."""
    return sum(client.memory_usage(name, samples=0) or 0 for name in client.scan_iter(match=names))


# Celery alone


def measure_celery(bench: Bench) -> list[Facts]:
    """Run the same tasks as a group and as a chord, with as many workers as of ours at most."""
    workers = bench.workers[-1]
    return [plain(bench, workers, kind) for kind in ("group", "chord")]


def plain(bench: Bench, workers: int, kind: str) -> Facts:
    """Publish all tasks at once, and let Celery's workers do them."""
    tasks, folder = workers * TASKS_EACH, bench.folder / kind
    with redis_in(folder) as url:
        app, client = plain_app(url, results=kind == "chord"), connect(url)
        job = add_job(open_ledger(url), FolderStorage(folder), tasks=tasks)
        bodies = [
            body_of(job, Ticket(job_id=job.job_id, index=at, attempt=1)) for at in range(tasks)
        ]
        mine = bytes_in(client, "*")
        start = time.perf_counter()
        sign = [app.signature(PLAIN_TASK, (body, bench.seconds, "runs")) for body in bodies]
        if kind == "group":
            outcome = group(sign, app=app).apply_async()
        else:
            outcome = chord(sign, app.signature("bench.end", ("runs",), app=app)).apply_async()
        published = time.perf_counter() - start
        queued = bytes_in(client, "*") - mine
        with celery_workers(url, workers, results=kind == "chord"):
            wait_until(lambda: client.llen("runs") == tasks)
            if kind == "chord":
                wait_until(lambda: client.exists("runs:chord") == 1)
        runs = read_runs(url, "runs")
        client.delete("runs")
        kept = bytes_in(client, "*") - mine
        del outcome
        gc.collect()  # results sign off at their Redis, before it goes
    return {
        "kind": kind, "workers": workers, "tasks": tasks,
        "publishing, ms per task": round(published / tasks * 1000, 2),
        "bytes per task, queued": round(queued / tasks), **busy(runs),
        "bytes per task, done": round(kept / tasks),
    }  # fmt: skip


@contextmanager
def celery_workers(url: str, workers: int, *, results: bool) -> Iterator[None]:
    """Run Celery's own workers, with threads."""
    make = f"from bench.simulated_workers import plain_app; app = plain_app({url!r}, "
    app = f"{make}results={results})"
    commands = []
    for at in range(0, workers, THREADS):
        threads = min(THREADS, workers - at)
        start = ["worker", "-P", "threads", "-c", str(threads), "-n", f"c{at}@bench", "-l", "ERROR",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip
        commands.append([sys.executable, "-c", f"{app}; app.worker_main({start!r})"])
    with running(commands, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as processes:
        yield
        for process in processes:
            process.send_signal(signal.SIGTERM)


# The dispatcher of many workers


def measure_dispatcher(bench: Bench) -> Facts:
    """Let one dispatcher feed a crowd, of which a single thread stands for all workers."""
    workers, task_s, lasts_s = (20, 1.0, 3.0) if bench.small else (1000, CROWD_TASK_S, 60.0)
    with redis_in(bench.folder) as url:
        ledger, storage = open_ledger(url), FolderStorage(bench.folder)
        crowd = Crowd(url, workers, task_s)
        crowd.beat()
        with dispatcher(url, bench.folder) as feeding:
            add_job(ledger, storage, tasks=1_000_000)
            crowd.run_until_busy()
            crowd.run(task_s)  # until the beginnings have parted
            before, started = cpu_s([feeding, redis_process(url)]), time.perf_counter()
            crowd.forget()
            crowd.run(lasts_s)
            lasted_s = time.perf_counter() - started
            spent = cpu_s([feeding, redis_process(url)])
        crowd.close()
    wanted = workers / task_s
    return {
        "workers": workers, "seconds per task": task_s, "tasks/s wanted": wanted,
        "tasks/s": round(crowd.done / lasted_s, 1),
        "workers busy": round(crowd.busy_s / (workers * lasted_s), 4),
        "share of a core": {
            name: round((spent[name] - before[name]) / lasted_s, 3) for name in spent
        },
    }  # fmt: skip


class Crowd:
    """Workers that have their messages fetched, claimed and completed by one thread."""

    def __init__(self, url: str, workers: int, task_s: float) -> None:
        self._ledger = open_ledger(url)
        self._queue = CeleryQueue(url)
        self._task_s = task_s
        self._names = [f"w{number:04d}@bench{number:04d}#00000000" for number in range(workers)]
        self._idle = list(self._names)
        self._held: list[tuple[float, Ticket, str]] = []
        self._beat_s = 0.0
        self._connection = self._queue.app.connection_for_read()
        self._messages: Any = self._connection.SimpleQueue(shared_queue())
        self._messages.consumer.qos(prefetch_count=1)
        self.done, self.busy_s = 0, 0.0

    def forget(self) -> None:
        """Begin to count."""
        self.done, self.busy_s = 0, 0.0

    def beat(self) -> None:
        """Keep all workers alive."""
        for name in self._names:
            self._ledger.heartbeat(name, info_of(name), 3 * LEASE_S)
        self._beat_s = time.perf_counter()

    def run(self, lasts_s: float) -> None:
        """Work for so long."""
        now = time.perf_counter()
        until = now + lasts_s
        while now < until:
            if now - self._beat_s > LEASE_S:
                self.beat()
            self._complete(now)
            self._claim()
            then, now = now, time.perf_counter()
            self.busy_s += len(self._held) * (now - then)

    def run_until_busy(self) -> None:
        """Work until every worker has a task."""
        until = time.monotonic() + LONGEST_S
        while self._idle:
            if time.monotonic() > until:
                raise SystemExit(f"{len(self._idle)} workers never got a task")
            self.run(0.2)

    def _complete(self, now: float) -> None:
        while self._held and self._held[0][0] <= now:
            _end, ticket, name = self._held.pop(0)
            assert self._ledger.complete(ticket)
            self._idle.append(name)
            self.done += 1

    def _claim(self) -> None:
        if not self._idle:
            time.sleep(0.001)
            return
        try:
            message = self._messages.get(block=True, timeout=0.05)
        except self._messages.Empty:
            return
        message.ack()
        ((body,), _kwargs, _embedded) = message.payload
        ticket = Ticket.model_validate(body["ticket"])
        name = self._idle.pop(0)
        assert self._ledger.claim(ticket, name)
        self._held.append((time.perf_counter() + self._task_s, ticket, name))

    def close(self) -> None:
        """Close the connections."""
        self._connection.release()
        self._queue.close()


# What parts share


@contextmanager
def redis_in(folder: Path) -> Iterator[str]:
    """Give the address of a Redis of our own."""
    folder.mkdir(parents=True, exist_ok=True)
    with PrivateRedis(folder / "redis") as redis:
        yield redis.url


def add_job(ledger: Ledger, storage: FolderStorage, *, tasks: int) -> Job:
    """Write down the job of a million tasks, of which only so many are to be done."""
    submission = a_million_tasks()
    job = make_job(submission.spec, submission.assets)
    JobStore(storage).save(job)
    first = expand.render_task(job, 0)
    ledger.add_job(job.job_id, tasks=tasks, views=tasks * len(first.views), recipe="sod")
    return job


def status_of(ledger: Ledger, job: Job) -> JobStatus:
    """Return how a job stands."""
    found = ledger.job(job.job_id)
    assert found is not None
    return found


def body_of(job: Job, ticket: Ticket) -> Any:
    """Return what a message for a ticket holds."""
    task = expand.render_task(job, ticket.index)
    return RenderMessage(ticket=ticket, task=task).model_dump(mode="json")


def read_runs(url: str, runs: str) -> list[Run]:
    """Return what workers have noted."""
    client: Any = connect(url)
    return [Run(*json.loads(line)) for line in client.lrange(runs, 0, -1)]


def end(url: str, runs: str) -> None:
    """Tell simulated workers to end."""
    client: Any = connect(url)
    client.set(f"{runs}:end", 1)


def redis_process(url: str) -> psutil.Process:
    """Return the process of a Redis."""
    client: Any = connect(url)
    return psutil.Process(client.info("server")["process_id"])


def cpu_s(processes: Sequence[psutil.Process]) -> dict[str, float]:
    """Return the seconds of CPU of processes, by what they are."""
    found: dict[str, float] = {}
    for process in processes:
        command = " ".join(process.cmdline())
        kind = next((k for k in ("dispatcher", "simulated_workers") if k in command), "redis")
        times = process.cpu_times()
        found[kind] = found.get(kind, 0.0) + times.user + times.system
    return found


def wait_until(over: Callable[[], bool]) -> None:
    """Wait until something is so."""
    pause, until = threading.Event(), time.monotonic() + LONGEST_S
    while not over():
        if time.monotonic() > until:
            raise SystemExit(f"nothing came of it in {LONGEST_S:.0f} s")
        pause.wait(0.1)


# The report


def lines_of(found: Facts) -> Iterator[str]:
    """Yield tables in Markdown."""
    for part, facts in found.items():
        rows = facts if isinstance(facts, list) else [facts]
        flat = [dict(flattened(row)) for row in rows]
        yield from (f"**{part}**", "")
        yield f"| {' | '.join(flat[0])} |"
        yield "|---" * len(flat[0]) + "|"
        yield from (f"| {' | '.join(str(value) for value in row.values())} |" for row in flat)
        yield ""


def flattened(row: Facts) -> Iterator[tuple[str, Any]]:
    """Yield the facts of a row, those within others by both names."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from ((f"{name}: {inner}", each) for inner, each in value.items())
        else:
            yield name, value


def draw(found: Facts) -> Any:
    """Draw the efficiency by the number of workers."""
    ours = [(row["workers"], row["efficiency"] * 100) for row in found["scale"]]
    curves = {"Viewfarm": Curve(ours)}
    for row in found.get("celery", ()):
        curves[f"Celery {row['kind']}"] = Curve([(row["workers"], row["efficiency"] * 100)])
    return line_plot(curves, title="Workers that are busy", across="workers", up="% of the time")


if __name__ == "__main__":
    main()
