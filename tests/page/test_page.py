"""What somebody sees and does in a browser."""

from __future__ import annotations

import hashlib
import re

import pytest

from farm.glimpses import Glimpse
from farm.ledger import JobState
from tests.page.conftest import PATIENCE_MS, submit
from tests.support.axe import faults
from tests.support.farms.rendered import render

EVIL = "<img src=x onerror=alert(1)>"


def test_a_job_is_followed_as_it_renders(api, open_page):
    job = submit(api)
    page = open_page(f"/jobs/{job}")
    page.get_by_text("Queued, 0 of 8 views (0 %)").wait_for()

    render(api, job, 0)

    page.get_by_text("2 of 8 views (25 %)").wait_for()
    page.locator("[data-strip] img").nth(1).wait_for()
    page.wait_for_function("() => document.title.includes('25 % chairs')")
    page.wait_for_function("() => document.querySelector('[data-strip] img').naturalWidth === 64")


def test_a_job_is_paused_and_resumed_by_its_buttons(api, open_page):
    job = submit(api)
    page = open_page(f"/jobs/{job}")

    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").wait_for()
    assert api.ledger.job(job).state is JobState.PAUSED
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause").wait_for()


def test_the_first_news_of_a_job_leave_its_buttons_where_they_are(api, open_page):
    """Else a press that has just begun would be lost."""
    job = submit(api)
    page = open_page("/")
    page.add_init_script(
        """document.addEventListener("readystatechange", () => {
          const button = document.querySelector("[data-part=actions] button");
          if (button && document.readyState === "interactive") button.wasLoaded = true;
        })"""
    )

    with page.expect_response("**/parts/actions") as drawn:
        page.goto(f"{api.url}/jobs/{job}")
    drawn.value.finished()
    page.evaluate("address => fetch(address).then((answer) => answer.text())", drawn.value.url)
    assert page.evaluate("document.querySelector('[data-part=actions] button').wasLoaded")


def test_a_failure_is_told_and_tried_again(api, open_page):
    job = submit(api, name="cups")
    [ticket] = api.ledger.take_these(job, [1])
    api.ledger.claim(ticket, "w0")
    api.ledger.fail(ticket, "asset", f"{EVIL} cannot be read")
    page = open_page(f"/jobs/{job}")

    page.locator("details summary", has_text="cannot be read").click()
    page.get_by_role("link", name="log of task 1").wait_for()
    page.get_by_role("button", name="Try failed tasks again").click()
    page.wait_for_function("() => !document.body.textContent.includes('given up')")
    assert api.ledger.job(job).counts["failed"] == 0


def test_the_gallery_is_leafed_through_by_keys(api, open_page):
    job = submit(api)
    for index in range(4):
        render(api, job, index)
    page = open_page(f"/jobs/{job}")

    pictures = page.locator(".picture")
    pictures.nth(7).wait_for()
    pictures.first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.at") == "1"
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    first = page.locator("[data-caption]").text_content()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"() => document.querySelector('[data-caption]').textContent !== {first!r}"
    )
    page.keyboard.press("2")
    page.locator("[data-passes] [aria-pressed=true]", has_text="mask").wait_for()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.matches('dialog .viewer')")
    page.keyboard.press("f")
    page.wait_for_function("() => !document.fullscreenElement")
    assert "view=" in page.url
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "view=" not in url)


def test_the_views_are_asked_for_again_after_a_question_that_was_lost(api, open_page):
    job = submit(api)
    render(api, job, 0)
    page = open_page("/")
    for asked in ("**/gallery?*", "**/coverage"):
        page.route(asked, lambda route: route.abort(), times=1)
    page.goto(f"{api.url}/jobs/{job}")
    page.get_by_text("The farm does not answer.").wait_for()
    page.get_by_text("Counted on all 2 views").wait_for()

    render(api, job, 1)
    page.locator(".picture").nth(3).wait_for()


def test_views_are_found_and_the_address_says_so(api, open_page):
    job = submit(api)
    render(api, job, 0)
    page = open_page(f"/jobs/{job}")
    page.locator(".picture").first.wait_for()

    page.get_by_label("Find views").fill("zebra")
    page.keyboard.press("Enter")
    page.get_by_text("No view fits.").wait_for()
    assert "find=zebra" in page.url
    page.reload()
    page.get_by_text("No view fits.").wait_for()


def test_the_tasks_are_one_picture(api, open_page):
    job = submit(api, tasks=9)
    page = open_page(f"/jobs/{job}")

    page.wait_for_function("() => document.querySelector('canvas.tasks').width > 1")
    page.locator("canvas.tasks").click(position={"x": 3, "y": 3})
    page.get_by_role("heading", name="Task 0: chair · studio pending").wait_for()
    assert "task=0" in page.url


def test_two_jobs_are_laid_over_each_other(api, open_page):
    one, other = submit(api), submit(api, name="cups", seed=3)
    for job in (one, other):
        render(api, job, 0)
    page = open_page(f"/jobs/{one}")

    page.get_by_role("button", name="Compare").click()
    page.locator("[data-status]", has_text="(1 of ").wait_for()  # a slow answer tells of fewer
    page.keyboard.press("ArrowRight")
    page.locator("[data-status]", has_text="(2 of 2").wait_for()
    page.locator("[data-line]").fill("25")
    clip = page.locator("[data-over]").evaluate("image => image.style.clipPath")
    assert "75%" in clip
    for image in ("over", "under"):
        page.wait_for_function(
            f"() => document.querySelector('[data-{image}]').naturalWidth === 64"
        )


