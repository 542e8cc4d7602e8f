"""Which view shows an asset, and which part of it."""

from __future__ import annotations

from farm.api.shelf.pictures import around, records_in, sight
from farm.spec.label import ObjectLabel
from tests.builders import a_record, an_asset

CUP, BOX = an_asset("cup.glb"), an_asset("box.glb")


def a_label(asset, box_px, area_px):
    pose = tuple(tuple(float(row == column) for column in range(4)) for row in range(4))
    return ObjectLabel(
        name="thing", asset=asset, category="thing", indices=(1,), box_px=box_px, area_px=area_px,
        visible_fraction=1.0, truncation=0.0, camera_from_object=pose, size=(1.0, 1.0, 1.0),
        corners_px=(),
    )  # fmt: skip


def test_of_several_things_the_one_is_cut_out():
    objects = (a_label(0, (0, 0, 8, 8), 50.0), a_label(1, (20, 30, 40, 40), 90.0))
    record = a_record(model=CUP, hdr=BOX, objects=objects)

    shown = sight(record, BOX.sha256)
    assert shown.area_px == 90.0
    assert shown.box_px == (17, 22, 43, 48)
    assert sight(record, CUP.sha256).box_px == (0, 0, 9, 9)


def test_a_thing_that_stands_alone_is_shown_whole():
    record = a_record(model=CUP, objects=(a_label(0, (8, 8, 20, 20), 70.0),))

    assert sight(record, CUP.sha256)[1:] == (70.0, None)


def test_what_is_cut_out_stays_within_the_picture():
    assert around((60.0, 0.0, 64.0, 40.0), (64, 64)) == (36, 0, 64, 46)


def test_lines_that_are_cut_off_are_no_records():
    line = a_record(model=CUP).model_dump_json().encode()
    other = a_record(model=BOX).model_dump_json().encode()
    data = line[50:] + b"\n" + other + b"\n" + line + b"\n" + line[:-20]

    [found] = records_in(data, CUP.sha256)
    assert found.assets[0].name == "cup.glb"
