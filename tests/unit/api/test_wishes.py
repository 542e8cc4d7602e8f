"""A quick look at a record's line never passes over a view that is wanted."""

from __future__ import annotations

import json

import pytest

from farm.api.datasets.gallery import Leafing
from tests.builders import a_record, a_view, an_asset

NAMES = ["vase.blend", 'a "cup".glb', "Straße.obj", "back\\slash.blend", "花瓶.blend"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("escaped", [False, True])
def test_names_of_any_letters_are_found(name, escaped):
    record = a_record(a_view(1), model=an_asset(name))
    line = record.model_dump_json().encode()
    if escaped:  # as other writers of JSON have it
        line = json.dumps(json.loads(line)).encode()

    assert Leafing(asset=name).fits(record)
    assert Leafing(asset=name).quick()(line)
    for word in name.upper().split():
        assert Leafing(find=word).fits(record), word
        assert Leafing(find=word).quick()(line), word


def test_what_is_not_in_a_line_is_not_read():
    line = a_record(a_view(1)).model_dump_json().encode()

    for wish in ({"asset": "cup.blend"}, {"view": "view_002"}, {"find": "zebra"}):
        assert not Leafing(**wish).quick()(line)