def test_a_job_is_asked_for_by_a_form(api, open_page):
    page = open_page("/new", role="submit")
    page.get_by_label("Name", exact=True).fill("cups")
    files = {"models": ("cup.blend", b"a cup"), "hdrs": ("sky.exr", b"a sky" * 1000)}
    for role, (name, data) in files.items():
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        page.locator(f"[data-role={role}]").set_input_files(file)
    page.get_by_label("Yaw", exact=True).fill("3")
    page.get_by_label("Pitch", exact=True).fill("2")
    page.get_by_label("Resolution").fill("128")
    page.get_by_label("depth", exact=True).check()

    page.get_by_role("button", name="Upload, and show the plan").click()
    page.get_by_text("6 views in 1 task, about").wait_for()
    assert api.ledger.jobs() == []
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_text("0 of 6 views").wait_for()

    [status] = api.ledger.jobs()
    job = api.services.book.load(status.job_id)
    assert (status.name, status.owner) == ("cups", "a submiter")
    assert job.spec.passes == ("rgb", "mask", "depth")
    assert job.render.resolution_px == (128, 128)
    assert {asset.name: asset.sha256 for asset in job.assets} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.values()
    }


def test_a_form_says_what_is_wrong_and_keeps_what_was_filled_in(api, open_page):
    page = open_page("/new", role="submit")
    for role, name in (("models", "cup.blend"), ("hdrs", "sky.exr")):
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": b"x"}
        page.locator(f"[data-role={role}]").set_input_files(file)
    page.get_by_label("Resolution").fill("7")

    page.get_by_role("button", name="Upload, and show the plan").click()
    page.locator("[data-wrong='render.resolution']", has_text="64").wait_for()
    assert page.locator("[data-planned]").is_hidden()
    assert page.get_by_label("Resolution").input_value() == "7"
    page.get_by_label("Resolution").fill("64")
    page.get_by_role("button", name="Upload, and show the plan").click()
    page.get_by_text("96 views in 10 tasks, about").wait_for()


def test_names_are_never_markup(api, open_page):
    job = submit(api, name=EVIL)
    render(api, job, 0)
    api.glimpses.show(job, Glimpse(view="v", title=EVIL, caption=EVIL), b"RIFF")
    page = open_page("/")

    page.get_by_role("link", name=EVIL).click()
    page.locator("[data-strip] figcaption", has_text=EVIL).first.wait_for()
    assert page.locator("img[src='x']").count() == 0


def test_a_reader_has_nothing_to_press(api, open_page):
    job = submit(api)
    page = open_page(f"/jobs/{job}", role="read")

    page.get_by_text("0 of 8 views").wait_for()
    assert page.get_by_role("button", name=re.compile("Pause|Cancel|Resume|Set")).count() == 0


def test_a_page_outlives_a_restart_of_the_server(api, open_page):
    job = submit(api)
    page = open_page(f"/jobs/{job}")
    page.get_by_text("0 of 8 views").wait_for()

    drawn = "() => document.querySelector('canvas.tasks').width > 1"
    page.wait_for_function(drawn)  # its scripts are loaded: they outlive it, not their loading
    api.restart()
    render(api, job, 0)

    page.get_by_text("2 of 8 views (25 %)").wait_for()
    page.wait_for_function("() => document.querySelector('[data-lost]').hidden")


def test_the_login_page_fits_a_phone(chromium, api):
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{api.url}/login")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_what_the_views_cover_follows_the_last_view(api, open_page):
    job = submit(api)
    render(api, job, 0)
    page = open_page(f"/jobs/{job}")
    page.get_by_text("Counted on all 2 views; 8 are asked for.").wait_for()

    for index in range(1, 4):  # the farm counts every five seconds at most
        render(api, job, index)
    page.get_by_text("Counted on all 8 views.").wait_for()


def test_a_job_that_is_over_offers_no_notice_and_leads_to_its_dataset(api, open_page):
    job = submit(api, tasks=1)
    page = open_page(f"/jobs/{job}", permissions=["notifications"])
    notice = page.get_by_role("button", name="Notify me when it ends")
    notice.wait_for()

    render(api, job, 0)
    api.ledger.settle(job)
    notice.wait_for(state="hidden")
    page.get_by_text("farm dataset export chairs --to coco --out chairs-coco").wait_for()
    page.get_by_role("link", name="download and exports").click()
    page.wait_for_url(f"**/datasets/{job}")
    page.get_by_role("button", name="Export", exact=True).wait_for()


def test_numbers_show_without_scripts(api, open_page):
    job = submit(api)
    render(api, job, 0)
    page = open_page(f"/jobs/{job}", java_script_enabled=False)

    assert "2 of 8 views (25 %)" in page.locator("[data-sentence]").text_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(api, open_page, scheme):
    job = submit(api)
    render(api, job, 0)
    page = open_page(f"/jobs/{job}", color_scheme=scheme)
    page.locator(".picture").first.wait_for()

    for place in (f"/jobs/{job}", "/", "/new", "/datasets", "/workers", "/account"):
        page.goto(f"{api.url}{place}")
        assert faults(page) == []
