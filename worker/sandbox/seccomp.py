"""A filter of system calls: a renderer that is warm starts no further process or program.

The program is what linux/filter.h and linux/seccomp.h call classic BPF.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from typing import NamedTuple

SET_MODE_FILTER, ALL_THREADS = 1, 1
LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
CALL_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
CLONE_THREAD = 0x10000
CLONE3 = 435
OTHER_ABI = 0x40000000


class Machine(NamedTuple):
    """The numbers of one architecture."""

    audit: int
    seccomp: int
    clone: int
    refused: tuple[int, ...]
    """fork and vfork, where there are such, execve and execveat."""


MACHINES = {
    "x86_64": Machine(0xC000003E, 317, 56, (57, 58, 59, 322)),
    "aarch64": Machine(0xC00000B7, 277, 220, (221, 281)),
}


def offered() -> bool:
    """Tell whether we know this system's numbers."""
    return sys.platform.startswith("linux") and os.uname().machine in MACHINES


def start_nothing() -> None:
    """Let no thread of this process start a process or a program any more; threads it may.

    Raises:
        OSError: The system refuses, as it does without `landlock.gain_nothing`.
    """
    machine = MACHINES[os.uname().machine]
    steps = program(machine)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(machine.seccomp)
    if libc.syscall(number, SET_MODE_FILTER, ALL_THREADS, header):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


Step = tuple[int, int, int, int]
"""What to do, how many steps to leap if so, how many if not, and with which number."""


def program(machine: Machine) -> list[Step]:
    """Return the filter: a step per line, leaps count from the next one."""
    refused = machine.refused
    left = len(refused)
    return [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (EQUAL, 0, left + 6, machine.audit),
        (LOAD, 0, 0, CALL_AT),
        (AT_LEAST, left + 4, 0, OTHER_ABI),
        *((EQUAL, left + 3 - place, 0, number) for place, number in enumerate(refused)),
        (EQUAL, 4, 0, CLONE3),
        (EQUAL, 0, 4, machine.clone),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (ANY_BIT, 2, 0, CLONE_THREAD),
        (ANSWER, 0, 0, REFUSE | errno.EPERM),
        (ANSWER, 0, 0, REFUSE | errno.ENOSYS),  # the C library tries clone then
        (ANSWER, 0, 0, ALLOW),
    ]
