"""`farm words propose`: what it writes, keeps and says."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from farm.cli.main import make_app
from farm.errors import SpecError, StorageError
from farm.spec.words import AssetWords, read_words
from tests.support.tabletop import write_things


def propose(*args):
    return CliRunner().invoke(make_app(), ["words", "propose", "--no-sheet", *map(str, args)])


def words_in(path):
    return read_words(path.read_text(encoding="utf-8"), name="w")


@pytest.fixture
def things(tmp_path):
    return write_things(tmp_path / "things", colours=("red", "blue"), shapes=("box", "can"))


def test_every_object_gets_an_entry_to_confirm(things, tmp_path):
    done = propose(things, "--output", tmp_path / "words.yaml")

    assert done.exit_code == 0, done.output
    found = words_in(tmp_path / "words.yaml")
    assert {name: words.noun for name, words in found.items()} == {
        "blue_box.obj": "box", "blue_can.obj": "can", "red_box.obj": "box", "red_can.obj": "can",
    }  # fmt: skip
    assert not any(words.confirmed for words in found.values())
    assert "4 objects, 4 of them new" in done.output
    assert "4 to confirm" in done.output


def test_what_somebody_has_written_stays_and_the_rest_is_added(things, tmp_path):
    mine = "# my own\nred_box.obj: {noun: parcel, confirmed: true}  # from Ada\n"
    (tmp_path / "words.yaml").write_text(mine)

    done = propose(things, "--output", tmp_path / "words.yaml")

    assert (tmp_path / "words.yaml").read_text().startswith(mine)
    found = words_in(tmp_path / "words.yaml")
    assert found["red_box.obj"] == AssetWords(noun="parcel", confirmed=True)
    assert len(found) == 4
    assert "3 of them new" in done.output
    assert "3 to confirm" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["things", "words.yaml"]


def test_sidecars_and_tables_tell_more_than_names(things, tmp_path):
    sidecar = {"name": "Cookie jar", "category": "tin", "tags": ["kitchen"]}
    (things / "blue_can.obj.json").write_text(json.dumps(sidecar))
    table = tmp_path / "models.csv"
    table.write_text("obj,name,category,color,aliases\nred_can,soda can,container,red,can;tin\n"
                     "gone,cup,,,\n")  # fmt: skip

    done = propose(things, "--table", table, "--output", tmp_path / "words.yaml")

    found = words_in(tmp_path / "words.yaml")
    assert found["blue_can.obj"].noun == "jar", "its title goes before all"
    red = found["red_can.obj"]
    assert (red.noun, red.confirmed, red.synonyms) == ("soda can", True, ("can", "tin"))
    assert "1 line of models that are not here, such as gone" in " ".join(done.output.split())


def test_files_of_one_name_are_told_apart(tmp_path):
    for noun, colour in (("Mug_White", "red"), ("Plate_Old", "blue")):
        folder = tmp_path / "gso" / noun / "meshes"
        write_things(folder, colours=(colour,), shapes=("box",))
        (folder / f"{colour}_box.obj").rename(folder / "model.obj")

    done = propose(tmp_path / "gso", "--output", tmp_path / "words.yaml")

    assert done.exit_code == 0
    found = words_in(tmp_path / "words.yaml")
    assert sorted(words.noun for words in found.values()) == ["mug", "plate"]
    assert all(name.startswith("model.obj#") for name in found)


def test_a_file_of_another_shape_is_left_alone(things, tmp_path):
    path = tmp_path / "words.yaml"
    for text, sentence in (
        ("- mug\n", "must map file names"),
        ("a.obj: {noun: a mug}\n", "words.yaml: a.obj: noun: 'a mug' begins with an article"),
        ("a: {noun: x\n", "is not YAML"),
    ):
        path.write_text(text)
        done = propose(things, "--output", path)
        assert isinstance(done.exception, SpecError)
        assert sentence in str(done.exception)
        assert path.read_text() == text
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not text in UTF-8" in str(propose(things, "--output", path).exception)


def test_what_cannot_be_read_or_written_is_a_sentence(things, tmp_path):
    assert "matches no file" in str(propose(tmp_path / "none").exception)
    assert "cannot be read" in str(propose(things, "--output", things).exception)
    (tmp_path / "file").write_text("x")
    done = propose(things, "--output", tmp_path / "file" / "words.yaml")
    assert isinstance(done.exception, SpecError | StorageError)


def test_where_all_is_confirmed_no_picture_is_taken(things, tmp_path):
    table = tmp_path / "models.csv"
    stems = [path.stem for path in sorted(things.glob("*.obj"))]
    table.write_text("obj,name\n" + "".join(f"{stem},box\n" for stem in stems))
    args = ["words", "propose", things, "--table", table, "--output", tmp_path / "words.yaml"]

    done = CliRunner().invoke(make_app(), list(map(str, args)))

    assert done.exit_code == 0
    assert "all are confirmed" in done.output
    assert not (tmp_path / "words.html").exists()
