"""What `farm words propose` writes and says."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from farm.cli.remote.farm_options import err_console, out_console, say
from farm.cli.words.pictures import take_pictures
from farm.cli.words.sheet import check_sheet, sheet_of
from farm.errors import SpecError, StorageError
from farm.library import describe, discover, home_expanded
from farm.spec.asset import Asset
from farm.spec.counted import counted
from farm.words.models_table import Row, read_table, unused
from farm.words.propose import propose
from farm.words.words_file import Merged, Proposal, merged

SHOWN = 40
"""Rows of the table on the screen."""


def propose_words(
    patterns: Sequence[str],
    *,
    output: Path,
    table: Path | None,
    sheet: Path | None,
    with_sheet: bool,
) -> None:
    """Write what is proposed for objects, and say what was guessed."""
    files = discover(patterns, "model", base=Path.cwd(), field="OBJECTS")
    assets, remarks = describe(files, "model", role="objects")
    page = (sheet or output.with_suffix(".html")) if with_sheet else None
    if page is not None:
        check_sheet(page)
    rows = read_table(home_expanded(str(table))) if table is not None else {}
    proposals = propose(assets, table=rows, table_path=table or Path())
    made = merged(text_of(output), proposals, name=str(output))
    write_whole(output, made.text)
    notes = err_console()
    for remark in remarks:
        if "same contents" in remark:
            say(notes, f"note: {remark}")
    for sentence in left_over(rows, table, assets, made, proposals, output):
        say(notes, f"note: {sentence}")
    out_console().print(listing(proposals, made))
    say(out_console(), summary(proposals, made, output))
    if page is not None:
        say(out_console(), write_sheet(page, assets, proposals, made))


def write_sheet(
    path: Path, assets: Sequence[Asset], proposals: Sequence[Proposal], made: Merged
) -> str:
    """Write what is left to confirm with pictures; return what there is to say of it."""
    left = [
        (asset, proposal)
        for asset, proposal in zip(assets, proposals, strict=True)
        if not made.words[proposal.key].confirmed
    ]
    if not left:
        return f"all are confirmed: {path} is not written"
    objects, asked = zip(*left, strict=True)
    pictures = take_pictures(objects)
    write_whole(path, sheet_of(path, objects, asked, made, pictures))
    return f"{path}: {counted(len(pictures), 'picture')} to confirm it by"


def text_of(path: Path) -> str:
    """Return what a file says; nothing, where there is none.

    Raises:
        SpecError: It cannot be read, or is no text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")  # with its ends of lines
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise SpecError(f"{path}: is not text in UTF-8") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file that is never seen half.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from None


def left_over(  # noqa: PLR0913 - all that was read
    rows: dict[str, Row],
    table: Path | None,
    assets: Sequence[Asset],
    made: Merged,
    proposals: Sequence[Proposal],
    output: Path,
) -> list[str]:
    """Return what there is to say of what fits nothing."""
    sentences = []
    if strange := unused(rows, (asset.title for asset in assets)):
        sentences.append(f"{table}: {counted(len(strange), 'line')} of models that are not here, "
                         f"such as {strange[0]}")  # fmt: skip
    known = {proposal.key for proposal in proposals}
    if gone := [key for key in made.words if key not in known]:
        sentences.append(f"{output}: {counted(len(gone), 'entry')} of objects that are not here, "
                         f"such as {gone[0]}")  # fmt: skip
    if made.rewritten:
        sentences.append(f"{output}: nothing can be added at its end, so it was written anew, "
                         "without its comments")  # fmt: skip
    return sentences


def listing(proposals: Sequence[Proposal], made: Merged) -> Table:
    """Return a table of what is proposed: first what somebody must look at."""
    table = Table(box=None, pad_edge=False)
    for name in ("object", "noun", "kind", "also", "of", "why"):
        table.add_column(name, overflow="fold")
    for proposal in sorted(proposals, key=lambda each: order_of(each, made))[:SHOWN]:
        words = made.words[proposal.key]
        new = proposal.key in made.added
        why = proposal.guess.why if new else "is there already"
        noun = words.noun if words.confirmed or proposal.guess.is_sure else f"{words.noun} ?"
        row = (proposal.key, noun, words.hypernym or "", ", ".join(words.synonyms),
               words.material or "", "confirmed; " + why if words.confirmed else why)  # fmt: skip
        table.add_row(*map(escape, row))
    return table


def order_of(proposal: Proposal, made: Merged) -> int:
    """Return what comes first: what is not sure, what is not confirmed, the rest."""
    if made.words[proposal.key].confirmed:
        return 2
    return int(proposal.guess.is_sure)


def summary(proposals: Sequence[Proposal], made: Merged, output: Path) -> str:
    """Say what was written and what is left to do."""
    asked = [made.words[proposal.key] for proposal in proposals]
    left = sum(not words.confirmed for words in asked)
    unsure = sum(
        not proposal.guess.is_sure and not made.words[proposal.key].confirmed
        for proposal in proposals
    )
    more = f" (first {SHOWN} shown)" if len(asked) > SHOWN else ""
    parts = [f"{counted(len(asked), 'object')}{more}, {len(made.added)} of them new in {output}"]
    if left:
        hard = f", {unsure} of them mere guesses (?)" if unsure else ""
        parts.append(f"{left} to confirm{hard}: look, correct, and set `confirmed: true`")
    return "; ".join(parts)
