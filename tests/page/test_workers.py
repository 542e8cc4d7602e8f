"""The workers' page in a browser: live, by keyboard alone, on a phone."""

from __future__ import annotations

import pytest

from farm.ledger import Gauges, Work
from tests.support.axe import faults

WORKER = "gpu0@rack-3#1"


def beat(api, worker=WORKER, **facts):
    name, _, host = worker.partition("#")[0].partition("@")
    info = {"name": name, "host": host, "device": "optix:0", "hardware": "L40S"}
    api.ledger.heartbeat(worker, info, 600, up_s=60.0, **facts)


def test_the_page_follows_the_workers_and_the_focus_stays(api, open_page):
    beat(api, gauges=Gauges(temperature_c=50))
    page = open_page("/workers")
    button = page.get_by_role("button", name="Drain gpu0@rack-3")
    button.focus()

    beat(api, gauges=Gauges(temperature_c=77))
    beat(api, "gpu0@rack-1#1")  # it stands before the first one
    api.ledger.tell_work(WORKER, Work(task="0123456789ab/0", title="<b>vase</b>"))

    page.get_by_text("77 °C").wait_for()
    page.get_by_role("link", name="<b>vase</b>").wait_for()
    page.get_by_role("button", name="Drain gpu0@rack-1").wait_for()
    assert button.evaluate("button => button === document.activeElement")
    assert page.locator(".worker").count() == 2


def test_a_worker_is_drained_by_keyboard_and_takes_tasks_again(api, open_page):
    beat(api)
    page = open_page("/workers?q=rack")
    page.get_by_role("button", name="Drain gpu0@rack-3").press("Enter")

    again = page.get_by_role("button", name="Undrain gpu0@rack-3")
    again.wait_for()
    assert page.url.endswith("/workers?q=rack")
    assert api.ledger.drains.all().keys() == {"gpu0@rack-3"}
    page.get_by_text("drained by a adminer since").wait_for()
    again.press("Enter")
    page.get_by_role("button", name="Drain gpu0@rack-3", exact=True).wait_for()
    assert api.ledger.drains.all() == {}


def test_the_strip_of_the_front_page_follows_and_leads_to_the_workers(api, open_page):
    beat(api)
    page = open_page("/")
    page.locator(".cells .idle").wait_for()

    api.ledger.drains.drain("gpu0@rack-3", by="ann")
    page.locator(".cells .drained").wait_for()
    page.get_by_role("link", name="1 drained").click()
    page.get_by_role("button", name="Undrain gpu0@rack-3").wait_for()


def test_on_a_phone_nothing_is_moved_sideways(api, open_page):
    beat(api, "a-worker-with-a-long-name@a-host-with-quite-a-long-name.example.internal#1")
    beat(api)
    page = open_page("/workers", viewport={"width": 390, "height": 800})
    page.locator(".worker").nth(1).wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto(f"{api.url}/")
    page.locator(".glance").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_scripts_workers_are_shown_and_drained(api, open_page):
    beat(api)
    page = open_page("/workers", java_script_enabled=False)

    page.get_by_role("button", name="Drain gpu0@rack-3").click()
    page.get_by_text("drained by a adminer since").wait_for()
    assert api.ledger.drains.all().keys() == {"gpu0@rack-3"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_workers_of_any_state(api, open_page, scheme):
    for number in range(4):
        measured = Gauges(temperature_c=50, power_w=100, memory_total_bytes=2, memory_used_bytes=1)
        beat(api, f"gpu{number}@rack-3#1", gauges=measured)
    api.ledger.tell_work(WORKER, Work(task="j/0", title="vase", sampling_share=0.9))
    api.ledger.drains.drain("gpu1@rack-3", by="ann")
    shut = '{"quarantine": {"sentence": "it fails", "since_s": 1, "try_from_s": 1}}'
    api.ledger.store.swap_conduct("gpu2@rack-3", "", shut)
    page = open_page("/workers", color_scheme=scheme)
    page.locator(".worker.quarantine").wait_for()

    assert faults(page) == []
    page.goto(f"{api.url}/")
    assert faults(page) == []
