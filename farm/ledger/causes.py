"""What Blender, Cycles, the drivers and the system say when something fails; a table, not code.

What a cause costs, and where too many of it lead, is in `farm.ledger.policy`.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Sign(NamedTuple):
    """Words that tell a cause."""

    pattern: re.Pattern[str]
    cause: str
    """Key of `farm.ledger.policy.CAUSES`."""
    sentence: str
    """What it means and what to do about it."""


def _sign(cause: str, sentence: str, *patterns: str) -> Sign:
    return Sign(re.compile("|".join(patterns), re.IGNORECASE), cause, sentence)


SIGNS: tuple[Sign, ...] = (
    _sign(
        "gpu_memory",
        "the GPU's memory ran out",
        r"out of GPU memory",  # what Cycles' own allocator says
        r"out of GPU and shared host memory",
        r"out of memory in ",  # a CUDA call, or the queue of kernels
        r"\(out of memory\)",  # no context, or no module, could be made
        r"_OUT_OF_MEMORY",  # OptiX's names of errors
    ),
    _sign(
        "device",
        "the device is lost; the worker stops, others continue: look at the driver's log "
        "(dmesg, nvidia-smi) and start the worker again",
        r"\b(uncorrectable ECC error|launch failed|launch exceeded timeout|hardware stack error)\b",
        r"\b(illegal address|illegal instruction|misaligned address|context is destroyed) in\b",
        r"\bno CUDA-capable device\b",
        r"\binvalid (device )?context\b",
        r"\bunknown CUDA error\b",
        r"\bOPTIX_ERROR_(CUDA_ERROR|LAUNCH_FAILURE|DEVICE_LOST)\b",
        r"\bfallen off the bus\b|\bGPU is lost\b",
    ),
    _sign(
        "disk",
        "a disk is full; make room, and the job resumes by itself",
        r"no space left on device",  # ENOSPC
        r"disk quota exceeded",  # EDQUOT
    ),
    _sign(
        "storage",
        "the storage cannot be reached; bring it back, and the job resumes by itself",
        r"stale file handle",  # ESTALE: NFS
        r"transport endpoint is not connected",
        r"host is down|no route to host|network is unreachable",
        r"read-only file system",
        r"input/output error",
        r"could not connect to the endpoint|connect timeout on endpoint",  # S3
    ),
    _sign(
        "memory",
        "the machine's memory ran out; use a smaller model or HDRI, fewer workers, or a larger "
        "machine",
        r"cannot allocate memory",  # ENOMEM
        r"\bMemoryError\b",
        r"\bbad_alloc\b",
    ),
)

REFINED = frozenset({"render", "storage", "unknown"})
"""Causes of which the words may tell more."""


def diagnose(text: str) -> Sign | None:
    """Return the first sign that a text shows."""
    return next((sign for sign in SIGNS if sign.pattern.search(text)), None)


def refine(cause: str, text: str) -> tuple[str, str]:
    """Return what an error's words tell beyond its cause: the cause to count, and a sentence."""
    sign = diagnose(text) if cause in REFINED else None
    if sign is None or sign.cause == cause:
        return cause, text
    return sign.cause, f"{sign.sentence} ({text})"
