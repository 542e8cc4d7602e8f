"""Which views go together in stereo."""

import json

import numpy as np
import pytest

from farm.cli.dataset.pairs import write_pairs
from farm.dataset.pairs import as_pair_file, neighbours_of
from farm.errors import SpecError
from farm.spec.recipes.sod import Relit
from farm.spec.record import CameraRecord, OrthographicRecord
from farm.spec.view import Light
from tests.builders import a_record, a_view, an_asset


def around(*yaws, model="vase.blend", **camera):
    return [
        a_record(
            a_view(place, name=f"{model}-{place}", yaw_deg=yaw, **camera), model=an_asset(model)
        )
        for place, yaw in enumerate(yaws)
    ]


def test_neighbours_are_the_nearest_by_angle_at_the_middle():
    found = neighbours_of(around(0, 10, 25, 180, pitch_deg=0.0), 2)

    assert [[each.place for each in nearest] for nearest in found] == [
        [1, 2], [0, 2], [1, 0], [2, 1],
    ]  # fmt: skip
    assert found[0][0].angle_deg == pytest.approx(10.0)
    assert found[0][0].baseline == pytest.approx(2 * 3.5 * np.sin(np.radians(5)))


def test_only_views_of_the_same_things_under_the_same_sky_go_together():
    mine, theirs = around(0, 40), around(1, 41, model="lamp.blend")
    [other] = around(2)
    night = other.model_copy(
        update={"assets": (other.assets[0], an_asset("night.exr", kind="hdr"))}
    )

    found = neighbours_of([*mine, *theirs, night], 3)

    assert [[each.place for each in nearest] for nearest in found] == [[1], [0], [3], [2], []]


def test_siblings_under_another_turn_of_their_sky_do_not_go_together():
    """They see the same from one place, and their pictures differ by the light."""
    still, turned = around(0, 40), around(0, 40)
    views = [
        record.model_copy(
            update={
                "view": record.view.model_copy(
                    update={
                        "light": Light(rotation_deg=turn),
                        "relit": Relit(pose=record.view.name, hdr="sky"),
                    }
                )
            }
        )
        for turn, records in ((0.0, still), (90.0, turned))
        for record in records
    ]

    found = neighbours_of(views, 3)

    assert [[each.place for each in nearest] for nearest in found] == [[1], [0], [3], [2]]


def test_parallel_rays_are_compared_by_where_they_look():
    """Where such a camera stands along them says nothing."""
    records = []
    for record in around(0, 30, 31, pitch_deg=0.0):
        pose = record.camera.world_from_camera
        lens = OrthographicRecord(px_per_unit=30.0)
        camera = CameraRecord(world_from_camera=pose, cx_px=32, cy_px=32, lens=lens)
        records.append(record.model_copy(update={"camera": camera}))

    found = neighbours_of(records, 1)

    assert [nearest[0].place for nearest in found] == [1, 2, 1]
    assert found[1][0].angle_deg == pytest.approx(1.0)


def test_of_equal_angles_the_nearer_camera_is_first():
    far, near = (around(10, distance=distance)[0] for distance in (9.0, 4.0))
    [own] = around(0, distance=3.5)

    [nearest, *_] = neighbours_of([own, far, near], 2)

    assert [each.place for each in nearest] == [2, 1]


def test_pair_files_are_read_as_mvsnet_reads_them():
    """One line of the count; two of each view, the second with ids in every other place."""
    lines = as_pair_file(neighbours_of(around(0, 10, 25, 180), 2)).splitlines()

    assert int(lines.pop(0)) == 4
    for place in range(4):
        own, row = int(lines.pop(0)), lines.pop(0).split()
        assert own == place
        assert len(row) == 1 + 2 * int(row[0])
        assert len({int(each) for each in row[1::2]} - {place}) == 2
        scores = [float(each) for each in row[2::2]]
        assert scores == sorted(scores, reverse=True)
    assert not lines


@pytest.fixture
def rendered(tmp_path):
    """A dataset whose records alone matter."""

    def write(records, name="vases"):
        folder = tmp_path / name
        folder.mkdir()
        text = "".join(record.model_dump_json() + "\n" for record in records)
        (folder / "views.jsonl").write_text(text)
        return folder

    return write


def test_the_command_writes_names_where_json_is_asked_for(rendered, tmp_path):
    folder = rendered(around(0, 10, 25))
    out = tmp_path / "pairs.json"

    [said] = write_pairs(str(folder), count=1, out=out, every=False)

    told = json.loads(out.read_text())
    assert list(told) == ["vase.blend-0", "vase.blend-1", "vase.blend-2"]
    assert told["vase.blend-2"][0]["view"] == "vase.blend-1"
    assert said.endswith("up to 1 neighbour of 3 views")
    [said] = write_pairs(str(folder), count=9, out=None, every=False)
    assert said.startswith(str(folder / "pair.txt"))


def test_each_dataset_of_a_folder_has_pairs_of_its_own(rendered, tmp_path):
    for name in ("a", "b"):
        rendered(around(0, 10), name)

    assert len(write_pairs(str(tmp_path), count=3, out=None, every=False)) == 2
    assert (tmp_path / "a" / "pair.txt").read_text() == (tmp_path / "b" / "pair.txt").read_text()
    with pytest.raises(SpecError, match="holds 2 datasets"):
        write_pairs(str(tmp_path), count=3, out=tmp_path / "pair.txt", every=False)


def test_what_has_no_pairs_is_told_in_one_sentence(rendered):
    folder = rendered(around(0))

    with pytest.raises(SpecError, match="no two views show the same things"):
        write_pairs(str(folder), count=3, out=None, every=False)
    with pytest.raises(SpecError, match=r"pairs are \.txt, as MVSNet has them, or \.json"):
        write_pairs(str(folder), count=3, out=folder / "pairs.csv", every=False)


def test_a_dataset_without_views_is_told_instead_of_nothing(tmp_path):
    (tmp_path / "views.jsonl").touch()

    with pytest.raises(SpecError, match="has no views yet: there are no pairs"):
        write_pairs(str(tmp_path), count=3, out=None, every=False)
