"""Records are read wherever a dataset is looked at."""

import json

import pytest
from pydantic import ValidationError

from farm.projection import recorded
from farm.spec.camera import IDENTITY, PoseCamera
from farm.spec.record import CameraRecord, read_record
from tests.builders import a_record
from tests.support.lenses import LENSES


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


def test_a_pinhole_is_written_as_it_always_was():
    """Whoever reads records of before reads these, too."""
    camera = json.loads(a_record().model_dump_json())["camera"]

    assert list(camera) == ["world_from_camera", "fx_px", "fy_px", "cx_px", "cy_px", "distance"]
    assert CameraRecord.model_validate(camera).model == "pinhole"


@pytest.mark.parametrize("lens", ["orthographic", "fisheye"])
def test_what_is_not_a_pinhole_has_no_focal_length(lens):
    camera = recorded(PoseCamera(world_from_camera=IDENTITY, lens=LENSES[lens]), (64, 48))
    written = json.loads(camera.model_dump_json())

    assert not {"fx_px", "fy_px"} & set(written)
    assert CameraRecord.model_validate(written) == camera
    assert camera.model == written["lens"]["kind"] == LENSES[lens].kind
    assert (camera.cx_px, camera.cy_px) == (32.0, 24.0)


def test_a_camera_has_focal_lengths_or_another_lens():
    lens = {"kind": "orthographic", "px_per_unit": 10.0}
    numbers = {"world_from_camera": IDENTITY, "cx_px": 1.0, "cy_px": 1.0}
    for wrong in ({}, {"fx_px": 1.0}, {"fx_px": 1.0, "fy_px": 1.0, "lens": lens}):
        with pytest.raises(ValidationError, match="either fx_px and fy_px or a lens"):
            CameraRecord(**numbers, **wrong)
