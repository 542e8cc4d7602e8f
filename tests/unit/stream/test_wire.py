"""Samples as bytes, and back; whatever else comes is refused by a sentence."""

from __future__ import annotations

import pickle
import zlib

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from farm.errors import StreamError
from farm.stream.sample import NUMBERS, Encoded, Sample
from farm.stream.wire import (
    ALIGNED,
    PREFIX,
    Assembly,
    message_length,
    messages_in,
    pack,
    read_header,
    unpack,
)

ARRAYS = st.sampled_from(sorted(NUMBERS, key=str)).flatmap(
    lambda dtype: st_numpy.arrays(dtype, st_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
VALUES = st.one_of(
    ARRAYS,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(codec="utf-8")),
    st.builds(Encoded, st.just("png"), st.binary()),
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
SAMPLES = st.builds(Sample, NAMES, st.dictionaries(NAMES, VALUES, max_size=6))


def joined(sample: Sample, *, compress: bool = False) -> bytes:
    return b"".join(pack(sample, compress=compress))


def alike(one: object, other: object) -> bool:
    if isinstance(one, Encoded) and isinstance(other, Encoded):
        return one.form == other.form and bytes(one.data) == bytes(other.data)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    return type(one) is type(other) and repr(one) == repr(other)


@given(SAMPLES, st.booleans())
@settings(deadline=None)
def test_what_is_packed_is_unpacked(sample, compress):
    found = unpack(joined(sample, compress=compress))

    assert found.id == sample.id
    assert list(found.fields) == list(sample.fields)
    for name, value in sample.fields.items():
        assert alike(found.fields[name], value), name


def test_a_transposed_array_arrives_as_it_looks():
    seen = np.arange(12).reshape(3, 4).T[::-1]

    found = unpack(joined(Sample("a", {"x": seen})))

    assert found.fields["x"].tolist() == seen.tolist()


def test_arrays_are_not_copied_on_either_side():
    image = np.arange(4096, dtype=np.uint8)

    buffers = pack(Sample("a", {"image": image}))
    message = b"".join(buffers)
    found = unpack(message).fields["image"]

    assert any(np.shares_memory(np.frombuffer(each, np.uint8), image) for each in buffers if each)
    assert np.shares_memory(np.frombuffer(message, np.uint8), found)


def test_arrays_lie_where_any_processor_reads_them_fast():
    sample = Sample("a", {"one": np.ones(3, np.uint8), "text": "x" * 77, "two": np.ones(5)})

    _name, parts = read_header(memoryview(joined(sample)))

    assert [part.start % ALIGNED for part in parts if part.type] == [0, 0]


def test_a_compressed_message_is_shorter():
    sample = Sample("a", {"image": np.zeros((64, 64), np.uint8)})

    assert len(joined(sample, compress=True)) < len(joined(sample)) / 10


def test_pictures_are_decoded_by_whom_they_are_for():
    message = joined(Sample("a", {"rgb": Encoded("png", b"1234")}))

    found = unpack(message, lambda name, picture: f"{name} {picture.form} {len(picture.data)}")

    assert found.fields["rgb"] == "rgb png 4"


@given(SAMPLES.flatmap(lambda sample: st.tuples(
    st.just(joined(sample)), st.integers(0, len(joined(sample)) - 1), st.integers(1, 255)
)))  # fmt: skip
@settings(deadline=None)
def test_a_changed_byte_is_noticed_or_harmless(changed):
    """Whatever comes, there is a sample or a sentence."""
    message, place, flip = changed
    damaged = bytearray(message)
    damaged[place] ^= flip

    try:
        found = unpack(damaged)
    except StreamError:
        return
    assert isinstance(found, Sample)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_header_is_a_sample_or_a_sentence(header):
    whole = PREFIX.size + len(header)
    whole += -whole % ALIGNED
    message = (PREFIX.pack(b"VFS1", len(header), whole) + header).ljust(whole, b"\0")

    try:
        found = unpack(message)
    except StreamError:
        return
    assert isinstance(found, Sample)


def message_of(*fields: object, name: object = "a", body: bytes = b"") -> bytes:
    header = msgpack.packb([name, fields])
    start = PREFIX.size + len(header)
    start += -start % ALIGNED
    head = (PREFIX.pack(b"VFS1", len(header), start + len(body)) + header).ljust(start, b"\0")
    return head + body


BODY = bytes(64)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(message_of(["x", "raw", 0, 64, "|u1", [65]], body=BODY), id="longer"),
        pytest.param(message_of(["x", "raw", 1, 64, "|u1", [64]], body=BODY), id="outside"),
        pytest.param(message_of(["x", "raw", -64, 64, "|u1", [64]], body=BODY), id="before"),
        pytest.param(message_of(["x", "raw", 0, 64, "|u1", [-64]], body=BODY), id="negative"),
        pytest.param(message_of(["x", "raw", 0, 64, "|u1", [True]], body=BODY), id="a flag"),
        pytest.param(message_of(["x", "raw", 0, 64, "|O", [8]], body=BODY), id="objects"),
        pytest.param(message_of(["x", "raw", 0, 64, "|V64", [1]], body=BODY), id="columns"),
        pytest.param(message_of(["x", "raw", 1, 8, "<f8", [1]], body=BODY), id="not aligned"),
        pytest.param(message_of(["x", "pickle", 0, 64, "|u1", [64]], body=BODY), id="unknown"),
        pytest.param(message_of(["x", "plain", [1, 2]]), id="a list"),
        pytest.param(message_of(["x", "plain", None]), id="nothing"),
        pytest.param(message_of(["x", "plain", 1], ["x", "plain", 2]), id="twice"),
        pytest.param(message_of([1, "plain", 1]), id="no name"),
        pytest.param(message_of(*[[f"{i}", "plain", 1] for i in range(1001)]), id="too many"),
        pytest.param(message_of(name=b"a"), id="an id of bytes"),
        pytest.param(message_of(name="a" * 201), id="a long id"),
        pytest.param(message_of(["x", "raw", 0, 0, "|u1", [2**33, 2**33]]), id="endless"),
        pytest.param(message_of(["x", "zlib", 0, 64, "|u1", [64]], body=BODY), id="not compressed"),
        pytest.param(pickle.dumps({"image": [1]}).ljust(99, b"."), id="a pickle"),
        pytest.param(b"", id="empty"),
        pytest.param(b"VFS1", id="a part of its beginning"),
    ],
)
def test_a_message_that_lies_is_refused(message):
    with pytest.raises(StreamError):
        unpack(message)


