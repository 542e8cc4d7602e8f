"""A `words.yaml` with what is proposed for assets that it does not know yet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml

from farm.errors import SpecError
from farm.spec.words import AssetWords, article_of, read_entries, read_words
from farm.words.guess import Guess

HEAD = """\
# What the objects of `farm render --recipe tabletop --words` are called.
#
# noun      what it is called            synonyms  other words for exactly that
# plural    several of them              hypernym  the kind of thing it is
# article   a or an                      material  such as wooden; metal and glass are measured
# size_m    least and most metres of its longest side
# symmetric it looks the same from all sides
# stands    it must stand as its file has it, and may not lie
# confirmed you have looked: sentences only say what is confirmed, else its kind, or `object`
"""
FIELDS = (
    "noun", "plural", "article", "synonyms", "hypernym", "material", "size_m", "symmetric",
    "stands", "confirmed",
)  # fmt: skip


class Proposal(NamedTuple):
    """What is proposed for one asset."""

    key: str
    """What words.yaml calls it."""
    guess: Guess


class Merged(NamedTuple):
    """A file with what was added to it."""

    text: str
    words: dict[str, AssetWords]
    """All that it says now."""
    added: frozenset[str]
    """Keys that it did not know before."""
    rewritten: bool = False
    """Nothing could be added at its end: it is written anew, without its comments."""


def merged(text: str, proposals: Sequence[Proposal], *, name: str) -> Merged:
    """Return a file that also has what is proposed for assets which it does not know.

    What is there stays as it is, confirmed or not.

    Args:
        text: What is there; nothing, where there is no file yet.
        proposals: Of all assets.
        name: What errors call the file.

    Raises:
        SpecError: What is there is no such file.
    """
    there = read_entries(text, name=name) if has_entries(text) else {}
    known = read_words(text, name=name) if there else {}
    new = [each for each in proposals if each.key not in known]
    wanted = known | {each.key: AssetWords.model_validate(fields_of(each)) for each in new}
    body = "\n".join(entry(each) for each in new)
    added = frozenset(each.key for each in new)
    if not new:
        return Merged(text, wanted, added)
    end = "\r\n" if "\r\n" in text else "\n"
    begun = f"{text.rstrip()}{end}{end}" if text.strip() else f"{HEAD}\n"
    longer = begun + body.replace("\n", end)
    if says(longer, wanted, name):
        return Merged(longer, wanted, added)
    return Merged(f"{HEAD}\n{dumped(there)}\n{body}", wanted, added, rewritten=True)


def has_entries(text: str) -> bool:
    """Tell whether there is more in a file than comments."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def says(text: str, wanted: dict[str, AssetWords], name: str) -> bool:
    """Tell whether a file says just what it should."""
    try:
        return read_words(text, name=name) == wanted
    except SpecError:  # its last entry stands in braces, or another document begins
        return False


def entry(proposal: Proposal) -> str:
    """Return what is proposed for an asset, with a comment that says why."""
    return f"# {one_line(proposal.guess.why)}\n{dumped({proposal.key: fields_of(proposal)})}"


def fields_of(proposal: Proposal) -> dict[str, Any]:
    """Return the fields of an entry, all of them, so that each can be seen and changed."""
    words = proposal.guess.words
    told = words.model_dump(mode="json")
    told |= {"plural": words.plural_noun, "article": words.article or article_of(words.noun)}
    return {name: told[name] for name in FIELDS}


def dumped(data: dict[Any, Any]) -> str:
    """Return entries as YAML, lists on one line."""
    text: str = yaml.safe_dump(
        data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1 << 20
    )
    return text


def one_line(text: str) -> str:
    """Return a text that stays within a comment."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+", " ", text).strip()
