"""Lists of assets as JSON files: what `scrape` writes and `download` reads."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from farm.errors import SpecError
from scraper.asset import RemoteAsset, newest_of_each


def write_list(path: Path, assets: Sequence[RemoteAsset]) -> None:
    """Write a list file, whole or not at all."""
    write_whole(path, to_json(assets).encode())


def to_json(assets: Iterable[RemoteAsset]) -> str:
    """Return a list as JSON, in the words of its sources."""
    rows = [
        asset.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        | {"source": asset.source, "isFree": asset.is_free, "canDownload": asset.can_download}
        for asset in assets
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def read_lists(paths: Sequence[Path]) -> list[RemoteAsset]:
    """Return the assets of several list files, each once and in its newest version.

    Raises:
        SpecError: One of them is not such a file.
    """
    return newest_of_each([asset for path in paths for asset in _read(path)])


def _read(path: Path) -> list[RemoteAsset]:
    try:
        rows: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise SpecError(f"{path}: is not JSON; make it with `farm assets scrape`") from None
    if not isinstance(rows, list):
        raise SpecError(f"{path}: is not a list of assets; make it with `farm assets scrape`")
    return [_read_row(row, f"{path}: asset {number}") for number, row in enumerate(rows, 1)]


def _read_row(row: object, where: str) -> RemoteAsset:
    try:
        return RemoteAsset.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise SpecError(f"{where}: {at}: {first['msg']}; scrape it again") from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it.

    Raises:
        SpecError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SpecError(f"{path}: cannot be written: {error.strerror}") from None
