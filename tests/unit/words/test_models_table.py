"""Tables of models: spreadsheets and CSV files, as RefGrasp has them."""

from __future__ import annotations

import re
import zipfile

import pytest

from farm.errors import SetupError, SpecError
from farm.words.models_table import read_table, said_by, unused

HEAD = ("obj", "name", "category", "color", "aliases")
ROWS = (
    ("000017_thu_models_wooden_cup2", "cup", "container", "brown", "wooden cup;beaker"),
    ("011_banana", "banana", "fruit", "yellow", ""),
    ("7", "screwdriver", "tool", "", ""),
)


def csv_file(path, *, sign=",", encoding="utf-8", rows=ROWS):
    path.write_bytes("\r\n".join(sign.join(row) for row in (HEAD, *rows)).encode(encoding))
    return path


def sheet(path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (HEAD, *ROWS[:2], (7.0, "screwdriver", "tool", None, None), (None,) * 5):
        book.active.append(row)
    book.create_sheet("notes").append(["nothing"])
    book.save(path)
    return path


@pytest.mark.parametrize("kind", ["xlsx", "csv", "tabs", "bom"])
def test_a_table_is_read_by_the_order_of_its_columns(tmp_path, kind):
    path = {
        "xlsx": lambda: sheet(tmp_path / "t.xlsx"),
        "csv": lambda: csv_file(tmp_path / "t.csv"),
        "tabs": lambda: csv_file(tmp_path / "t.tsv", sign="\t"),
        "bom": lambda: csv_file(tmp_path / "t.csv", encoding="utf-8-sig"),
    }[kind]()

    table = read_table(path)

    assert list(table) == ["000017_thu_models_wooden_cup2", "011_banana", "7"]
    cup = said_by(table["000017_thu_models_wooden_cup2"], path).words
    assert (cup.noun, cup.hypernym, cup.synonyms) == ("cup", "container", ("wooden cup", "beaker"))
    assert cup.confirmed, "whoever wrote the table has looked"
    assert cup.size_m is not None
    assert said_by(table["7"], path).words.hypernym == "tool"
    assert unused(table, ["7", "other"]) == ["000017_thu_models_wooden_cup2", "011_banana"]


def test_a_sheet_that_says_it_has_one_cell_is_read_whole(tmp_path):
    """Not all programs that write spreadsheets count their cells."""
    with zipfile.ZipFile(sheet(tmp_path / "t.xlsx")) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    page = "xl/worksheets/sheet1.xml"
    parts[page] = re.sub(rb'<dimension ref="[^"]+"', b'<dimension ref="A1"', parts[page])
    with zipfile.ZipFile(tmp_path / "one.xlsx", "w") as book:
        for name, data in parts.items():
            book.writestr(name, data)

    assert len(read_table(tmp_path / "one.xlsx")) == 3


def test_names_of_files_do_as_well_as_stems(tmp_path):
    table = read_table(csv_file(tmp_path / "t.csv", rows=(("a.OBJ", "mug", "", "", ""),)))

    assert list(table) == ["a"]


def test_letters_of_windows_are_read(tmp_path):
    rows = (("a", "flambé pan", "pan", "", ""),)
    table = read_table(csv_file(tmp_path / "t.csv", encoding="cp1252", rows=rows))

    assert table["a"].name == "flambé pan"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        pytest.param((("a", "", "fruit", "", ""),), "line 2: a has no name", id="no name"),
        pytest.param(
            (("a", "mug", "", "", ""), ("a", "cup", "", "", "")),
            "lines 2 and 3 both say what a is called", id="twice",
        ),
        pytest.param((("a", "mug!?", "", "", ""),), "line 2: noun: 'mug!?' is", id="odd"),
        pytest.param((("a", "mug", "", "", "the cup"),), "begins with an article", id="article"),
        pytest.param((), "is not a table of models", id="empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path, rows, sentence):
    path = csv_file(tmp_path / "t.csv", rows=rows)

    with pytest.raises(SpecError) as caught:
        said_by(next(iter(read_table(path).values())), path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        pytest.param("t.xlsx", b"not a spreadsheet", "is not a spreadsheet that can be read",
                     id="no spreadsheet"),
        pytest.param("t.xls", b"\xd0\xcf\x11\xe0", "save it as .xlsx or .csv", id="old"),
        pytest.param("t.ods", b"PK\3\4\0\0\0", "is not a table of models", id="other"),
        pytest.param("t.csv", b'a,b\n"never,closed', "is not a CSV file", id="broken"),
    ],
)  # fmt: skip
def test_files_that_are_no_tables_are_refused(tmp_path, name, data, sentence):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    (tmp_path / name).write_bytes(data)

    with pytest.raises(SpecError, match=sentence):
        read_table(tmp_path / name)


def test_a_table_that_is_not_there_is_named(tmp_path):
    pytest.importorskip("openpyxl")
    for name in ("t.csv", "t.xlsx"):
        with pytest.raises(SpecError, match=name):
            read_table(tmp_path / name)


def test_a_spreadsheet_without_its_reader_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)

    with pytest.raises(SetupError, match=r"viewfarm\[tables\]"):
        read_table(csv_file(tmp_path / "t.xlsx"))
