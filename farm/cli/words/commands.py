"""`farm words`: what the objects of tabletop scenes are called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

words = typer.Typer(help="Name the objects that sentences speak of.", no_args_is_help=True)


@words.callback()
def _group() -> None:
    """Name the objects that sentences speak of."""


@words.command()
def propose(
    objects: Annotated[
        list[str],
        typer.Argument(metavar="OBJECTS...", help="Files, globs and folders of models."),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, or to add to.")
    ] = Path("words.yaml"),
    table: Annotated[
        Path | None,
        typer.Option(
            help="Table of models (.xlsx or .csv), its columns in this order: stem of the file, "
            "name, category, colour, other names with ; between. What it says is confirmed."
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="Page of pictures to confirm names by (.html), or one picture (.jpg). "
            "(default: beside the output, .html)"
        ),
    ] = None,
    no_sheet: Annotated[
        bool, typer.Option("--no-sheet", help="Render no pictures: quick.")
    ] = False,
) -> None:
    """Propose what objects are called, for you to confirm.

    Nouns come from names, categories and tags: of the file, of its sidecar, or of its folder where
    files are all called model.obj. They are guesses: sentences only use what you confirm, in the
    file or on the page. What the file says already stays as it is.
    """
    from farm.cli.words.propose import propose_words

    propose_words(objects, output=output, table=table, sheet=sheet, with_sheet=not no_sheet)


@words.command()
def fetch(
    objects: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OBJECTS]...",
            help="Files, globs and folders of models. (default: all that the farm has words of)",
        ),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, or to add to.")
    ] = Path("words.yaml"),
) -> None:
    """Fetch the words that were confirmed on the farm's page.

    Models are known by their contents, whatever they are called here. What is confirmed in the file
    stays as it is; what is not is replaced.

    Example:  farm words fetch things/ --output words.yaml
    """
    from farm.cli.words.fetch import fetch_words

    fetch_words(objects or [], output=output)
