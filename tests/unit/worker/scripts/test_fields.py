"""What scripts return becomes JSON, or a sentence."""

import json

import numpy as np
import pytest

from farm.errors import ScriptError
from worker.scripts.fields import MOST_BYTES, as_fields


class Vector:
    """As Blender's are: a length and numbers, no array."""

    def __len__(self):
        return 3

    def __getitem__(self, place):
        return (1.0, 2.0, 3.0)[place]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, 3),
        (2.5, 2.5),
        (True, True),
        ("red", "red"),
        (None, None),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array(2.0), 2.0),
        (np.zeros((0, 2)), []),
        ([1, 2.5], [1.0, 2.5]),
        (((1, 2), (3, 4)), [[1, 2], [3, 4]]),
        (["a", "b"], ["a", "b"]),
        (Vector(), [1.0, 2.0, 3.0]),
        (range(3), [0, 1, 2]),
    ],
)
def test_numbers_words_and_small_arrays_are_taken(value, told):
    found = as_fields({"a": value}, by="x.py, frame")

    assert found == {"a": told}
    assert json.loads(json.dumps(found)) == found


def test_nothing_is_no_field():
    assert as_fields(None, by="x.py, frame") == {}


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ([1, 2], "x.py, frame: it returned a list: return a dict of fields, or nothing"),
        ({1: 2}, "the name '1' of a field is not a word"),
        ({"": 2}, "the name '' of a field is not a word"),
        ({"a": {}}, "field 'a' is a dict: a field must be a number, a string or an array"),
        ({"a": {1, 2}}, "field 'a' is a set"),
        ({"a": b"x"}, "field 'a' is a bytes"),
        ({"a": object()}, "field 'a' is an object"),
        ({"a": [1, "b"]}, "field 'a' is a list"),
        ({"a": [[1], [2, 3]]}, "field 'a' is a list"),
        ({"a": 1j}, "field 'a' is a complex"),
        ({"a": float("nan")}, "field 'a' is nan, which JSON does not have"),
        ({"a": np.array([1.0, np.inf])}, "field 'a' holds NaN or infinity"),
        ({"a": 2**70}, "is a whole number of more than 64 bits"),
        ({"a": "\ud800"}, "field 'a' is not valid Unicode"),
        (
            {"a": np.zeros((200, 200))},
            "field 'a' is an array of 200 x 200, which is more than 64 kB",
        ),
        ({"a": "x" * 40_000, "b": "y" * 50_000}, "its fields take 87 kB, 'b' the most of it"),
    ],
)
def test_all_else_is_refused_by_its_name(returned, words):
    with pytest.raises(ScriptError) as caught:
        as_fields(returned, by="x.py, frame")

    assert words in str(caught.value)


def test_what_just_fits_is_taken():
    assert as_fields({"a": "x" * (MOST_BYTES - 2)}, by="x.py")
