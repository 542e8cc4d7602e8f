"""Encoding loses nothing, and the pool is bounded and honest."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from worker.images.encode import EncodePool, encode

imagecodecs = pytest.importorskip("imagecodecs")

DECODERS = {"png": imagecodecs.png_decode, "jxl": imagecodecs.jpegxl_decode}


@pytest.mark.parametrize("shape", [(33, 57, 3), (33, 57), (1, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("image_format", ["png", "jxl"])
def test_encoding_loses_no_bit(image_format, dtype, shape):
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)

    decoded = DECODERS[image_format](encode(pixels, format=image_format))

    assert decoded.dtype == dtype
    assert np.array_equal(decoded, pixels)


def test_pixels_need_not_lie_in_one_piece():
    pixels = np.arange(64 * 64 * 3, dtype=np.uint16).reshape(64, 64, 3)[::2, ::-1]

    assert np.array_equal(imagecodecs.png_decode(encode(pixels, format="png")), pixels)


def test_a_job_answers_through_its_future():
    with EncodePool(workers=2, limit=2) as pool:
        assert pool.submit(divmod, 7, 2).result() == (3, 1)


def test_no_more_than_limit_jobs_are_in_flight():
    gate, third = threading.Event(), threading.Event()
    with EncodePool(workers=1, limit=2) as pool:
        pool.submit(gate.wait)
        pool.submit(gate.wait)
        caller = threading.Thread(target=lambda: (pool.submit(int), third.set()))
        caller.start()

        held_back = not third.wait(0.05)
        gate.set()

        assert held_back
        assert third.wait(120)
        caller.join()


def test_draining_waits_for_all_and_raises_the_first_error_once():
    done = []
    with EncodePool(workers=1, limit=8) as pool:
        pool.submit(int, "no number")
        pool.submit(float, "nor this")
        pool.submit(done.append, 1)

        with pytest.raises(ValueError, match="invalid literal"):
            pool.drain()

        assert done == [1]
        pool.drain()


def test_leaving_the_pool_raises_what_failed_in_it():
    with pytest.raises(ValueError, match="no number"), EncodePool(workers=1, limit=2) as pool:
        pool.submit(int, "no number")


def test_an_error_outside_is_not_hidden_by_one_inside():
    def work():
        with EncodePool(workers=1, limit=2) as pool:
            pool.submit(int, "no number")
            raise KeyError

    with pytest.raises(KeyError):
        work()
