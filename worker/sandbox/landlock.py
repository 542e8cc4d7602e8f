"""Landlock and its kin: what Linux lets a process give up for good, without being root.

The numbers are those of linux/landlock.h, linux/prctl.h and linux/capability.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls, the same on every architecture."""
ASK_VERSION = 1
RULE_PATH, RULE_PORT = 1, 2

WRITE_FILE, REFER, TRUNCATE = 1 << 1, 1 << 13, 1 << 14
READ_FILE, READ_DIR = 1 << 2, 1 << 3
REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
"""Remove folders and files; make devices, folders, files, sockets, pipes and links."""
OF_FILES = WRITE_FILE | TRUNCATE | READ_FILE
"""What can be allowed of a path that is not a folder."""
CONNECT_TCP = 1 << 1
SCOPE_SIGNALS = 1 << 1
TRUNCATES, CONNECTS, SIGNALS = 3, 4, 6
"""Versions from which on Landlock bounds truncating, TCP and signals."""

PR_SET_NO_NEW_PRIVS = 38
CAPSET_VERSION = 0x20080522
CAPSET = {"x86_64": 126, "aarch64": 91}
OF_FILES_AND_MEMORY = (0, 1, 2, 3, 4, 14)
"""Capabilities that root's renderer keeps: to own and to reach files, and to pin memory."""


def version() -> int:
    """Return the version of Landlock that this system offers; 0 where it offers none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(_call(CREATE_RULESET, None, 0, ASK_VERSION), 0)


def stay_within(
    written: Iterable[Path],
    *,
    read: Iterable[Path] | None = None,
    listed: Iterable[Path] = (),
    ports: Iterable[int] | None,
) -> None:
    """Let this thread, and all that it starts, write and read below some paths and nowhere else.

    It cannot signal processes that it did not start, either, where Linux is new enough; nor look
    into their memory, environment or files. Paths that are not there are left out.

    Args:
        written: Folders, files and devices that it may write and read.
        read: Folders and files that it may read; None: all.
        listed: Folders of which, beside, it may see what is in them.
        ports: TCP ports that it may connect to; None: all.

    Raises:
        OSError: This system does not offer it.
    """
    known = version()
    reads = READ_FILE | READ_DIR if read is not None else 0
    rights = WRITE_FILE | REMOVE_AND_MAKE | (REFER if known > 1 else 0) | reads
    rights |= TRUNCATE if known >= TRUNCATES else 0
    tcp = CONNECT_TCP if known >= CONNECTS and ports is not None else 0
    scoped = SCOPE_SIGNALS if known >= SIGNALS else 0
    layout = struct.pack("QQQ", rights, tcp, scoped)[: _size_of_ruleset(known)]
    rules = _checked(_call(CREATE_RULESET, layout, len(layout), 0))
    try:
        for paths, allowed in ((written, rights), (read or (), reads), (listed, reads & READ_DIR)):
            for path in paths if allowed else ():
                _allow_path(rules, path, allowed)
        for port in ports or () if tcp else ():
            _checked(_call(ADD_RULE, rules, RULE_PORT, struct.pack("QQ", CONNECT_TCP, port), 0))
        gain_nothing()
        _checked(_call(RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)


def gain_nothing() -> None:
    """Let no program that this process starts have more rights than it has."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up, where this process is root's, all that root can do beyond files and memory."""
    number = CAPSET.get(os.uname().machine)
    if number is None or not sys.platform.startswith("linux"):
        return
    have = _capabilities() & sum(1 << bit for bit in OF_FILES_AND_MEMORY)
    header = struct.pack("Ii", CAPSET_VERSION, 0)
    _call(number, header, struct.pack("IIIIII", have, have, 0, 0, 0, 0))


def _capabilities() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/thread-self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def _size_of_ruleset(known: int) -> int:
    if known >= SIGNALS:
        return 24
    return 16 if known >= CONNECTS else 8


def _allow_path(rules: int, path: Path, rights: int) -> None:
    try:
        there = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(there).st_mode) else rights & OF_FILES
        _checked(_call(ADD_RULE, rules, RULE_PATH, struct.pack("=Qi", allowed, there), 0))
    finally:
        os.close(there)


def _call(number: int, *arguments: int | bytes | None) -> int:
    """Make a system call; what fails answers -1 and leaves its reason in `errno`."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    numbers = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(call(ctypes.c_long(number), *numbers))


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
