"""The page to confirm words by, as a person with a browser meets it."""

from __future__ import annotations

import pytest

from farm.cli.words.sheet import sheet_of
from farm.spec.words import AssetWords, read_words
from farm.words.guess import Guess
from farm.words.words_file import Proposal, merged
from tests.builders import an_asset
from tests.page.conftest import PATIENCE_MS

Image = pytest.importorskip("PIL.Image")

EVIL = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>.glb'
NAMES = ("mug.glb", "knife.glb", EVIL)
THERE = "old.glb: {noun: vase, synonyms: [urn], confirmed: true}\n"


@pytest.fixture
def page(chromium, tmp_path):
    """The page of three objects, of which one has no picture; nothing may go wrong in it."""
    faults = []
    proposals = [
        Proposal(name, Guess(AssetWords(noun="mug", size_m=(0.1, 0.2)), f"of {name}", number == 0))
        for number, name in enumerate(NAMES)
    ]
    made = merged(THERE, proposals, name="words.yaml")
    objects = [an_asset(name) for name in NAMES]
    pictures = {each.sha256: Image.new("RGB", (8, 8), "red") for each in objects[:2]}
    path = tmp_path / "words.html"
    path.write_bytes(sheet_of(path, objects, proposals, made, pictures))
    context = chromium.new_context()
    shown = context.new_page()
    shown.set_default_timeout(PATIENCE_MS)
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("console", lambda line: line.type == "error" and faults.append(line.text))
    shown.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    shown.goto(path.as_uri())
    yield shown
    context.close()
    assert not faults


def saved(page):
    """The words.yaml that the page writes."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save words.yaml").click()
    assert download.value.suggested_filename == "words.yaml"
    text = download.value.path().read_text(encoding="utf-8")
    return read_words(text, name="words.yaml")


def test_what_a_person_corrects_and_confirms_is_saved_with_all_else(page):
    page.get_by_label("noun of knife.glb").fill("oyster knife")
    page.get_by_label("also of knife.glb").fill("knife; shucker")
    page.get_by_label("metres of knife.glb").fill("0.12, 0.2")
    page.get_by_label("noun of mug.glb").press("Enter")
    page.get_by_label("noun of knife.glb").press("Enter")
    assert page.locator("#count").inner_text() == "2 of 3 confirmed"

    words = saved(page)

    assert set(words) == {*NAMES, "old.glb"}
    assert words["old.glb"] == AssetWords(
        noun="vase", plural="vases", article="a", synonyms=("urn",), confirmed=True
    )
    knife = words["knife.glb"]
    assert (knife.noun, knife.plural_noun, knife.article) == ("oyster knife", "oyster knives", "an")
    assert (knife.synonyms, knife.size_m) == (("knife", "shucker"), (0.12, 0.2))
    assert [words[name].confirmed for name in NAMES] == [True, True, False]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("noun", "a/"), ("noun", ""), ("noun", "a mug"), ("noun", "coffee_mug"),
        ("material", "x" * 61), ("also", "cup, <b>"), ("metres", "2, 1"), ("metres", "wide"),
    ],
)  # fmt: skip
def test_what_no_sentence_can_say_is_neither_confirmed_nor_saved(page, field, wrong):
    box = page.get_by_label(f"{'made of' if field == 'material' else field} of mug.glb")
    box.fill(wrong)
    box.press("Enter")

    assert page.locator("#count").inner_text() == "0 of 3 confirmed"
    words = saved(page)["mug.glb"]
    assert (words.noun, words.synonyms, words.size_m) == ("mug", (), (0.1, 0.2))
    assert words.material is None


def test_only_what_is_left_to_do_is_shown_on_request(page):
    page.get_by_label("noun of mug.glb").press("Enter")
    page.get_by_label("only what is not confirmed").check()

    assert page.locator("article:visible").count() == 2
    assert page.get_by_text(EVIL, exact=True).is_visible(), "names are text"
