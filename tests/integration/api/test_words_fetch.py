"""`farm words fetch`: words confirmed on the farm's page, in a file that `farm submit` takes."""

from __future__ import annotations

import pytest

from farm.cli.words.fetch import fetch_words
from farm.errors import SpecError
from farm.spec.words import read_words
from tests.integration.api.test_shelf import BOX, CUP, library_job, say
from tests.support.farms.api_server import ApiServer
from tests.support.farms.galleries import emptied


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    emptied(redis_server.url)
    with ApiServer(redis_server.url, tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="module")
def cup(api):
    """Return the hash of a cup that somebody has confirmed to be a goblet."""
    _, assets = library_job(api, seed=71)
    library_job(api, seed=71, model=BOX, file="thing.blend", name="boxes")
    assert say(api, assets[0].sha256, noun="goblet", hypernym="vessel", confirmed=True).is_success
    return assets[0].sha256


@pytest.fixture
def here(api, cup, tmp_path, monkeypatch):
    """Stand in a folder with the cup under another name, and a login."""
    monkeypatch.setenv("FARM_URL", api.url)
    monkeypatch.setenv("FARM_TOKEN", api.tokens["read"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "renamed.glb").write_bytes(CUP)
    return tmp_path


def words_there(here):
    return read_words((here / "words.yaml").read_text(), name="words.yaml")


def test_words_come_by_contents_under_the_names_that_files_have_here(here, capsys):
    (here / "things" / "thing.blend").write_bytes(BOX)
    fetch_words(["things"], output=here / "words.yaml")

    found = words_there(here)
    assert list(found) == ["renamed.glb"]
    assert (found["renamed.glb"].noun, found["renamed.glb"].confirmed) == ("goblet", True)
    told = capsys.readouterr()
    assert "words of 1 model from the farm" in told.out
    assert "thing.blend: nobody has confirmed its words on the farm" in told.err


def test_what_is_confirmed_in_the_file_stays_and_what_is_not_is_replaced(here):
    file = here / "words.yaml"
    file.write_text("renamed.glb: {noun: cup}\nother.glb: {noun: lamp}\n")
    fetch_words(["things"], output=file)
    assert {key: each.noun for key, each in words_there(here).items()} == {
        "renamed.glb": "goblet",
        "other.glb": "lamp",
    }

    mine = "renamed.glb: {noun: chalice, confirmed: true}  # mine\n"
    file.write_text(mine)
    fetch_words(["things"], output=file)
    assert file.read_text() == mine


def test_without_files_all_words_are_fetched_by_the_names_that_the_farm_knows(here):
    fetch_words([], output=here / "words.yaml")

    assert {key: each.noun for key, each in words_there(here).items()} == {
        "Mug_Red_v2.blend": "goblet"
    }


def test_files_that_nobody_has_named_are_a_sentence_and_no_file(here):
    (here / "things" / "renamed.glb").write_bytes(b"another")

    with pytest.raises(SpecError, match="nobody has confirmed words of these objects"):
        fetch_words(["things"], output=here / "words.yaml")
    assert not (here / "words.yaml").exists()
