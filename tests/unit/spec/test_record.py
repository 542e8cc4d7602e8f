"""Records are read wherever a dataset is looked at."""

import json

import pytest
from pydantic import ValidationError

from farm.spec.record import read_record
from tests.builders import a_record


def test_a_record_by_a_recipe_that_is_not_installed_is_read_and_kept_whole():
    line = a_record().model_dump_json()
    view = json.loads(line)["view"] | {"kind": "knots", "loops": 3}

    record = read_record(json.dumps(json.loads(line) | {"view": view}))

    assert (record.view.kind, record.view.caption) == ("knots", record.view.name)
    assert record.model_dump(mode="json")["view"] == view


def test_a_view_of_no_known_camera_is_not_a_record():
    line = a_record().model_dump_json()
    view = json.loads(line)["view"] | {"kind": "knots", "camera": {"kind": "string"}}

    with pytest.raises(ValidationError, match="camera"):
        read_record(json.dumps(json.loads(line) | {"view": view}))
