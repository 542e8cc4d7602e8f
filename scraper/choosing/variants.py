"""Which of an asset's files is fetched."""

from __future__ import annotations

import re

from farm.errors import SpecError
from farm.spec.asset import KINDS, AssetKind
from scraper.asset import RemoteAsset, RemoteFile

ORIGINAL = "original"
DEFAULT_RESOLUTION: dict[AssetKind, str] = {"hdr": "2K", "model": ORIGINAL}
FETCHED_TYPE = re.compile(r"blend|zip_file|resolution_\d+(?:_\d+)?K")
"""Thumbnails, videos and proxies are none of these."""


def parse_resolution(text: str | None) -> str | None:
    """Return `2K` or `original` as it is written here.

    Raises:
        SpecError: It is neither.
    """
    if text is None:
        return None
    plain = text.strip().lower()
    if plain in (ORIGINAL, "blend"):
        return ORIGINAL
    plain = plain.removeprefix("resolution_").replace("_", ".")
    if not re.fullmatch(r"\d{1,2}(\.\d)?k", plain):
        raise SpecError(f"resolution: {text!r} is neither a size such as 2K nor `original`")
    return plain.upper()


def width_px(resolution: str) -> float:
    """Return the pixels of `2K`, `0.5K` or `resolution_0_5K`."""
    return float(resolution.removeprefix("resolution_").replace("_", ".")[:-1]) * 1024


def choose_file(asset: RemoteAsset, resolution: str | None) -> RemoteFile | None:
    """Return the file to fetch, or None if there is none of use.

    The variant that was asked for, else the one nearest to it (the smaller of two), else the
    original, else an archive. Where nothing is asked for: 2K of an HDRI, the original of a model.
    """
    asked = resolution or DEFAULT_RESOLUTION[asset.asset_type]
    files = [file for file in asset.files if _is_of_use(file, asset.asset_type)]
    variants = [file for file in files if file.file_type.startswith("resolution_")]
    original = next((file for file in files if file.file_type == "blend"), None)
    archive = next((file for file in files if file.file_type == "zip_file"), None)
    if asked == ORIGINAL and (original or archive):
        return original or archive
    if variants:
        wanted = _wanted_px(asked, resolution, variants)
        return min(
            variants,
            key=lambda file: (abs(width_px(file.file_type) - wanted), width_px(file.file_type)),
        )
    return original or archive


def _wanted_px(asked: str, resolution: str | None, variants: list[RemoteFile]) -> float:
    if asked != ORIGINAL:
        return width_px(asked)
    if resolution is None:  # nobody asked for gigabytes
        return width_px("2K")
    return max(width_px(file.file_type) for file in variants)


def _is_of_use(file: RemoteFile, kind: AssetKind) -> bool:
    """An unknown suffix passes here; the bytes are looked at later."""
    if file.is_thumbnail or not file.download_url or not FETCHED_TYPE.fullmatch(file.file_type):
        return False
    if file.file_type == "zip_file":
        return kind == "model"
    suffixes = KINDS[kind].suffixes
    return file.suffix in ("", *suffixes)
