"""`verify` finds nothing in sequences that are right, and says of damaged ones what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from farm.dataset.merge import merge
from farm.dataset.reader import open_dataset
from farm.dataset.records.sequences import write_sequences as write_transforms
from farm.dataset.verify.report import VerifyReport
from farm.dataset.verify.verify import verify
from farm.storage import FolderStorage, open_storage
from tests.support.changed_datasets import ChangedDataset
from tests.support.sequences import CARRIED_PASSES, SEQUENCE_PASSES, write_sequences

pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")

FRAMES = 6
STREET = "street/001-00001-00006"
FLOWS = ("flow_forward", "flow_backward")
LABELS = ("depth", "normal", "index", "mask")


def make(folder: Path, **options) -> Path:
    write_sequences(folder, **{"sequences": 2, "frames": FRAMES, "size": (96, 72)} | options)
    write_transforms(FolderStorage(folder), "", print)
    return folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("sound") / "set")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "set")
    return tmp_path / "set"


def look_at(folder: Path, **options) -> VerifyReport:
    return verify(open_dataset(folder), workers=2, **options)


def found(report: VerifyReport) -> dict[str, int]:
    return {check.check: check.found for check in report.checks if check.found}


def looked(report: VerifyReport) -> dict[str, int]:
    return {check.check: check.looked_at for check in report.checks}


def told(report: VerifyReport, check: str) -> tuple[str, ...]:
    return next(each.examples for each in report.checks if each.check == check)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="plain"),
        pytest.param({"grain": 0.12}, id="noise of few samples"),
        pytest.param({"sequences": 7, "frames": 3}, id="much motion"),
        pytest.param({"frames": 1}, id="a single frame"),
        pytest.param({"frames": 18, "sequences": 1}, id="longer than a run of one thread"),
        pytest.param({"passes": ("rgb", *SEQUENCE_PASSES[-4:])}, id="no labels but flow"),
        pytest.param(
            {"passes": ("index", "flow_forward", "flow_forward_valid")}, id="one side alone"
        ),
        pytest.param({"passes": ("rgb", "mask")}, id="no flow"),
        pytest.param({"passes": (*SEQUENCE_PASSES, *CARRIED_PASSES)}, id="points in space"),
        pytest.param({"passes": ("depth", *CARRIED_PASSES), "frames": 1}, id="no neighbour"),
        pytest.param({"passes": CARRIED_PASSES}, id="points in space alone"),
        pytest.param({"passes": ("rgb", *FLOWS)}, id="nothing says where flow is valid"),
        pytest.param({"size": (40, 96)}, id="upright"),
    ],
)
def test_sequences_that_are_right_have_nothing_wrong(tmp_path, options):
    report = look_at(make(tmp_path, **options))

    assert found(report) == {}
    assert looked(report)["frames"] == looked(report)["poses"] == options.get("sequences", 2)


def test_every_frame_is_followed_to_both_sides(sound):
    report = look_at(sound)

    assert looked(report)["flow"] == 2 * 2 * FRAMES
    assert looked(report)["warp"] == 2 * 2 * (FRAMES - 1)
    assert "same" not in looked(report)  # neighbours may be alike


def lose_a_frame(data: ChangedDataset) -> None:
    for file in data.lines.pop(2)["files"].values():
        (data.folder / file["path"]).unlink()


def lose_the_last(data: ChangedDataset) -> None:
    for file in data.lines.pop(FRAMES - 1)["files"].values():
        (data.folder / file["path"]).unlink()


def stand_twice(data: ChangedDataset) -> None:
    data.moment(3)["place"] = 2


def stand_behind(data: ChangedDataset) -> None:
    data.moment(5)["place"] = FRAMES


def turn_time_round(data: ChangedDataset) -> None:
    data.moment(3)["time_s"] = 0.01


def number_wrongly(data: ChangedDataset) -> None:
    data.moment(3)["number"] = 1


def disagree_on_length(data: ChangedDataset) -> None:
    data.moment(3)["of"] = FRAMES + 1


def change_pace(data: ChangedDataset) -> None:
    data.moment(3)["fps"] = 25.0


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lose_a_frame, "lacks 1 frame of 6, the first at place 2: the same farm render renders"),
        (lose_the_last, "lacks 1 frame of 6, the first at place 5: "),
        (stand_twice, "has two frames at place 2"),
        (stand_behind, "1 frame stand behind its end at place 5"),
        (turn_time_round, "time_s does not increase from the frame before place 3 to it"),
        (number_wrongly, "number does not increase from the frame before place 3 to it"),
        (disagree_on_length, "its records say that it has 6, 7 frames"),
        (change_pace, "its records say 24, 25 fps"),
    ],
)
def test_a_sequence_that_is_not_whole_is_named(
    folder, damage: Callable[[ChangedDataset], None], what
):
    data = ChangedDataset(folder)
    damage(data)
    data.save()
    write_transforms(FolderStorage(folder), "", print)

    report = look_at(folder)

    assert "frames" in found(report)
    assert set(found(report)) <= {"frames", "poses"}
    assert any(line.startswith(f"{STREET}: {what}") for line in told(report, "frames"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("of", 10**15), ("place", 10**30), ("number", -(10**20)), ("fps", 1e300), ("time_s", 1e999)],
)
def test_numbers_that_no_sequence_has_are_of_no_record(folder, field, value):
    data = ChangedDataset(folder)
    data.moment(3)[field] = value
    data.save()

    assert "records" in found(look_at(folder))


def test_a_length_that_is_far_too_large_costs_nothing(folder):
    data = ChangedDataset(folder)
    for at in range(FRAMES):
        data.moment(at)["of"] = 2_000_000_000
    data.save()

    lines = told(look_at(folder), "frames")

    assert lines[0].startswith(f"{STREET}: lacks 1,999,999,994 frames of 2000000000, the first at ")


def test_a_frame_that_is_missing_while_a_sequence_is_rendered_is_not_wrong(folder):
    data = ChangedDataset(folder)
    lose_a_frame(data)
    data.save()
    (folder / ".records").mkdir()
    (folder / ".records/street.jsonl").write_text(json.dumps(data.lines[0]) + "\n")

    assert found(look_at(folder)) == {"running": 1}


def move_camera(told: dict) -> None:
    told["frames"][2]["transform_matrix"][0][3] += 0.01


def change_lens(told: dict) -> None:
    told["fl_x"] *= 1.01


def change_lens_of_one(told: dict) -> None:
    told["frames"][1]["cx"] = 7.0


def change_size(told: dict) -> None:
    told["w"] += 1


def forget_lens(told: dict) -> None:
    del told["fl_y"]


def change_fps(told: dict) -> None:
    told["fps"] = 30.0


def change_times(told: dict) -> None:
    for frame in told["frames"]:
        frame["time_s"] *= 2


def drop_a_frame(told: dict) -> None:
    del told["frames"][4]


def double_a_frame(told: dict) -> None:
    told["frames"].append(told["frames"][0])


def forget_a_file(told: dict) -> None:
    del told["frames"][3]["depth_file_path"]


def mix_up_files(told: dict) -> None:
    one, other = told["frames"][1:3]
    one["file_path"], other["file_path"] = other["file_path"], one["file_path"]


def spoil_matrix(told: dict) -> None:
    told["frames"][0]["transform_matrix"] = [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (move_camera, "has another pose of street-001-00001-00006-000003 (by 0.01): "),
        (change_lens, "has 96.96 as fl_x of street-001-00001-00006-000001 (the record: 96), and of "
         "5 more: "),
        (change_lens_of_one, "has 7 as cx of street-001-00001-00006-000002 (the record: 48): "),
        (change_size, "has 97 as w of street-001-00001-00006-000001 (the record: 96), and of 5 "),
        (forget_lens, "has no fl_y of street-001-00001-00006-000001 (the record: 96), and of 5 "),
        (change_fps, "has 30 as fps of street-001-00001-00006-000001 (the record: 24), and of 5 "),
        (change_times, "has 0.0833333 as time_s of street-001-00001-00006-000002"),
        (drop_a_frame, "lacks the frame of street-001-00001-00006-000005: "),
        (double_a_frame, "has 7 frames, but the records 6: "),
        (forget_a_file, "does not name all files of street-001-00001-00006-000004: "),
        (mix_up_files, "does not name all files of street-001-00001-00006-000002, and of 1 more: "),
        (spoil_matrix, "cannot be read: frames.0.transform_matrix"),
    ],
)  # fmt: skip
def test_a_transforms_json_that_says_something_else_is_named(
    folder, damage: Callable[[dict], None], what
):
    path = folder / STREET / "transforms.json"
    content = json.loads(path.read_text())
    damage(content)
    path.write_text(json.dumps(content))

    report = look_at(folder)

    assert found(report).keys() == {"poses"}
    lines = told(report, "poses")
    assert any(line.startswith(f"{STREET}/transforms.json: {what}") for line in lines), lines
    assert all("the same farm render writes it again" in line for line in lines)


@pytest.mark.parametrize("name", ["transforms.json", "segmentations.json"])
@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "is missing"), (b"{", "cannot be read"), (b"[1]", "cannot be read")],
)
def test_a_file_of_a_sequence_that_is_missing_or_broken_is_named(folder, name, content, what):
    path = folder / STREET / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    report = look_at(folder)

    assert found(report) == {"poses": 1}
    assert told(report, "poses")[0].startswith(f"{STREET}/{name}: {what}")


def test_a_table_of_ids_with_another_name_is_told(folder):
    path = folder / STREET / "segmentations.json"
    path.write_text(path.read_text().replace("Square", "Circle"))

    (line,) = told(look_at(folder), "poses")

    assert line.startswith(f"{STREET}/segmentations.json: calls index 2 Circle, but the records ")


def backwards(flow):
    return -flow


def mirrored(flow):
    return flow * np.array([-1, 1], np.float32)


def doubled(flow):
    return flow * 2


def still(flow):
    return flow * 0


def all_valid(valid):
    return valid * 0 + 255


@pytest.mark.parametrize(
    ("names", "how"),
    [
        pytest.param(FLOWS, backwards, id="backwards"),
        pytest.param(FLOWS, mirrored, id="mirrored"),
        pytest.param(FLOWS, doubled, id="twice as far"),
        pytest.param(FLOWS, still, id="nothing moves"),
        pytest.param(FLOWS[:1], backwards, id="forward is backward"),
        pytest.param(("flow_forward_valid",), all_valid, id="valid where hidden"),
    ],
)
def test_flow_that_leads_astray_is_found(folder, names, how):
    """In the second sequence, where more moves."""
    data = ChangedDataset(folder)
    data.change_all(names, how, of="harbour")
    data.save()

    report = look_at(folder)

    assert found(report)["flow"] >= FRAMES - 1
    assert set(found(report)) <= {"flow", "pace", "warp"}
    lines = told(report, "flow")
    assert all(line.startswith("harbour/001-00001-00006") for line in lines)


def test_one_bad_flow_file_is_named_and_is_to_be_deleted(folder):
    data = ChangedDataset(folder)
    data.change("flow_forward", lambda flow: flow + 6, at=3)
    data.save()
    broken: list[str] = []

    report = look_at(folder, broken=broken.append)

    assert f"{STREET}/flows/forward_000004.exr" in broken
    assert any(
        line.startswith(f"{STREET}/flows/forward_000004.exr: flow_forward leads ")
        and line.endswith("to something else in street-001-00001-00006-000005")
        for line in told(report, "flow")
    )


@pytest.mark.parametrize(
    ("at", "side"), [(0, "backward"), (FRAMES - 1, "forward")], ids=["first", "last"]
)
def test_no_flow_of_the_ends_is_valid(folder, at, side):
    data = ChangedDataset(folder)
    data.change(f"flow_{side}_valid", all_valid, at=at)
    data.save()

    report = look_at(folder)

    assert found(report) == {"flow": 1}
    assert f"flow_{side}_valid marks 6,912 pixels, but there is no" in told(report, "flow")[0]


def test_no_flow_across_a_cut_is_valid(folder):
    data = ChangedDataset(folder)
    for at in range(3, FRAMES):
        data.lines[at]["view"]["camera"]["name"] = "Other"
    data.save()

    assert found(look_at(folder)) == {"flow": 2}

    data.change("flow_forward_valid", still, at=2)
    data.change("flow_backward_valid", still, at=3)
    data.save()

    assert found(look_at(folder)) == {}


def test_validity_is_yes_or_no(folder):
    data = ChangedDataset(folder)
    data.change("flow_forward_valid", lambda valid: valid // 2, at=1)
    data.save()

    report = look_at(folder)

    assert "holds numbers besides 0 and 255 at" in told(report, "flow")[0]


@pytest.fixture(scope="module")
def in_space(tmp_path_factory) -> Path:
    passes = (*SEQUENCE_PASSES, *CARRIED_PASSES)
    return make(tmp_path_factory.mktemp("space") / "set", passes=passes)


def shifted(moves):
    return moves + np.array([0.2, 0.0, 0.0], np.float32)


def all_known(moves):
    return np.nan_to_num(moves)


@pytest.mark.parametrize(
    ("name", "how", "at", "what"),
    [
        ("scene_flow_forward", shifted, 1, "leads 100.0% of its pixels elsewhere than"),
        ("scene_flow_backward", backwards, 2, "of its pixels elsewhere than flow_backward"),
        ("scene_flow_forward_world", shifted, 1, "is not scene_flow_forward in the world at"),
        ("scene_flow_forward_world", all_known, 1, "or scene_flow_forward alone is known at"),
        ("scene_flow_forward", all_known, FRAMES - 1, "but there is no next frame"),
        ("scene_flow_backward_world", all_known, 0, "but there is no previous frame"),
        ("occlusion_forward", all_valid, 1, "occlusion_forward and out_of_frame_forward both"),
        ("occlusion_backward", all_valid, 0, "but there is no previous frame"),
        ("occlusion_backward", lambda told: told // 2 + 1, 2, "numbers besides 0 and 255"),
        ("out_of_frame_forward", all_valid, 1, "and flow_forward_valid both mark"),
        ("out_of_frame_backward", all_valid, 2, "inside of the picture of street"),
    ],
)
def test_points_in_space_that_do_not_fit_are_found(in_space, tmp_path, name, how, at, what):
    shutil.copytree(in_space, tmp_path / "set")
    data = ChangedDataset(tmp_path / "set")
    data.change(name, how, at=at)
    data.save()
    broken: list[str] = []

    report = look_at(tmp_path / "set", broken=broken.append)

    lines = told(report, "carried")
    assert any(what in line for line in lines), lines
    assert data.lines[at]["files"][name]["path"] in broken
    assert found(report).keys() == {"carried"}


def test_a_scene_flow_is_whole_or_not_there(in_space, tmp_path):
    def without_z(moves):
        moves = moves.copy()
        moves[20:22, 30:35, 2] = np.nan
        return moves

    shutil.copytree(in_space, tmp_path / "set")
    data = ChangedDataset(tmp_path / "set")
    data.change("scene_flow_backward", without_z, at=2)
    data.save()

    report = look_at(tmp_path / "set")

    what = "scene_flow_backward has some of its numbers at 10 pixels, and NaN beside them"
    assert what in told(report, "numbers")[0]


def test_every_step_of_points_in_space_is_looked_at(in_space):
    report = look_at(in_space)

    assert found(report) == {}
    assert looked(report)["carried"] == 2 * 2 * FRAMES


def one_thing(folder: Path, how) -> VerifyReport:
    """Look at flow that is changed on both sides where all has one number: only the poses tell."""
    make(folder, sequences=1, frames=3, size=(256, 192))
    data = ChangedDataset(folder)
    data.change_all(FLOWS, how)
    data.change_all(("index",), lambda index: (index > 0).astype(np.uint16))
    for line in data.lines:
        line["indices"] = line["indices"][:1]
        line["objects"] = []
    data.save()
    write_transforms(FolderStorage(folder), "", print)
    return look_at(folder)


def test_flow_that_runs_backwards_on_both_sides_is_found_where_all_is_one_thing(tmp_path):
    report = one_thing(tmp_path, backwards)

    assert any("flow_forward runs backwards: at " in line for line in told(report, "flow"))


def test_flow_that_is_as_long_as_that_of_other_frames_is_noted(tmp_path):
    """Such as flow to the next frame of the file where the dataset takes every third."""
    report = one_thing(tmp_path, lambda flow: flow * 3)

    assert any("flow_forward is 3 times what depth" in line for line in told(report, "pace"))
    assert found(one_thing(tmp_path / "right", lambda flow: flow)) == {}


def test_pictures_that_do_not_follow_the_flow_are_noted(tmp_path):
    """Where there is nothing but pictures and flow a person has to look."""
    make(tmp_path, sequences=1, passes=("rgb", *SEQUENCE_PASSES[-4:]))
    data = ChangedDataset(tmp_path)
    pictures = [line["files"]["rgb"] for line in data.lines]
    for line, file in zip(data.lines, reversed(pictures), strict=True):
        line["files"]["rgb"] = file
    data.save()
    write_transforms(FolderStorage(tmp_path), "", print)

    report = look_at(tmp_path)

    assert found(report) == {"warp": 2}
    assert (report.wrong, report.notes) == (0, 2)
    assert "along flow_forward pictures differ by" in told(report, "warp")[0]


def test_a_file_that_no_record_names_is_a_stray_in_a_sequence_too(folder):
    (folder / STREET / "depths/depth_000099.exr").write_bytes(b"x")
    (folder / STREET / "notes.txt").write_text("mine")
    (folder / STREET / "preview.mp4").write_text("a film")

    report = look_at(folder)

    assert found(report) == {"stray": 1}
    assert told(report, "stray") == (f"{STREET}/depths/depth_000099.exr: no record names it",)


def test_merged_sequences_are_sound(folder, tmp_path):
    make(tmp_path / "other", sequences=1, frames=3)
    parts = [open_dataset(folder), open_dataset(tmp_path / "other")]

    merge(parts, FolderStorage(tmp_path / "merged"))

    assert found(look_at(tmp_path / "merged")) == {}


def test_sequences_of_one_name_stay_apart_in_a_merge_with_prefixes(folder, tmp_path):
    make(tmp_path / "other", sequences=1, passes=("rgb", "index"))
    parts = [open_dataset(folder), open_dataset(tmp_path / "other")]

    merge(parts, FolderStorage(tmp_path / "merged"), prefix=True)

    report = look_at(tmp_path / "merged")
    assert found(report) == {}
    assert looked(report)["frames"] == 3
    assert (tmp_path / "merged/set" / STREET / "transforms.json").exists()
    assert (tmp_path / "merged/other" / STREET / "transforms.json").exists()


def test_a_sequence_in_a_bucket_is_looked_at_like_one_in_a_folder(folder, s3_place):
    data = ChangedDataset(folder)
    data.change("flow_forward", lambda flow: flow + 6, at=3)
    data.save()
    (folder / STREET / "transforms.json").unlink()
    bucket = open_storage(s3_place)
    for path in folder.rglob("*"):
        if path.is_file():
            bucket.put_file(path.relative_to(folder).as_posix(), path)

    report = verify(open_dataset(s3_place), workers=2)

    assert found(report).keys() == {"flow", "poses"}
    assert told(report, "poses")[0].startswith(f"{STREET}/transforms.json: is missing")


def test_frames_that_are_looked_at_again_are_announced(folder):
    announced, done = [], []

    look_at(folder, more=announced.append, progress=done.append)

    assert announced == [2 * FRAMES]
    assert sum(done) == 2 * FRAMES + announced[0]
