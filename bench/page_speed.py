"""How quickly a job's page opens and follows, in Chromium, of a job of ten tasks and of a million.

    .venv/bin/python -m bench.page_speed [--rounds 7] [--streams 200]

Each round opens both pages in fresh contexts, in turn. Told are medians: first contentful paint,
bytes before pictures, the time from a finished view to its picture on the page, and what so many
event streams take of the server's memory and processor. Baseline for rows: the farm's own JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import imagecodecs
import numpy as np
import psutil
from playwright.sync_api import Browser, sync_playwright

from farm.api.browser.cookies import COOKIE
from farm.glimpses import Glimpse
from farm.local.processes.redis_server import PrivateRedis
from tests.support.farms.api_server import ApiServer, body
from tests.support.farms.million import MODELS, FakedAssets, a_million_tasks

PAINT = """() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"""
BYTES = """() => performance.getEntriesByType('navigation').concat(
  performance.getEntriesByType('resource').filter((each) =>
    /static|v1.jobs|v1.events/.test(each.name) && !/newest.[0-9]/.test(each.name))
).reduce((sum, each) => sum + each.transferSize, 0)"""
ROW_MODELS = 10
"""... under 50 HDRIs in 20 batches: 10,000 tasks."""
STREAMED_S = 10.0
VIEWS_PER_S = 20


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--streams", type=int, default=200)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("no Chromium is installed: apt-get install chromium")
    with served() as api, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        jobs = {"ten tasks": submit(api, small=True), "a million tasks": submit(api, small=False)}
        opened: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
        for _ in range(options.rounds):
            for name, job in jobs.items():
                opened[name].append(open_once(browser, api, job))
        for name, rounds in opened.items():
            paint, size = (statistics.median(values) for values in zip(*rounds, strict=True))
            print(f"{name:<16} first paint {paint:6.0f} ms   {size / 1000:6.1f} kB before pictures")
        few, many = (statistics.median(each[0] for each in rounds) for rounds in opened.values())
        print(f"{'ratio':<16} {many / few:.2f}")
        delays = [arrival(browser, api, jobs["ten tasks"]) for _ in range(options.rounds)]
        print(f"view to picture  {statistics.median(delays):.2f} s, {max(delays):.2f} s at most")
        tell_rows(browser, api, options.rounds)
        browser.close()
        streams(api, jobs["ten tasks"], options.streams)


def tell_rows(browser: Browser, api: ApiServer, rounds: int) -> None:
    """Compare the page of 10,000 tasks, opened until all are drawn, with the listing of them."""
    submission = a_million_tasks()
    models, hdrs = submission.assets[:ROW_MODELS], submission.assets[MODELS:]
    submission = submission.model_copy(update={"assets": (*models, *hdrs)})
    answer = api.client("admin").post("/v1/jobs", json=body(submission), timeout=300)
    answer.raise_for_status()
    job, tasks = answer.json()["job_id"], answer.json()["tasks"]
    shown, listed = [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        open_once(browser, api, job)
        shown.append(tasks / (time.perf_counter() - begun))
        begun = time.perf_counter()
        assert list_all(api, job) == tasks
        listed.append(tasks / (time.perf_counter() - begun))
    page, listing = statistics.median(shown), statistics.median(listed)
    print(
        f"{tasks:,} tasks: {page:,.0f} a second on the page, {listing:,.0f} a second as JSON, "
        f"ratio {page / listing:.1f}"
    )


def list_all(api: ApiServer, job: str) -> int:
    """Read the API's listing of a job's tasks, part by part; return how many there are."""
    client, count, cursor = api.client("read"), 0, None
    while True:
        asked = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
        told = client.get(f"/v1/jobs/{job}/tasks", params=asked).raise_for_status().json()
        count, cursor = count + len(told["items"]), told["next"]
        if cursor is None:
            return count


@contextlib.contextmanager
def served() -> Iterator[ApiServer]:
    """Run a farm's server with a Redis of its own."""
    with tempfile.TemporaryDirectory() as folder, PrivateRedis(Path(folder)) as redis:
        storage = FakedAssets(Path(folder) / "storage")
        with ApiServer(redis.url, Path(folder), storage=storage, check_room=False) as api:
            yield api


