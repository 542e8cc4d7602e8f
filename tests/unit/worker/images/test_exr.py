"""EXR files hold the very floats, as OpenEXR reads them, and none that does not passes for one."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from worker.images import exr
from worker.images.exr import decode_exr, encode_exr, strange_exr

OpenEXR = pytest.importorskip("OpenEXR")

CHANNELS = {1: ("Y",), 2: ("R", "G"), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}
MANY = tuple(f"ViewLayer.CryptoObject{at:02}.{letter}" for at in range(3) for letter in "rgba")


def floats(height: int, width: int, count: int, dtype: type) -> np.ndarray:
    """Floats (height, width, count) as passes have them: smooth, empty, and some of any bits."""
    chance = np.random.default_rng(height * width + count)
    planes = np.zeros((height, width, count), dtype)
    planes[: height // 2] = np.linspace(-1, 1, width)[:, None]
    bits = np.dtype(f"u{planes.itemsize}")
    strange = planes[-(height // 4) :]
    strange[:] = chance.integers(0, np.iinfo(bits).max, strange.shape, bits).view(dtype)
    planes[0, 0], planes[0, -1] = np.inf, np.nan
    return planes


def openexr(planes: np.ndarray, channels: tuple[str, ...], header: dict[str, str]) -> bytes:
    """The same file by OpenEXR alone."""
    data = BytesIO()
    said = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **header}
    split = {name: np.ascontiguousarray(planes[..., at]) for at, name in enumerate(channels)}
    with OpenEXR.File(said, split) as file:
        file.write(data)
    return data.getvalue()


def bits(planes: np.ndarray) -> bytes:
    return np.ascontiguousarray(planes).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("count", sorted(CHANNELS))
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 300), (15, 7), (16, 16), (17, 33), (256, 256), (100, 2049)]
)
def test_openexr_reads_the_very_bits_that_were_encoded(size, count, dtype):
    planes = floats(*size, count, dtype)

    data = encode_exr(planes, CHANNELS[count])

    assert bits(decode_exr(data, CHANNELS[count])) == bits(planes)
    assert strange_exr(data, planes, CHANNELS[count]) is None


def test_the_header_is_that_of_openexr():
    planes = floats(40, 56, len(MANY), np.float32)
    manifest = {"cryptomatte/0/name": "ViewLayer.CryptoObject", "cryptomatte/0/manifest": '{"ä":1}'}

    data = encode_exr(planes, MANY, manifest)

    header = exr.beginning(planes, MANY, manifest)
    assert data.startswith(header)
    assert openexr(planes, MANY, manifest).startswith(header)
    assert bits(decode_exr(data, MANY)) == bits(planes)


def test_a_file_of_openexr_itself_is_a_sound_one():
    planes = floats(70, 90, 3, np.float32)

    assert strange_exr(openexr(planes, CHANNELS[3], {}), planes, CHANNELS[3]) is None


def test_pixels_need_not_lie_in_one_piece():
    planes = floats(80, 60, 4, np.float32)[::-2, 3::3, 1:]

    data = encode_exr(planes, CHANNELS[3])

    assert bits(decode_exr(data, CHANNELS[3])) == bits(planes)
    assert strange_exr(data, planes, CHANNELS[3]) is None


def test_a_file_takes_hardly_more_than_that_of_openexr():
    planes = floats(256, 256, 3, np.float32)
    planes[128:] = 0

    ours, theirs = encode_exr(planes, CHANNELS[3]), openexr(planes, CHANNELS[3], {})

    assert len(ours) <= 1.1 * len(theirs)


def test_a_file_of_which_any_byte_is_another_one_is_strange_unless_it_holds_the_same():
    """Deflating leaves some bits without a meaning."""
    planes = floats(33, 20, 2, np.float32)
    data = encode_exr(planes, CHANNELS[2])

    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 1
        if strange_exr(bytes(broken), planes, CHANNELS[2]) is None:
            assert bits(decode_exr(bytes(broken), CHANNELS[2])) == bits(planes), place


@pytest.mark.parametrize("kept", [0, 7, 300, 400, -1])
def test_no_end_of_a_file_may_lack(kept):
    planes = floats(33, 20, 2, np.float32)
    data = encode_exr(planes, CHANNELS[2])

    assert strange_exr(data[:kept], planes, CHANNELS[2])
    assert strange_exr(data + b"\0", planes, CHANNELS[2])


@pytest.mark.parametrize("value", [1e-30, -0.0, np.nan, np.inf])
def test_a_file_of_other_floats_is_none_of_these(value):
    planes = np.zeros((40, 30, 1), np.float32)
    other = planes.copy()
    other[20, 10] = value

    found = strange_exr(encode_exr(other, "Y"), planes, "Y")

    assert found == "decodes to other values from line 16 on"


def test_without_the_quicker_libraries_files_are_as_sound(monkeypatch):
    planes = floats(50, 60, 3, np.float32)
    usual = encode_exr(planes, CHANNELS[3])
    for codec in ("ISAL", "ZLIBNG"):
        monkeypatch.setattr(exr.imagecodecs, codec, type(codec, (), {"available": False}))

    data = encode_exr(planes, CHANNELS[3])

    assert bits(decode_exr(data, CHANNELS[3])) == bits(planes)
    assert strange_exr(data, planes, CHANNELS[3]) is None
    assert strange_exr(usual, planes, CHANNELS[3]) is None
    assert strange_exr(data[:-2] + b"xx", planes, CHANNELS[3])
