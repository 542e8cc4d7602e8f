"""Archives from strangers, unpacked into their own folder and nowhere else."""

from __future__ import annotations

import errno
import lzma
import posixpath
import re
import shutil
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from farm.spec.counted import counted
from scraper.errors import ItemError

MAX_FILES = 10_000
MAX_BYTES = 20_000_000_000
MAX_RATIO = 200
"""An archive that grows by more than this is a bomb; packed textures hardly grow at all."""

BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, EOFError,
          ValueError, OverflowError)  # fmt: skip
"""What a damaged archive makes of its reader; a name that is not UTF-8 is a ValueError."""
OWN_FAULT = {None, errno.ENAMETOOLONG, errno.EINVAL, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
"""What an archive's bytes can make bzip2 (None) and the system say, and a full disk cannot."""


def safe_path(name: str) -> PurePosixPath:
    """Return a stranger's relative path if it stays where it is put, on any system.

    Raises:
        ItemError: It is absolute, leads upwards, or is no plain name.
    """
    plain = PurePosixPath(posixpath.normpath(name))
    is_plain = not re.search(r'[\\:*?"<>|\x00-\x1f]', name) and len(name) < 240
    if not name or not is_plain or plain.is_absolute() or ".." in plain.parts or not plain.parts:
        raise ItemError(f"a path that leads out of its folder: {name!r:.120}")
    return plain


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Unpack a zip file into `folder`, which is made anew; return the files, in order.

    Raises:
        ItemError: It is broken, far too large, or would write outside.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [info for info in packed.infolist() if not info.is_dir()]
            _check(members, archive)
            return [_write(packed, info, folder) for info in members]
    except BROKEN as error:
        raise ItemError(f"{archive.name}: is not a zip file that can be read ({error})") from None
    except OSError as error:
        if error.errno not in OWN_FAULT:
            raise
        reason = error.strerror or error
        raise ItemError(f"{archive.name}: cannot be unpacked: {reason}") from None


def _check(members: list[zipfile.ZipInfo], archive: Path) -> None:
    """Look at all names and sizes before the first byte is written."""
    total = sum(info.file_size for info in members)
    if len(members) > MAX_FILES or total > min(
        MAX_BYTES, MAX_RATIO * archive.stat().st_size + 1_000_000
    ):
        files = counted(len(members), "file")
        raise ItemError(f"{archive.name}: would unpack to {files}, {total:,} bytes")
    names = [safe_path(info.filename).as_posix().casefold() for info in members]
    if len(set(names)) != len(names):
        raise ItemError(f"{archive.name}: holds two files with the same name")
    for info in members:
        kind = info.external_attr >> 28  # of a Unix file; 10 is a link, 8 a plain file
        if kind not in (0, 8):
            raise ItemError(f"{archive.name}: {info.filename!r:.120} is not a plain file")


def _write(packed: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> Path:
    path = folder / safe_path(info.filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    left = info.file_size
    with packed.open(info) as source, path.open("xb") as target:
        while piece := source.read(1 << 20):
            left -= len(piece)
            if left < 0:
                raise ItemError(f"{info.filename!r:.120}: is larger than its archive says")
            target.write(piece)
    return path


def main_blend(files: list[Path], folder: Path) -> Path:
    """Return the model among unpacked files: the first .blend at the top, as the vendor does it.

    Raises:
        ItemError: There is none.
    """
    blends = sorted(path for path in files if path.suffix.lower() == ".blend")
    depth = min((len(path.relative_to(folder).parts) for path in blends), default=0)
    top = [path for path in blends if len(path.relative_to(folder).parts) == depth]
    if not top:
        raise ItemError("the archive holds no .blend file")
    return top[0]
