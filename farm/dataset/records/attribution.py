"""`ATTRIBUTION.md`: who made the assets of a dataset, and what their licences ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from farm.dataset.records.assets import AssetSummary
from farm.spec.asset import KINDS

ATTRIBUTION_FILE = "ATTRIBUTION.md"


class Licence(NamedTuple):
    """A licence as a person reads it."""

    title: str
    url: str | None = None


CC = "https://creativecommons.org"
CC_ZERO = Licence("CC0 1.0", f"{CC}/publicdomain/zero/1.0/")
LICENCES: dict[str, Licence] = {
    "cc0": CC_ZERO,
    "cc-zero": CC_ZERO,
    "cc0-1.0": CC_ZERO,
    "royalty-free": Licence("Royalty Free", "https://www.blendkit.com/docs/licenses/"),
    "mit": Licence("MIT", "https://opensource.org/license/mit"),
}
"""By the name in small letters with `-`; Creative Commons' others follow a pattern."""
CC_PATTERN = re.compile(r"cc-(by(?:-nc)?(?:-nd|-sa)?)-([1-4]\.[0-9])")


def licence(name: str) -> Licence:
    """Return the licence that a source or a person calls `name`."""
    key = re.sub(r"[\s_]+", "-", name.strip().lower())
    if match := CC_PATTERN.fullmatch(key):
        kind, version = match.groups()
        return Licence(f"CC {kind.upper()} {version}", f"{CC}/licenses/{kind}/{version}/")
    return LICENCES.get(key, Licence(name))


def attribution(name: str, assets: Sequence[AssetSummary]) -> str:
    """Return what says, in Markdown, whose work the dataset `name` shows."""
    lines = [f"# Assets of {text(name)}", ""]
    unknown = [asset for asset in assets if asset.credit.licence is None]
    if unknown:
        lines += [
            f"The licence of {len(unknown)} of these assets is not known: "
            "find out before you publish.",
            "",
        ]
    for kind, known in KINDS.items():
        of_kind = [asset for asset in assets if asset.kind == kind]
        if of_kind:
            lines += [f"## {known.title}", "", *map(entry, of_kind), ""]
    return "\n".join(lines)


def entry(asset: AssetSummary) -> str:
    """Name one asset, its author, licence and page, and its file."""
    credit = asset.credit
    title = link(credit.name or asset.name, credit.url)
    author = text(credit.author) if credit.author else "an unknown author"
    if credit.licence:
        known = licence(credit.licence)
        terms = f"licensed {link(known.title, known.url)}"
    else:
        terms = "licence not known"
    parts = [f"{title} by {author}, {terms}"]
    if credit.source:
        parts.append(f"from {' '.join(origin(credit.source, credit.source_id, credit.version))}")
    if credit.fetched:
        parts.append(f"fetched {text(credit.fetched[:10])}")
    return f"- {', '.join(parts)} (`{plain(asset.name)}`, SHA-256 `{asset.sha256}`)"


def origin(source: str, source_id: str | None, version: str | None) -> Iterable[str]:
    """Yield the words that lead back to the very bytes at their source."""
    yield text(source)
    if source_id:
        yield text(source_id)
    if version:
        yield f"version {text(version)}"


def link(title: str, url: str | None) -> str:
    """Return `title` as a link where there is an address that a browser may follow."""
    if url is None or urlsplit(url).scheme not in ("http", "https"):
        return text(title)
    address = re.sub(r"[<>\s]", "", url)
    return f"[{text(title)}](<{address}>)"


def text(words: str) -> str:
    """Return a stranger's words so that Markdown shows them as they are."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(words.split()))


def plain(words: str) -> str:
    """Return words fit for a code span."""
    return " ".join(words.replace("`", "'").split())
