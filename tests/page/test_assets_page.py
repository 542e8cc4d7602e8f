"""Assets, words and exports, as only a browser shows them."""

from __future__ import annotations

import pytest

from tests.integration.api.test_shelf import library_job
from tests.support.axe import faults
from tests.support.farms.rendered import render


def test_assets_that_are_ticked_make_a_new_job(api, open_page):
    _, (cup, _) = library_job(api, seed=61)
    page = open_page("/assets", role="submit")

    page.locator(".picture-of[data-kind=hdr] img").evaluate(
        "image => image.decode().then(() => image.naturalWidth)"
    )
    button = page.get_by_role("button", name="New job with what is ticked")
    assert button.is_disabled()
    for box in page.get_by_role("checkbox").filter(has_not=page.locator("[name=failed]")).all():
        if box.get_attribute("name") == "with":
            box.check()
    page.get_by_text("2 ticked").wait_for()
    button.click()
    page.get_by_text("From the library: studio.hdr").wait_for()
    page.get_by_label("Yaw", exact=True).fill("3")
    page.get_by_label("Pitch", exact=True).fill("2")
    page.get_by_role("button", name="Upload, and show the plan").click()
    page.get_by_text("6 views in 1 task, about").wait_for()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_text("0 of 6 views").wait_for()

    newest = max(api.ledger.jobs(), key=lambda job: job.created_s)
    assets = api.services.book.load(newest.job_id).assets
    assert assets[0].sha256 == cup.sha256
    assert assets[0].credit.author == "Ann"


def test_words_are_confirmed_by_enter_one_after_the_other(api, open_page):
    library_job(api, seed=62)
    library_job(api, seed=62, model=b"a box", file="thing.blend", name="boxes")
    page = open_page("/assets/words", role="submit")

    nouns = page.get_by_label("Noun")
    nouns.first.fill("a crate")
    nouns.first.press("Enter")
    page.get_by_role("alert").filter(has_text="begins with an article").wait_for()
    nouns.first.fill("crate")
    nouns.first.press("Enter")
    page.get_by_text("1 of 2 on this page are confirmed").wait_for()
    page.wait_for_function(
        "() => document.activeElement === document.querySelectorAll('[name=noun]')[1]"
    )
    page.goto(f"{api.url}/assets/words?open=true")
    assert nouns.count() == 1


def test_a_dataset_is_exported_by_a_button(api, open_page):
    job, _ = library_job(api, seed=63)
    render(api, job, 0)
    page = open_page(f"/datasets/{job}", role="submit")

    page.locator(".gallery .picture").nth(1).wait_for()
    page.get_by_label("Format").select_option("yolo")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the export").click()
    assert download.value.suggested_filename == "cups-yolo.tar"
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("link", name="Download the export").wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_fit_for_all(api, open_page, scheme):
    job, _ = library_job(api, seed=64)
    render(api, job, 0)
    page = open_page(
        "/assets", role="submit", color_scheme=scheme, viewport={"width": 390, "height": 844}
    )

    for place in ("/assets", "/assets/words", "/datasets", f"/datasets/{job}"):
        page.goto(f"{api.url}{place}")
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