def test_what_is_compressed_takes_no_more_memory_than_it_says():
    body = zlib.compress(bytes(10_000_000))
    message = message_of(["x", "zlib", 0, len(body), "|u1", [64]], body=body)

    assert unpack(message).fields["x"].nbytes == 64


@given(st.lists(SAMPLES, max_size=4), st.data())
@settings(deadline=None)
def test_a_connection_is_cut_into_the_messages_that_were_sent(samples, data):
    sent = [joined(sample) for sample in samples]
    whole = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=9)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    assert [bytes(each) for each in messages_in(iter(pieces))] == sent


def test_a_connection_that_ends_within_a_sample_is_told():
    message = joined(Sample("a", {"x": 1}))

    for end in (3, len(message) - 1):
        with pytest.raises(StreamError, match="ended within a sample"):
            list(messages_in(iter([message[:end]])))


def test_a_sample_that_is_longer_than_wanted_is_refused_before_it_comes():
    start = PREFIX.pack(b"VFS1", 10, 2**40)

    with pytest.raises(StreamError, match="1,099,511,627,776 bytes came, at most 1,000"):
        list(Assembly(most=1000).feed(start))
    with pytest.raises(StreamError, match="is the sender a farm"):
        message_length(b"HTTP/1.1 200 OK\r\n\r\n")
