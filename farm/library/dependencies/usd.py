"""Dependencies of USD files: the layers, textures and volumes that they name."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path

from farm.library.dependencies.data_suffixes import DATA_SUFFIXES
from farm.library.dependencies.places import Remark, lies_in
from farm.library.dependencies.usd_crate import MAGIC, tokens

LAYERS = (".usd", ".usda", ".usdc")
"""Files that name others in turn; a .usdz has all that it needs inside."""
TEXT, ARCHIVE = b"#usda", b"PK"
NAMED = re.compile(rb"@@@([^\0\n]{1,4096}?)@@@|@([^@\0\n]{1,4096})@")
"""How text names a file: `@./tex/wood.png@`."""
PLACES = re.compile(r"<UDIM>|<UVTILE>|#+")
"""What stands for numbers in the names of many files: tiles of a texture, frames of clips."""


def trace_usd(path: Path, remark: Remark, *, within: Path | None = None) -> list[Path]:
    """Return the files that a .usd, .usda or .usdc names, and those that its layers name.

    Layers are read `within` a folder alone, if one is given.
    """
    found: dict[Path, None] = {}
    layers = [path]
    for layer in layers:  # grows on the way
        for file in named_by(layer, path, remark, within=within):
            if file not in found and file != path:
                found[file] = None
                if file.suffix.lower() in LAYERS and file.is_file() and lies_in(within, file):
                    layers.append(file)
    return list(found)


def named_by(
    layer: Path, model: Path, remark: Remark, *, within: Path | None = None
) -> Iterator[Path]:
    """Yield the files that one layer names; `model` is what remarks speak of."""
    try:
        names = sorted(asset_names(layer))
    except (OSError, ValueError):
        remark(f"{model.name}: {layer.name} is not readable USD; what it names is not uploaded")
        return
    for name in names:
        if name.startswith(("/", "\\")) or name[1:3] in (":/", ":\\"):
            remark(f"{model.name} names {name[:200]}, which is not beside it; it is not uploaded")
        else:
            yield from files_of(layer.parent, name, within=within)


def files_of(folder: Path, name: str, *, within: Path | None = None) -> list[Path]:
    """Return the file of that name, or the many if a part of it stands for numbers.

    Many are looked for `within` a folder alone, if one is given.
    """
    file = Path(os.path.normpath(folder / name.replace("\\", "/")))
    many = PLACES.search(file.name) and lies_in(within, file.parent)
    if not many or not file.parent.is_dir():
        return [file]
    wanted = re.compile(r"-?\d+".join(map(re.escape, PLACES.split(file.name))))
    return sorted(each for each in file.parent.iterdir() if wanted.fullmatch(each.name)) or [file]


def asset_names(layer: Path) -> set[str]:
    """Return the names of files in a layer, as it has them.

    Raises:
        ValueError: It is neither text nor a crate, or cannot be read to its end.
    """
    with layer.open("rb") as file:
        head = file.read(len(MAGIC))
    if head.startswith(ARCHIVE):
        return set()
    if head != MAGIC and not head.startswith(TEXT):
        raise ValueError("neither text nor a crate")
    words = tokens(layer) if head == MAGIC else named_in_text(layer)
    return {name for word in words if (name := plain_name(word))}


def named_in_text(layer: Path) -> list[bytes]:
    """Return what stands between the signs that text has around the names of files."""
    with layer.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return [match[1] or match[2] for match in NAMED.finditer(data)]


def plain_name(text: bytes) -> str | None:
    """Return the name of a file; None for what is not one, or is on the network."""
    name = text.decode("utf-8", "replace").partition("[")[0].strip()  # x.usdz[inside.png]
    if "://" in name or name.startswith("anon:") or not name.lower().endswith(DATA_SUFFIXES):
        return None
    return name
