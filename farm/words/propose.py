"""What assets may be called, proposed from all that is known of their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from farm.spec.asset import Asset
from farm.spec.words import key_of
from farm.words.guess import Known, guess
from farm.words.models_table import Row, said_by
from farm.words.names import name_of_path
from farm.words.words_file import Proposal


def propose(
    assets: Sequence[Asset], *, table: Mapping[str, Row] | None = None, table_path: Path = Path()
) -> list[Proposal]:
    """Return what is proposed for assets, in their order.

    Args:
        assets: Models; of the same name there may be several.
        table: What a table says of them, by stem; it goes before all else.
        table_path: The table's file.
    """
    names = Counter(asset.name for asset in assets)
    proposals = []
    for asset in assets:
        known = known_of(asset, alone=names[asset.name] == 1)
        row = (table or {}).get(asset.title)
        said = said_by(row, table_path) if row is not None else guess(known)
        proposals.append(Proposal(known.key, said))
    return proposals


def keys_of(assets: Sequence[Asset]) -> list[str]:
    """Return what a `words.yaml` of these calls each: its name, if no other one has it."""
    names = Counter(asset.name for asset in assets)
    return [
        asset.name if names[asset.name] == 1 else key_of(asset.name, asset.sha256)
        for asset in assets
    ]


def known_of(asset: Asset, *, alone: bool) -> Known:
    """Return what is known of a model.

    Args:
        asset: The model.
        alone: No other has its name.
    """
    credit, path = asset.credit, Path(asset.path)
    return Known(
        key=asset.name if alone else key_of(asset.name, asset.sha256),
        name=name_of_path(path.parent.parts[1:], asset.title),
        title=credit.name,
        category=credit.category,
        tags=credit.tags,
    )
