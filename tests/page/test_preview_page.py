"""The page of a dataset as a person with a browser and no network meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.dataset.preview import html_page
from farm.dataset.preview.preview import page_of
from farm.dataset.reader import open_dataset
from tests.page.conftest import PATIENCE_MS
from tests.support.axe import faults
from tests.support.table_views import the_one, usual_sentences, write_table_views

pytest.importorskip("imagecodecs")
pytest.importorskip("PIL")

HERE = Path(__file__).parent
EVIL = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'


def said(objects):
    """Say the usual, and something that would run if it were not text."""
    return (*usual_sentences(objects), the_one(objects, 1).model_copy(update={"text": EVIL}))


@pytest.fixture
def shown(chromium, tmp_path):
    """Return what opens the page of a dataset; nothing may go wrong in it, nor leave it."""
    contexts, faults = [], []

    def open_(**context):
        write_table_views(tmp_path / "tables", size=(96, 72), sentences=said)
        html, _count = page_of(open_dataset(tmp_path / "tables"), limit=4)
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        made = chromium.new_context(**context)
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: line.type == "error" and faults.append(line.text))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda asked: asked.url[:5] not in ("file:", "data:") and faults.append(asked.url),
        )
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults


def test_sentences_are_found_by_what_they_say(shown):
    page = shown()
    told, views = page.locator("#told"), page.locator("#shown")
    assert told.text_content() == "24 sentences"

    page.select_option("#by-kind", "nearest")
    assert (told.text_content(), views.text_content()) == ("4 of 24 sentences", "4 views")
    page.select_option("#by-colour", "purple")
    assert (told.text_content(), views.text_content()) == ("0 of 24 sentences", "0 views")
    assert page.locator("#none").is_visible()
    page.click("#all")
    assert (told.text_content(), views.text_content()) == ("24 sentences", "4 views")
    page.select_option("#by-negative", "negatives")
    assert told.text_content() == "4 of 24 sentences"
    assert page.locator(".card .said").all_text_contents() == ["the purple mug"] * 4
    page.click("#all")
    page.keyboard.press("/")
    page.keyboard.type("BOWL green")
    assert told.text_content() == "8 of 24 sentences"
    page.select_option("#by-level", "3")
    page.select_option("#by-noun", "mug")
    assert set(page.locator(".card .said").all_text_contents()) == {
        page.locator(".card .said").first.text_content()
    }


def test_a_sentence_shows_what_it_means(shown):
    page = shown()
    page.select_option("#by-kind", "nearest")

    page.locator(".card .said").first.click()

    assert page.locator("dialog").is_visible()
    pressed = page.locator("#sentences [aria-pressed=true]")
    assert pressed.text_content().startswith("the mug nearest to the green bowl")
    assert pressed.locator(".anchor").text_content() == "the green bowl"
    assert (page.locator("svg path.target").count(), page.locator("svg path.anchor").count()) == (
        1,
        1,
    )
    target, picture = (page.locator(of).bounding_box() for of in ("svg path.target", "#spoken img"))
    assert picture["x"] < target["x"] < picture["x"] + picture["width"]
    assert 0 < target["width"] < picture["width"] / 3
    assert "by green_bowl" in page.locator("#meaning").text_content()
    assert page.locator("#sentences .apart").count() == 5
    page.locator("#sentences .said").nth(4).click()
    assert page.locator("svg path").count() == 0
    assert "True of nothing here; made of" in page.locator("#meaning").text_content()


@pytest.mark.parametrize("whole", [1000, 0])
def test_the_page_is_used_by_keys_alone(shown, monkeypatch, whole):
    """A page of many views has less of each record, and does the same."""
    monkeypatch.setattr(html_page, "WHOLE_RECORDS", whole)
    page = shown()
    page.locator(".card .open").first.click()
    pressed = page.locator("#sentences [aria-pressed=true]")
    first = page.locator("#name").text_content()

    page.keyboard.press("ArrowDown")
    assert pressed.text_content() == page.locator("#sentences .said").nth(1).text_content()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert pressed.text_content() == page.locator("#sentences .said").nth(5).text_content()
    page.keyboard.press("ArrowRight")
    assert page.locator("#name").text_content() != first
    assert page.locator("#objects td").count() == 4 * 7
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()


def test_text_of_strangers_is_text(shown):
    page = shown()
    page.fill("#text", "onerror")

    page.locator(".card .said").first.click()

    assert page.locator("#sentences .said").nth(5).text_content().startswith(EVIL)
    assert page.locator("dialog img[src=x]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(shown, scheme):
    page = shown(color_scheme=scheme)
    page.locator(".card .said").first.click()

    assert faults(page) == []


def test_a_page_fits_a_telephone(shown):
    page = shown(viewport={"width": 390, "height": 800})
    page.locator(".card .said").first.click()

    both = "[document.documentElement, document.querySelector('dialog')]"
    wide = page.evaluate(f"{both}.map((each) => each.scrollWidth - each.clientWidth)")

    assert max(wide) <= 1
