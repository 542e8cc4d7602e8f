"""The words of others, and the causes that they tell."""

from __future__ import annotations

import errno
import os

import pytest

from farm.ledger import TaskState
from farm.ledger.causes import SIGNS, diagnose, refine
from farm.ledger.policy import CAUSES


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Error: System is out of GPU memory", "gpu_memory"),
        ("Out of memory in cuMemAlloc_v2(&pointer, size) (device_impl.cpp:5)", "gpu_memory"),
        ("OPTIX_ERROR_DEVICE_OUT_OF_MEMORY in optixAccelBuild", "gpu_memory"),
        ("Error: Illegal address in cuCtxSynchronize() (queue.cpp:232)", "device"),
        ("Launch failed in CUDA queue synchronize (integrator_shade_surface)", "device"),
        ("Launch exceeded timeout in CUDA queue synchronize (...)", "device"),
        ("Uncorrectable ECC error detected in cuMemcpyDtoH_v2", "device"),
        ("Failed to retain CUDA context (No CUDA-capable device available)", "device"),
        ("OPTIX_ERROR_LAUNCH_FAILURE in optixLaunch", "device"),
        ("NVRM: GPU at PCI:0000:17:00: GPU has fallen off the bus.", "device"),
        (f"x.png: cannot be written: {os.strerror(errno.ENOSPC)}", "disk"),
        (f"[Errno {errno.EDQUOT}] {os.strerror(errno.EDQUOT)}: '/scratch/x'", "disk"),
        (f"x: cannot be read: {os.strerror(errno.ESTALE)}", "storage"),
        (f"x: {os.strerror(errno.EROFS)}", "storage"),
        (f"x: {os.strerror(errno.EIO)}", "storage"),
        ("MemoryError: Unable to allocate 3.2 GiB", "memory"),
        (f"[Errno {errno.ENOMEM}] {os.strerror(errno.ENOMEM)}", "memory"),
        ("std::bad_alloc", "memory"),
    ],
)  # fmt: skip
def test_the_words_of_a_cause_are_known(text, cause):
    sign = diagnose(text)

    assert sign is not None
    assert sign.cause == cause


@pytest.mark.parametrize(
    "text",
    [
        "Cycles refused: Error: Cannot render, no camera",
        "vase.blend: there is nothing to render",
        "KeyError: 'uv'",
        "Failed to create OptiX denoiser",
        "x: cannot be written: Permission denied",
    ],
)
def test_other_words_tell_nothing(text):
    assert diagnose(text) is None


def test_every_cause_of_the_table_has_a_policy():
    assert {sign.cause for sign in SIGNS} <= CAUSES.keys()


def test_what_an_error_knows_of_itself_is_not_guessed():
    text = "vase.blend: no space left on device"  # a model's words

    assert refine("asset", text) == ("asset", text)
    assert refine("unknown", text) == (
        "disk",
        f"a disk is full; make room, and the job resumes by itself ({text})",
    )


@pytest.mark.parametrize("cause", ["disk", "storage"])
def test_a_shared_shortage_holds_the_job_and_charges_nobody(cause):
    policy = CAUSES[cause]

    assert policy.cap is None
    assert policy.then is TaskState.PENDING
    assert policy.hold_s > 0
