"""The list of jobs in a browser: it follows the farm without being loaded again."""

from __future__ import annotations

from tests.page.conftest import submit
from tests.support.farms.rendered import render


def test_the_list_follows_the_farm_without_a_reload(api, open_page):
    job = submit(api, name="chairs")
    page = open_page("/?sort=name")
    page.get_by_role("link", name="chairs").wait_for()
    page.evaluate("window.sameDocument = true")
    icon = page.locator("link[rel=icon]")
    assert "icon-rests" in icon.get_attribute("href")

    submit(api, name="apples", seed=2)
    page.get_by_role("link", name="apples").wait_for()
    render(api, job, 0)
    page.locator(f"tr[data-job='{job}'] [data-done]", has_text="2").wait_for()
    picture = f"tr[data-job='{job}'] .last img"  # looked for again: the list is made anew
    page.wait_for_function("of => document.querySelector(of)?.naturalWidth === 64", arg=picture)
    page.wait_for_function("() => document.title === '1 running · Viewfarm'")
    assert "icon-runs" in icon.get_attribute("href")
    assert page.evaluate("window.sameDocument") is True
    assert "sort=name" in page.url


def test_choices_are_kept_in_the_address(api, open_page):
    submit(api, name="chairs")
    page = open_page("/")

    page.wait_for_url(f"{api.url}/")  # and until its scripts have run
    page.get_by_label("Group by").select_option("owner")
    page.wait_for_url("**/?*group=owner*")
    page.get_by_role("rowheader", name="a adminer").wait_for()
    page.reload()
    page.get_by_role("rowheader", name="a adminer").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
