"""Filters of system calls: a renderer that is warm starts no further process or program, and one
that runs a user's script reaches nobody.

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
    install(machine, program(machine))


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


class Forbidden(NamedTuple):
    """What a process that runs a user's script may not ask of the system, by number."""

    always: tuple[int, ...]
    """Sockets of any kind, io_uring, which makes them too; what looks into other processes, or
    outlives its own."""
    only_itself: tuple[int, ...]
    """Signals, and limits: their first argument is a process."""
    prctl: int


FORBIDDEN = {
    "x86_64": Forbidden(
        always=(
            41,  # socket
            425, 426, 427,  # io_uring
            101, 310, 311, 312, 438, 434,  # ptrace, process_vm_*, kcmp, pidfd_*
            200, 129, 297, 424,  # tkill, *_sigqueueinfo, pidfd_send_signal
            29, 30, 64, 66, 68, 69, 240,  # shared memory, semaphores and queues with names
            165, 272, 308, 304, 155, 161,  # mounts, namespaces, handles of files, roots
            321, 298, 323, 248, 249, 250,  # bpf, perf, userfaultfd, keys
        ),
        only_itself=(62, 234, 302),  # kill, tgkill, prlimit
        prctl=157,
    ),
    "aarch64": Forbidden(
        always=(
            198, 425, 426, 427, 117, 270, 271, 272, 438, 434, 130, 138, 240, 424, 194, 196, 190,
            193, 186, 189, 180, 40, 97, 268, 265, 41, 51, 280, 241, 282, 217, 218, 219,
        ),
        only_itself=(129, 131, 261),
        prctl=167,
    ),
}  # fmt: skip
PR_SET_PDEATHSIG = 1


def reach_nobody() -> None:
    """Let no thread of this process reach others any more: by sockets, signals or their memory.

    Raises:
        OSError: The system refuses.
    """
    machine = os.uname().machine
    install(MACHINES[machine], without_others(MACHINES[machine], FORBIDDEN[machine], os.getpid()))


def without_others(machine: Machine, forbidden: Forbidden, pid: int) -> list[Step]:
    """Return the filter: each number has steps of its own, which end or lead to the next one's."""
    refuse, allow = (ANSWER, 0, 0, REFUSE | errno.EPERM), (ANSWER, 0, 0, ALLOW)
    steps: list[Step] = [
        (LOAD, 0, 0, ARCHITECTURE_AT), (EQUAL, 1, 0, machine.audit), refuse,
        (LOAD, 0, 0, CALL_AT), (AT_LEAST, 0, 1, OTHER_ABI), refuse,
    ]  # fmt: skip
    for number in forbidden.always:
        steps += [(EQUAL, 0, 1, number), refuse]
    first: Step = (LOAD, 0, 0, FIRST_ARGUMENT_AT)
    for number in forbidden.only_itself:  # 0 is the caller, for limits, and its group, for signals
        steps += [
            (EQUAL, 0, 5, number), first, (EQUAL, 2, 0, pid), (EQUAL, 1, 0, 0), refuse, allow,
        ]  # fmt: skip
    steps += [(EQUAL, 0, 4, forbidden.prctl), first,
              (EQUAL, 0, 1, PR_SET_PDEATHSIG), refuse, allow, allow]  # fmt: skip
    return steps


def install(machine: Machine, steps: list[Step]) -> None:
    """Put all threads of this process behind a filter.

    Raises:
        OSError: The system refuses.
    """
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(machine.seccomp)
    if libc.syscall(number, SET_MODE_FILTER, ALL_THREADS, header):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