def submit(api: ApiServer, *, small: bool) -> str:
    """Submit a job; return its id."""
    submission = a_million_tasks()
    if small:
        recipe = {"mode": "augmented", "pitch": 10, "yaw_per_pitch": 10}
        submission = a_million_tasks(recipe=recipe)
        one = (submission.assets[0], submission.assets[-1])
        submission = submission.model_copy(update={"assets": one})
    sent = body(submission)
    answer = api.client("admin").post("/v1/jobs", json=sent, timeout=300)
    answer.raise_for_status()
    return str(answer.json()["job_id"])


def a_page(browser: Browser, api: ApiServer) -> Any:
    """Return a page of a browser that is logged in."""
    context = browser.new_context()
    context.add_cookies([{"name": COOKIE, "value": api.tokens["read"], "url": api.url}])
    return context.new_page()


def open_once(browser: Browser, api: ApiServer, job: str) -> tuple[float, float]:
    """Open a job's page; return its first paint, milliseconds, and bytes before pictures."""
    page = a_page(browser, api)
    page.goto(f"{api.url}/jobs/{job}")
    page.wait_for_selector("canvas.tasks[aria-label*=each]")
    found = float(page.evaluate(PAINT)), float(page.evaluate(BYTES))
    page.context.close()
    return found


def arrival(browser: Browser, api: ApiServer, job: str) -> float:
    """Return the seconds from a finished view to its picture on an open page."""
    page = a_page(browser, api)
    page.goto(f"{api.url}/jobs/{job}")
    page.wait_for_selector("canvas.tasks[aria-label*=each]")
    before = page.locator("[data-strip] img").count()
    [ticket] = api.ledger.take(job, limit=1)
    api.ledger.claim(ticket, "bench")
    begun = time.perf_counter()
    webp = bytes(imagecodecs.webp_encode(np.zeros((192, 192, 3), np.uint8)))
    api.glimpses.show(job, Glimpse(view="v", title="t", caption="c"), webp)
    api.ledger.progress(ticket, 1)
    page.locator("[data-strip] img").nth(before).wait_for()
    took = time.perf_counter() - begun
    api.ledger.complete(ticket)
    page.context.close()
    return took


def streams(api: ApiServer, job: str, count: int) -> None:
    """Tell what so many open pages of a job take of the server, which runs in this process."""
    me = psutil.Process(os.getpid())
    headers = {"Authorization": f"Bearer {api.tokens['read']}"}
    ended = threading.Event()
    limits = httpx.Limits(max_connections=count, max_keepalive_connections=count)
    with httpx.Client(base_url=api.url, headers=headers, timeout=60, limits=limits) as client:
        with contextlib.ExitStack() as stack:
            before = me.memory_info().rss
            for _ in range(count):
                asked = {"job": job, "pictures": "true"}
                stack.enter_context(client.stream("GET", "/v1/events", params=asked))
            time.sleep(1.0)
            grown = me.memory_info().rss - before
            idle = cores(me, lambda: time.sleep(STREAMED_S))
            busy = cores(me, lambda: render(api, job))
            ended.set()
        print(
            f"{count} event streams: {grown / 1e6:.0f} MB (both ends), {idle:.2f} cores while "
            f"nothing happens, {busy:.2f} with {VIEWS_PER_S} views a second, whose making counts"
        )


def render(api: ApiServer, job: str) -> None:
    """Finish views at an even pace for a while, as workers tell it."""
    [ticket] = api.ledger.take(job, limit=1)
    api.ledger.claim(ticket, "bench")
    webp = bytes(imagecodecs.webp_encode(np.zeros((192, 192, 3), np.uint8)))
    begun = time.perf_counter()
    for place in range(int(STREAMED_S * VIEWS_PER_S)):
        time.sleep(max(begun + place / VIEWS_PER_S - time.perf_counter(), 0.0))
        api.glimpses.show(job, Glimpse(view=f"v{place}", title="t", caption="c"), webp)
        api.ledger.progress(ticket, place % 10)


def cores(process: psutil.Process, work: Callable[[], None]) -> float:
    """Return how many cores a process takes on average meanwhile."""
    busy, begun = process.cpu_times(), time.perf_counter()
    work()
    spent = sum(process.cpu_times()[:2]) - sum(busy[:2])
    return float(spent / (time.perf_counter() - begun))


if __name__ == "__main__":
    main()
