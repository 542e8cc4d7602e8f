"""What a user wants to have or not: rules on tags, categories, faces and sizes."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from farm.errors import SpecError
from farm.spec.hint import hint
from scraper.asset import RemoteAsset, RemoteFile

WORD_RULE = re.compile(r"(tag|category|name|author)\s*[:=]\s*(.+)", re.IGNORECASE)
NUMBER_RULE = re.compile(
    r"(faces|size)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(k|m|kb|mb|gb)?", re.IGNORECASE
)
FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "kb": 1e3, "mb": 1e6, "gb": 1e9}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
FIELDS = ("tag", "category", "name", "author", "faces", "size")
GRAMMAR = "tag:WORD, category:WORD, name:WORD, author:WORD, faces<N or size<N (MB)"


@dataclass(frozen=True)
class Rule:
    """One `--include` or `--exclude`."""

    text: str
    holds: Callable[[RemoteAsset, RemoteFile | None], bool | None]
    """None where the source does not tell."""


def parse_rule(text: str) -> Rule:
    """Read a rule such as `tag:chair,table`, `faces<200k` or `size>=50MB`.

    Raises:
        SpecError: It is none of these.
    """
    if match := WORD_RULE.fullmatch(text.strip()):
        field, words = match[1].lower(), match[2].lower().split(",")
        return Rule(text, _word_rule(field, {word.strip() for word in words if word.strip()}))
    if match := NUMBER_RULE.fullmatch(text.strip()):
        field, unit = match[1].lower(), (match[4] or "").lower()
        if field == "size" and not unit:
            unit = "mb"
        return Rule(text, _number_rule(field, COMPARE[match[2]], float(match[3]) * FACTORS[unit]))
    field = re.split(r"\W", text.strip(), maxsplit=1)[0]
    raise SpecError(f"{text!r} is not a rule such as {GRAMMAR}{hint(field, FIELDS)}")


def _word_rule(
    field: str, wanted: set[str]
) -> Callable[[RemoteAsset, RemoteFile | None], bool | None]:
    def holds(asset: RemoteAsset, file: RemoteFile | None) -> bool | None:
        if field == "tag":
            return bool(wanted & {tag.lower() for tag in asset.tags})
        if field == "category":  # Poly Haven's assets are in several: all but the first are tags
            words = {asset.category or "", *(asset.tags if asset.source == "polyhaven" else ())}
            return bool(wanted & {word.lower() for word in words})
        text = ((asset.name if field == "name" else asset.author) or "").lower()
        return any(word in text for word in wanted)

    return holds


def _number_rule(
    field: str, compare: Callable[[float, float], bool], limit: float
) -> Callable[[RemoteAsset, RemoteFile | None], bool | None]:
    def holds(asset: RemoteAsset, file: RemoteFile | None) -> bool | None:
        size = file.total_bytes if file else None
        value = asset.face_count if field == "faces" else size
        return None if value is None else compare(value, limit)

    return holds


@dataclass(frozen=True)
class Filter:
    """All that an asset must be and must not be."""

    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    license: str | None = None

    def refusal(self, asset: RemoteAsset, file: RemoteFile | None) -> str | None:
        """Return why `asset` is not wanted, or None if it is.

        What a source does not tell fulfils no rule; without a `file` the question is left open.
        """
        if not (asset.is_free and asset.can_download):
            return "not free"
        if self.license and asset.license != self.license:
            return f"licence is {asset.license or 'not known'}"
        if asset.asset_type == "hdr" and asset.true_hdr is False:
            return "not a true HDR environment"
        for rule in self.include:
            answer = rule.holds(asset, file)
            if answer is False or (answer is None and file is not None):
                return f"not {rule.text}"
        for rule in self.exclude:
            if rule.holds(asset, file):
                return f"excluded by {rule.text}"
        return None


def make_filter(include: list[str], exclude: list[str], license: str | None) -> Filter:  # noqa: A002 - the flag's name
    """Read the rules that a user gave.

    Raises:
        SpecError: One of them is not a rule.
    """
    return Filter(
        include=tuple(map(parse_rule, include)),
        exclude=tuple(map(parse_rule, exclude)),
        license=license,
    )
