"""What a sample may hold, and what must stay the same from one to the next."""

from __future__ import annotations

import numpy as np
import pytest

from farm.errors import StreamError
from farm.stream.sample import Encoded, Sample, Schema, Value, kind_of


def kinds(**fields: Value):
    return {name: kind_of(value) for name, value in fields.items()}


def test_values_become_what_every_consumer_has():
    """Lists are arrays, NumPy's numbers plain ones, big-endian arrays this machine's."""
    fields = Sample.of(
        "a",
        {
            "xy": [[1.0, 2.0], [3.0, 4.0]],
            "id": np.int32(7),
            "score": np.float32(0.5),
            "seen": np.True_,
            "depth": np.array([1.5], ">f4"),
            "name": "cube",
        },
    ).fields

    assert fields["xy"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert [(type(fields[name]), fields[name]) for name in ("id", "score", "seen")] == [
        (int, 7),
        (float, 0.5),
        (bool, True),
    ]
    assert fields["depth"].dtype == np.float32
    assert fields["depth"].tolist() == [1.5]
    assert fields["name"] == "cube"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param({"a": 1}, "a dict", id="dict"),
        pytest.param(None, "a NoneType", id="nothing"),
        pytest.param([[1], [1, 2]], "an array of object", id="rows of two lengths"),
        pytest.param(np.array([object()]), "an array of object", id="objects"),
        pytest.param(["a", "b"], "an array of str", id="texts"),
        pytest.param(np.zeros(2, [("px", "f4")]), "an array of void", id="columns"),
        pytest.param(np.array(["2026-01-01"], "M8[D]"), "an array of datetime64", id="dates"),
        pytest.param(np.zeros((1,) * 9), "with 9 axes", id="too many axes"),
        pytest.param(2**64, "more than 64 bits", id="a number too large"),
        pytest.param("\ud800", "half a character", id="half a character"),
        pytest.param(b"abc", "a bytes", id="bytes"),
    ],
)
def test_what_cannot_be_sent_is_named_with_its_field(value, said):
    with pytest.raises(StreamError, match=f"sample a: its field box is .*{said}"):
        Sample.of("a", {"box": value})


@pytest.mark.parametrize("name", ["", "x" * 201, 3])
def test_a_field_needs_a_name(name):
    with pytest.raises(StreamError, match="a field's name has 1 to 200 characters"):
        Sample.of("a", {name: 1})


def test_a_copy_lies_in_no_memory_but_its_own():
    memory = bytearray(b"\1\2")
    sample = Sample(
        "a", {"n": np.frombuffer(memory, np.uint8), "p": Encoded("png", memoryview(memory))}
    )

    copy = sample.copy()
    memory[:] = b"\0\0"

    assert copy.fields["n"].tolist() == [1, 2]
    assert copy.fields["p"].data == b"\1\2"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        pytest.param(
            {"image": np.zeros((2, 3), np.uint8), "n": 1},
            r"its field image is uint8 \(2, 3\), before it was uint8 \(2, 2\): give all views",
            id="another shape",
        ),
        pytest.param(
            {"image": np.zeros((2, 2), np.float32), "n": 1},
            r"its field image is float32 \(2, 2\), before it was uint8 \(2, 2\)",
            id="another type",
        ),
        pytest.param(
            {"image": np.zeros((2, 2), np.uint8), "n": 1.5},
            "its field n is a number with a fraction, before it was a whole number: give it one",
            id="another number",
        ),
        pytest.param({"n": 1}, r"has no field image \(uint8 \(2, 2\)\)", id="one less"),
        pytest.param(
            {"image": np.zeros((2, 2), np.uint8), "n": 1, "new": "a"},
            r"has a field new \(a text\), which those before it do not have",
            id="one more",
        ),
    ],
)
def test_a_change_is_told_with_its_field_before_and_after(after, said):
    schema = Schema()
    schema.check("a", kinds(image=np.zeros((2, 2), np.uint8), n=1))

    with pytest.raises(StreamError, match=f"sample b: {said}"):
        schema.check("b", kinds(**after))


def test_ragged_fields_may_change_their_shape_and_nothing_else():
    schema = Schema(ragged=["xy"])
    schema.check("a", kinds(xy=np.zeros((3, 2))))
    schema.check("b", kinds(xy=np.zeros((0, 2))))
    schema.check("c", kinds(xy=np.zeros((9, 4))))

    with pytest.raises(StreamError, match="its field xy is int64"):
        schema.check("d", kinds(xy=np.zeros((3, 2), np.int64)))
    with pytest.raises(StreamError, match="its field xy is a text"):
        schema.check("e", kinds(xy="none"))
