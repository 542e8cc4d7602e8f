"""Which GPUs Blender has a compiled kernel for, and what was compiled here."""

from __future__ import annotations

import threading

import pytest

from farm.errors import DeviceError
from farm.kernels import KernelCache, cycles_kernels, dotted, kernels_among, stamp_of

OF_BPY_5_2_3 = [
    *(f"kernel_sm_{each}.cubin.zst" for each in (50, 52, 60, 70, 75, 86, 120)),
    "kernel_compute_75.ptx.zst", "kernel_gfx1010.fatbin.zst", "kernel_optix.ptx.zst",
]  # fmt: skip


@pytest.mark.parametrize(
    ("gpu", "binary", "source"),
    [
        pytest.param((6, 1), (6, 0), (6, 0), id="GTX 1080"),
        pytest.param((7, 0), (7, 0), (7, 0), id="V100"),
        pytest.param((8, 0), None, (7, 5), id="A100: its binary would be sm_80"),
        pytest.param((8, 6), (8, 6), (8, 6), id="A10"),
        pytest.param((8, 9), (8, 6), (8, 6), id="L40S: binaries fit within a major version"),
        pytest.param((9, 0), None, (7, 5), id="H100"),
        pytest.param((10, 0), None, (7, 5), id="B200"),
        pytest.param((12, 0), (12, 0), (12, 0), id="RTX 5090"),
        pytest.param((12, 1), (12, 0), (12, 0), id="GB10"),
        pytest.param((3, 7), None, None, id="K80: older than all"),
    ],
)
def test_a_gpu_takes_the_nearest_binary_of_its_major_version_else_ptx(gpu, binary, source):
    kernels = kernels_among(OF_BPY_5_2_3)

    assert kernels.binary_for(gpu) == binary
    assert kernels.source_for(gpu) == source


def test_the_installed_blender_has_the_kernels_of_the_table_in_the_docs():
    pytest.importorskip("bpy", reason="Blender is not installed")

    assert cycles_kernels() == kernels_among(OF_BPY_5_2_3)


def test_another_driver_or_kind_must_compile_again(tmp_path):
    cache = KernelCache(tmp_path / "kernels")
    stamp = stamp_of("optix", (9, 0), "580.65.06")
    assert cache.seconds(stamp) is None

    cache.note(stamp, 143.21)

    assert cache.seconds(stamp) == 143.2
    assert cache.seconds(stamp_of("optix", (9, 0), "590.1")) is None
    assert cache.seconds(stamp_of("cuda", (9, 0), "580.65.06")) is None
    assert cache.seconds(stamp_of("optix", (8, 0), "580.65.06")) is None


def test_a_torn_note_is_none(tmp_path):
    cache = KernelCache(tmp_path)
    stamp = stamp_of("cuda", (9, 0), "580.65.06")
    cache.note(stamp, 10.0)
    next((tmp_path / "warm").iterdir()).write_text("{")

    assert cache.seconds(stamp) is None


def test_one_at_a_time_compiles(tmp_path):
    cache, order = KernelCache(tmp_path), []
    inside = threading.Event()

    def second():
        inside.wait()
        with cache.alone():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with cache.alone():
        inside.set()
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "kernels").write_text("a file")
    cache = KernelCache(tmp_path / "kernels")

    with pytest.raises(DeviceError, match=r"cannot keep kernels: .* correct FARM_KERNEL_CACHE"):
        cache.note(stamp_of("cuda", (9, 0), "1"), 1.0)
    with pytest.raises(DeviceError, match="cannot keep kernels"), cache.alone():
        pass


def test_capabilities_are_written_as_nvidia_does():
    assert dotted((12, 0)) == "12.0"
