"""Suffixes of the files that models bring along."""

from __future__ import annotations

DATA_SUFFIXES = (
    ".abc", ".avi", ".bin", ".blend", ".bmp", ".cin", ".dds", ".dpx", ".exr", ".gif", ".hdr",
    ".ies", ".jp2", ".jpeg", ".jpg", ".jxl", ".ktx2", ".mdd", ".mkv", ".mov", ".mp4", ".mtl",
    ".otf", ".pc2", ".png", ".psd", ".rgb", ".sgi", ".svg", ".tga", ".tif", ".tiff", ".ttf",
    ".tx", ".usd", ".usda", ".usdc", ".usdz", ".vdb", ".webm", ".webp",
)  # fmt: skip
"""Only such files leave this machine: a model from a stranger may name any file as its texture."""
