"""What `farm words fetch` writes: the words that a farm keeps, for the files that are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from farm.cli.remote.farm_options import err_console, farm_client, out_console, say
from farm.cli.words.propose import text_of, write_whole
from farm.errors import SpecError
from farm.library import describe, discover
from farm.spec.asset import Asset
from farm.spec.counted import counted
from farm.spec.wire import NamedAsset
from farm.spec.words import AssetWords, read_words
from farm.words.guess import Guess
from farm.words.propose import keys_of
from farm.words.words_file import HEAD, Proposal, entry, has_entries, merged


class Fetched(NamedTuple):
    """What a file says after words were fetched into it."""

    text: str
    taken: int
    """Entries that are the farm's."""
    kept: int
    """Entries that somebody had confirmed in the file."""


def fetch_words(patterns: Sequence[str], *, output: Path) -> None:
    """Write the words that a farm keeps, and say for which objects there are none.

    Raises:
        SpecError: None of them is known, or the file is no list of words.
    """
    with farm_client() as client:
        known = {each.sha256: each for each in client.words() if each.words.confirmed}
    objects = objects_in(patterns) if patterns else ()
    wanted = proposals_for(objects, known) if patterns else proposals_of_all(known)
    if not wanted:
        raise SpecError(
            f"nobody has confirmed words of {'these objects' if patterns else 'models'} on the "
            "farm: open its page, Assets, Words; models are there once a job took them"
        )
    made = fetched(text_of(output), wanted, name=str(output))
    write_whole(output, made.text)
    kept = f"; {made.kept:,} stay as they are confirmed there" if made.kept else ""
    say(out_console(), f"{output}: words of {counted(made.taken, 'model')} from the farm{kept}")
    notes = err_console()
    for name in missing(objects, wanted):
        say(notes, f"note: {name}: nobody has confirmed its words on the farm")


def objects_in(patterns: Sequence[str]) -> tuple[Asset, ...]:
    """Return the models that are here."""
    files = discover(patterns, "model", base=Path.cwd(), field="OBJECTS")
    return describe(files, "model", role="objects")[0]


def proposals_for(objects: Sequence[Asset], known: Mapping[str, NamedAsset]) -> list[Proposal]:
    """Return what the farm says of the files that are here, by their names here."""
    keys = zip(keys_of(objects), objects, strict=True)
    return [proposal(key, known[asset.sha256]) for key, asset in keys if asset.sha256 in known]


def proposals_of_all(known: Mapping[str, NamedAsset]) -> list[Proposal]:
    """Return what the farm says of all models, by their names there."""
    return [proposal(each.key, each) for each in known.values()]


def proposal(key: str, named: NamedAsset) -> Proposal:
    """Return an entry as the farm has it."""
    return Proposal(key, Guess(named.words, named.why, is_sure=True))


def missing(objects: Sequence[Asset], wanted: Sequence[Proposal]) -> list[str]:
    """Return the files that are here and of which the farm has no words."""
    there = {each.key for each in wanted}
    return [key for key in keys_of(objects) if key not in there]


def fetched(text: str, wanted: Sequence[Proposal], *, name: str) -> Fetched:
    """Return a file with the farm's words: what somebody has confirmed in it stays.

    Args:
        text: What is there; nothing, where there is no file yet.
        wanted: What the farm says.
        name: What errors call the file.

    Raises:
        SpecError: What is there is no such file.
    """
    there = read_words(text, name=name) if has_entries(text) else {}
    kept = {each.key for each in wanted if each.key in there and there[each.key].confirmed}
    taken = [each for each in wanted if each.key not in kept]
    replaced = {each.key for each in taken} & there.keys()
    if not replaced:
        return Fetched(merged(text, taken, name=name).text, len(taken), len(kept))
    rest = [
        Proposal(key, Guess(words, why_of(words), is_sure=True))
        for key, words in there.items()
        if key not in replaced
    ]
    body = "\n".join(entry(each) for each in (*rest, *taken))
    return Fetched(f"{HEAD}\n{body}", len(taken), len(kept))


def why_of(words: AssetWords) -> str:
    """Say where an entry is from that was in the file before."""
    return "as it was here" if words.confirmed else "as it was here, not confirmed"
