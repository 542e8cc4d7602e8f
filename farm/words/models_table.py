"""Tables of models, as RefGrasp has them: a spreadsheet or CSV file, read by its columns' order."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from farm.errors import SpecError, needing
from farm.spec.asset import MODEL_SUFFIXES
from farm.spec.base import first_reason
from farm.spec.words import AssetWords
from farm.words.guess import Guess, Known, guess

COLUMNS = "stem of the file, name, category, colour, other names with ; between"
NO_TABLE = f"is not a table of models: its columns are {COLUMNS}"
SPREADSHEETS = (".xlsx", ".xlsm")
MOST_ROWS = 1_000_000
"""More lines are no table of models."""


class Row(NamedTuple):
    """What a table says of one model."""

    number: int
    """Of the line, from 1."""
    stem: str
    """Name of its file without the suffix."""
    name: str
    category: str
    aliases: tuple[str, ...]


def read_table(path: Path) -> dict[str, Row]:
    """Return the rows of a table, by the stem of the model's file.

    The first line holds names of columns, which are not read. Colours are not taken: they are
    measured.

    Raises:
        SpecError: It is not such a table.
    """
    rows = [row for row in rows_of(path) if row.stem]
    if not rows:
        raise SpecError(f"{path}: {NO_TABLE}")
    found: dict[str, Row] = {}
    for row in rows:
        first = found.setdefault(row.stem, row)
        if first is not row:
            raise SpecError(
                f"{path}: lines {first.number} and {row.number} both say what {row.stem} is "
                "called: take one out"
            )
    return found


def rows_of(path: Path) -> Iterator[Row]:
    """Yield the rows of a table."""
    suffix = path.suffix.lower()
    if suffix == ".xls":
        raise SpecError(f"{path}: is of the old kind of Excel: save it as .xlsx or .csv")
    lines = spreadsheet(path) if suffix in SPREADSHEETS else comma_separated(path)
    for number, line in enumerate(lines, 1):
        if number > MOST_ROWS:
            raise SpecError(f"{path}: has more than {MOST_ROWS:,} lines")
        if number == 1 or not any(line):
            continue
        stem, name, category, _, aliases = (*line, "", "", "", "", "")[:5]
        if stem.lower().endswith(MODEL_SUFFIXES):
            stem = stem.rpartition(".")[0]
        if stem and not name:
            raise SpecError(f"{path}: line {number}: {stem} has no name; {COLUMNS}")
        others = (each.strip() for each in aliases.split(";"))
        yield Row(number, stem, name, category, tuple(each for each in others if each))


def spreadsheet(path: Path) -> Iterator[list[str]]:
    """Yield the lines of a spreadsheet's first sheet."""
    with needing(f"{path}: reading it needs", "pip install 'viewfarm[tables]', or save it as .csv"):
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # some writers say that it has one cell
            for line in sheet.iter_rows(values_only=True):
                yield [cell_text(cell) for cell in line]
        finally:
            book.close()
    except (OSError, zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError,
            SyntaxError) as error:  # fmt: skip  # SyntaxError: of XML
        raise SpecError(f"{path}: is not a spreadsheet that can be read: {error}") from None


def cell_text(cell: Any) -> str:
    """Return what a cell says; 17.0 is the name 17."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def comma_separated(path: Path) -> Iterator[list[str]]:
    """Yield the lines of a CSV file, with commas, tabs or semicolons between."""
    text = text_of(path)
    head = text.partition("\n")[0]
    delimiter = next((sign for sign in (",", "\t", ";") if sign in head), ",")
    try:
        for line in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True):
            yield [cell.strip() for cell in line]
    except csv.Error as error:
        raise SpecError(f"{path}: is not a CSV file that can be read: {error}") from None


def text_of(path: Path) -> str:
    """Return the text of a file, which spreadsheets also write as of old in Windows' letters."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
    if b"\0" in data[:4096]:
        raise SpecError(f"{path}: {NO_TABLE}; of spreadsheets .xlsx and .csv are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def said_by(row: Row, path: Path) -> Guess:
    """Return what a row says of a model: whoever wrote it has looked, so it is confirmed.

    Raises:
        SpecError: No sentence can say it.
    """
    alike = guess(Known(key=row.stem, name=row.name))
    facts = (
        {name: getattr(alike.words, name) for name in ("size_m", "stands", "symmetric")}
        if alike.is_sure
        else {}
    )
    name = row.name.replace("_", " ")
    kind = row.category.replace("_", " ")
    try:
        words = AssetWords.model_validate(
            {
                "noun": name,
                "hypernym": kind if kind and kind != name else None,
                "synonyms": tuple(each.replace("_", " ") for each in row.aliases),
                "confirmed": True,
                **facts,
            }
        )
    except ValidationError as error:
        raise SpecError(f"{path}: line {row.number}: {first_reason(error)}") from None
    return Guess(words, f"from line {row.number} of {path.name}", is_sure=True)


def unused(table: Mapping[str, Row], stems: Iterable[str]) -> list[str]:
    """Return which models of a table no file is of."""
    there = set(stems)
    return [stem for stem in table if stem not in there]
