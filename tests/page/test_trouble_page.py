"""What is wrong with a job, told and put right in a browser."""

from __future__ import annotations

import pytest

from farm import expand
from farm.job_store import log_key
from farm.ledger import TaskState
from farm.tallies.model import Share
from tests.page.conftest import submit
from tests.support.axe import faults
from tests.support.farms.rendered import render

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def job(api):
    """Task 1 failed for good, task 2 is tried again."""
    job_id = submit(api)
    for index, cause in ((1, "asset"), (2, "render")):
        [ticket] = api.ledger.take_these(job_id, [index])
        api.ledger.claim(ticket, "w0@host#1")
        api.ledger.fail(ticket, cause, f"chair.blend: {EVIL} {cause}")
    task = expand.render_task(api.services.book.load(job_id), 1)
    api.storage.put(log_key(job_id, task.task_id, 1), f"begun\n{EVIL}\nended".encode())
    return job_id


def test_a_group_is_left_out_and_taken_back_in_without_leaving_the_page(api, open_page, job):
    page = open_page(f"/jobs/{job}")
    page.evaluate("window.here = true")

    page.locator("details.trouble summary", has_text="asset").click()
    page.get_by_role("button", name="Leave out 1 task").first.click()
    page.locator("[data-told]", has_text="1 task is left out").wait_for()
    page.get_by_text("1 task left out").first.wait_for()
    assert api.ledger.job(job).counts[TaskState.LEFT_OUT] == 1

    page.locator("details.left-out summary").click()
    page.get_by_role("button", name="Take back in").click()
    page.locator("[data-told]", has_text="1 task is tried again").wait_for()
    page.locator("details.left-out").wait_for(state="detached")
    assert api.ledger.job(job).counts[TaskState.LEFT_OUT] == 0
    assert page.evaluate("window.here"), "the page was not loaded again"


def test_a_log_opens_as_text_and_closes_by_esc(api, open_page, job):
    page = open_page(f"/jobs/{job}")
    page.locator("details.trouble summary", has_text="asset").click()

    page.get_by_role("link", name="log of task 1").click()
    text = page.locator("dialog[open] [data-log-text]", has_text="ended")
    text.wait_for()
    assert text.text_content() == f"begun\n{EVIL}\nended"
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    assert page.locator("img[src='x']").count() == 0


def test_a_task_is_found_by_its_number_and_retried_elsewhere(api, open_page, job):
    page = open_page(f"/jobs/{job}")
    page.get_by_label("Task", exact=True).fill("1")
    page.keyboard.press("Enter")
    panel = page.locator("[data-part=task]")
    panel.get_by_role("heading", name="Task 1: chair · studio failed").wait_for()
    assert "w0@host#1" in panel.locator("table").text_content()

    panel.get_by_role("button", name="Retry at another worker").click()
    page.locator("[data-told].fault", has_text="there is no other worker").wait_for()
    api.ledger.heartbeat("w1@other#2", {}, ttl_s=60)
    panel.get_by_role("button", name="Retry at another worker").click()
    panel.get_by_role("heading", name="Task 1: chair · studio pending").wait_for()


def test_everything_works_without_scripts(api, open_page, job):
    page = open_page(f"/jobs/{job}?task=1", java_script_enabled=False)

    assert page.locator("[data-part=task] tbody tr").count() == 1
    page.get_by_role("button", name="Leave out task 1").last.click()
    page.get_by_text("1 task left out").first.wait_for()
    assert api.ledger.job(job).counts[TaskState.LEFT_OUT] == 1


def test_numbers_follow_the_job(api, open_page, job):
    page = open_page(f"/jobs/{job}")
    page.get_by_text("Workers tell where the time goes once views are finished.").wait_for()

    now = int(api.tallies.client.time()[0]) // 5
    line = {"step": 5, "first": now - 3, now - 3: 10, now - 2: 20}
    api.tallies.client.hset(f"farm:tally:{job}:line", mapping=line)
    share = Share(node="w0@host", views=1, timed=1, stages={"sample": 3.0, "load": 1.0}, spent_s=5)
    api.tallies.add(job, share)
    steps = len(api.tallies.read(job).line)  # one more where these lines took longer
    render(api, job, 0)

    page.locator("[data-part=numbers]", has_text="75 % of a view's time").wait_for()
    page.locator("[data-speed-words]", has_text="4 at most").wait_for()
    assert steps >= 4
    page.wait_for_function(
        "steps => document.querySelector('[data-speed] polyline').points.length === steps",
        arg=steps,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_troubles(api, open_page, job, scheme):
    api.ledger.leave_out(job, [3])
    share = Share(node="w0@host", views=1, timed=1, stages={"sample": 3.0}, spent_s=5)
    api.tallies.add(job, share)
    page = open_page(f"/jobs/{job}?task=1", color_scheme=scheme)
    page.locator("details.trouble summary").first.click()

    assert faults(page) == []
    page.get_by_role("link", name="log of task 1").click()
    page.locator("dialog[open]").wait_for()
    assert faults(page) == []
