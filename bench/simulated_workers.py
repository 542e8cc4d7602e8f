"""Workers without a renderer: Celery's messages, the ledger and the code around a task are real,
in place of Cycles they sleep.

    python -m bench.simulated_workers --redis URL --names a b c --seconds 1.0 --lists runs

One process holds several, a thread each. Each run of a task goes into a list in Redis: its worker,
when the sleep began, and when it ended.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from celery import Celery

from farm.ledger import open_ledger
from farm.ledger.stores.redis_store import connect
from farm.queue import MESSAGES_ONLY, create_celery, inbox_of, shared_queue
from farm.spec.task import RenderMessage, RenderTask
from farm.tallies.book import TallyBook
from farm.tallies.model import DoneView
from worker.attempt.celery_task import Renderer, perform
from worker.attempt.job_share import JobShare
from worker.attempt.lease import LedgerLease
from worker.attempt.throughput import Throughput
from worker.supervisor.incoming import TRANSPORT

BEAT_S = 2.5
LEASE_S = 10.0
WAIT_S = 1.0
"""Longest wait for a message before a worker looks whether it is to end."""
SPREAD = 0.25
"""Tasks take so much less or more than on average."""
PLAIN_TASK = "bench.sleep"
STAGES = {"load": 0.01, "sample": 0.02, "encode": 0.01, "write": 0.01}

Note = Callable[[str, float, float], None]
"""Takes a worker, and the seconds since 1970 at which it began and ended to sleep."""


def main() -> None:
    """Work until the list `<runs>:end` is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--redis", required=True)
    parser.add_argument("--names", nargs="+", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--runs", required=True)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    over = threading.Event()
    note = partial(note_run, connect(chosen.redis), chosen.runs)
    threads = [
        threading.Thread(target=work, args=(chosen.redis, name, chosen.seconds, note, over))
        for name in chosen.names
    ]
    beat = threading.Thread(target=beat_for, args=(chosen.redis, chosen.names, over))
    for thread in (beat, *threads):
        thread.start()
    client: Any = connect(chosen.redis)
    while not client.exists(f"{chosen.runs}:end"):
        over.wait(WAIT_S / 4)
    over.set()
    for thread in (beat, *threads):
        thread.join()


def note_run(client: Any, runs: str, worker: str, start_s: float, end_s: float) -> None:
    """Write a run down."""
    client.rpush(runs, json.dumps([worker, start_s, end_s]))


def work(redis_url: str, name: str, seconds: float, note: Note, over: threading.Event) -> None:
    """Be a worker: take messages as Celery's worker does, and perform their tasks."""
    ledger, book = open_ledger(redis_url), TallyBook(redis_url)
    render = sleeper(name, seconds, note)
    throughput = Throughput(partial(ledger.tell_work, name))
    share = JobShare(book.add, name)
    app = create_celery(redis_url)
    app.conf.update(broker_transport=TRANSPORT)
    with closing(book), app.connection_for_read() as connection:
        queue: Any = connection.SimpleQueue(shared_queue())
        queue.consumer.qos(prefetch_count=1)
        while not over.is_set():
            try:
                message = queue.get(block=True, timeout=WAIT_S)
            except queue.Empty:
                continue
            message.ack()
            ((body,), _kwargs, _embedded) = message.payload
            perform(
                RenderMessage.model_validate(body),
                ledger=ledger,
                render=render,
                worker=name,
                throughput=throughput,
                share=share,
            )


def sleeper(name: str, seconds: float, note: Note) -> Renderer:
    """Return what sleeps as long as a task takes, and tells the ledger as a renderer does."""

    def render(task: RenderTask, *, attempt: int, worker: str, lease: LedgerLease) -> None:
        whole_s = duration_s(task.index, seconds)
        for _view in task.views:
            lease.confirm()
            time.sleep(whole_s / len(task.views))
            lease.secure()
            lease.view_done(DoneView(stages=STAGES))
        end_s = time.time()
        note(name, end_s - whole_s, end_s)  # what views take beside their sleep is no work

    return render


def duration_s(index: int, seconds: float) -> float:
    """Return how long a task takes: always the same."""
    return seconds * (1 + SPREAD * (2 * random.Random(index).random() - 1))


def beat_for(redis_url: str, names: list[str], over: threading.Event) -> None:
    """Keep the workers of this process alive for the ledger."""
    ledger = open_ledger(redis_url)
    while True:
        for name in names:
            ledger.heartbeat(name, info_of(name), LEASE_S)
        if over.wait(BEAT_S):
            break
    for name in names:
        ledger.farewell(name)


def info_of(name: str) -> dict[str, str]:
    """Return what a worker says of itself."""
    return {
        "name": name.partition("@")[0], "device": "cpu", "hardware": "simulated", "host": "bench",
        "pid": "1", "inbox": inbox_of(name), "warming": "",
    }  # fmt: skip


def plain_app(redis_url: str, *, results: bool) -> Celery:
    """Return Celery as one would set it up without a ledger: tasks that sleep, and no more."""
    app = Celery("plain", broker=redis_url, set_as_current=False)
    app.conf.update(MESSAGES_ONLY | {"task_acks_late": True, "worker_prefetch_multiplier": 1})
    if results:
        app.conf.update(task_ignore_result=False, result_backend=redis_url)
    client: Any = connect(redis_url)

    @app.task(name=PLAIN_TASK, bind=True, shared=False)  # type: ignore[untyped-decorator]  # it ships no types
    def sleep(self: Any, body: Any, seconds: float, runs: str) -> None:
        start_s = time.time()
        time.sleep(duration_s(body["ticket"]["index"], seconds))
        worker = f"{self.request.hostname} {threading.get_ident()}"
        note_run(client, runs, worker, start_s, time.time())

    @app.task(name="bench.end", shared=False)  # type: ignore[untyped-decorator]
    def end(_results: Any, runs: str) -> None:
        client.set(f"{runs}:chord", 1)

    return app


if __name__ == "__main__":
    main()
