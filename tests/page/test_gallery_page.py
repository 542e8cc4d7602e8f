"""The film strip, the gallery, the coverage, the comparison: as somebody sees and presses them."""

from __future__ import annotations

import re

import pytest

from farm.glimpses import Glimpse, ShownFile
from tests.support.changed_datasets import ChangedDataset
from tests.support.farms.api_server import ApiServer
from tests.support.farms.galleries import a_job_with, emptied
from tests.support.leafing import leafed
from tests.support.sentences import write_sentences
from tests.support.sequences import write_sequences


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="module")
def tables(api, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_sentences(folder, views=3)
    return a_job_with(api, folder, name="tables", seed=1)


@pytest.fixture(scope="module")
def films(api, tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    write_sequences(folder, frames=4, passes=("rgb", "mask", "depth"))
    return a_job_with(api, folder, name="films", seed=2)


def glimpses_of(api, job):
    """Return what a worker tells of a job's views, each with its picture."""
    client = api.client("read")
    for card in leafed(client, job):
        pictures = {name: ShownFile(**file) for name, file in card["pictures"].items()}
        file = pictures["rgb"]
        data = client.get(f"/v1/datasets/{job}/thumbnails/{file.sha256}/{file.path}").content
        known = {"view": card["name"], "title": card["title"], "caption": card["caption"]}
        yield Glimpse(**known, task_id=card["task_id"], pictures=pictures), data


def test_the_film_strip_is_heard_looked_at_and_opened_by_keys(api, tables, open_page):
    page = open_page(f"/jobs/{tables}")
    page.get_by_text("0 of 100 views").wait_for()
    shown = list(glimpses_of(api, tables))
    for glimpse, data in shown:
        api.glimpses.show(tables, glimpse, data)

    strip = page.locator("[data-pictures] button")
    strip.nth(2).wait_for()
    strip.first.focus()
    for name in ("rgb", "mask", "depth", "index"):
        page.locator(f"[data-strip] img[alt^='{name} of']").wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.locator("[data-hold][aria-pressed=true]").wait_for()
    api.glimpses.show(tables, *shown[0])
    page.get_by_text("1 new picture waits").wait_for()
    assert strip.count() == 3
    page.keyboard.press("Enter")
    page.locator("dialog[open] [data-caption]", has_text="table_0001").wait_for()


def test_a_sequence_is_one_card_and_plays(api, films, open_page):
    page = open_page(f"/jobs/{films}")

    page.locator("[data-grid] .badge").nth(1).wait_for()
    assert page.locator("[data-grid] .picture").count() == 2
    page.locator("[data-grid] .picture").first.click()
    told = page.locator("[data-player] [data-told]")
    told.get_by_text("1 of 4").wait_for()
    page.keyboard.press(" ")
    told.get_by_text("3 of 4").wait_for()
    page.get_by_role("button", name="Pause", exact=True).last.click()
    page.get_by_role("button", name="Play").wait_for()
    page.locator("[data-frame]").fill("0")
    told.get_by_text("1 of 4").wait_for()
    page.locator("[data-stage]").focus()
    page.keyboard.press(".")
    told.get_by_text("2 of 4").wait_for()


def test_what_is_looked_for_is_chosen_and_the_address_says_so(api, tables, open_page):
    page = open_page(f"/jobs/{tables}")
    page.locator("[data-grid] .picture").nth(2).wait_for()

    page.get_by_role("button", name="mug", exact=True).click()
    page.wait_for_url(re.compile("category=mug"))
    page.get_by_label("Sentences").select_option("none")
    page.wait_for_url(re.compile("kind=none"))
    page.get_by_label("Find views").fill("table_0002")
    page.keyboard.press("Enter")
    page.get_by_text("1 view shown").wait_for()
    page.reload()
    page.locator("[data-grid] .picture").wait_for()
    assert page.locator("[data-grid] .picture").count() == 1
    assert page.get_by_label("Class").input_value() == "mug"
    page.get_by_role("button", name="Show all").click()
    page.locator("[data-grid] .picture").nth(2).wait_for()


def test_a_direction_that_is_empty_says_what_fills_it(api, tables, open_page):
    page = open_page(f"/jobs/{tables}")

    dome = page.locator("svg[aria-label*='directions']")
    dome.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("code", has_text="--set recipe.yaw_per_pitch=20").wait_for()


def test_an_address_opens_a_view_that_the_grid_has_not_loaded(api, films, open_page):
    page = open_page(f"/jobs/{films}")
    page.locator("[data-grid] .picture").first.wait_for()
    name = leafed(api.client("read"), films)[6]["name"]

    page.goto(f"{api.url}/jobs/{films}?view={name}")
    page.locator("dialog[open] [data-caption]", has_text=name).wait_for()
    page.locator("[data-player] [data-told]").get_by_text("3 of 4").wait_for()


def test_views_that_differ_are_found_in_a_comparison(api, tables, tmp_path, open_page):
    folder = tmp_path / "again"
    write_sentences(folder, views=3)
    changed = ChangedDataset(folder)
    changed.change("depth", lambda depth: depth + 1, at=2)
    changed.save()
    other = a_job_with(api, folder, name="again", seed=7)
    page = open_page(f"/compare?job={tables}&other={other}")

    status = page.locator("[data-status]")
    status.get_by_text("(1 of ").wait_for()  # a slow answer tells of fewer
    status.get_by_text("rgb is the same").wait_for()
    page.get_by_role("button", name="depth").click()
    page.keyboard.press("n")
    status.get_by_text("depth differs").wait_for()
    status.get_by_text("table_0002").wait_for()
    box = page.locator("[data-wipe]").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(60 / 40, rel=0.02)
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("[data-line]").input_value() == "55"
    page.get_by_label("Go to view").fill("table_0001")
    page.keyboard.press("Enter")
    status.get_by_text("table_0001").wait_for()
