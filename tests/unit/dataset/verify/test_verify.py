"""`verify` finds nothing in a dataset that is well, and of one that is broken names what is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from farm.dataset.merge import merge
from farm.dataset.reader import open_dataset
from farm.dataset.splits.split import split_dataset
from farm.dataset.verify.duplicates import DuplicateFinder, Fingerprint, picture_bits
from farm.dataset.verify.label_checks import check_labels
from farm.dataset.verify.report import VerifyReport
from farm.dataset.verify.verify import verify
from farm.spec.passes import PASSES, PassName
from farm.storage import FolderStorage, open_storage
from tests.support.datasets import encode_exr, give_lens, write_dataset
from tests.support.lenses import LENSES

imagecodecs = pytest.importorskip("imagecodecs")
pytest.importorskip("OpenEXR")

PASSES_HERE: tuple[PassName, ...] = ("rgb", "mask", "depth", "normal", "index", "position")


def look_at(folder: Path, **options) -> VerifyReport:
    return verify(open_dataset(folder), workers=2, **options)


def found(report: VerifyReport) -> dict[str, int]:
    return {check.check: check.found for check in report.checks if check.found}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "balls", views=6, models=2, passes=PASSES_HERE)
    return tmp_path / "balls"


class Records:
    """The records of a dataset, to be changed; the summary is kept in agreement."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "views.jsonl"
        self.lines = [json.loads(line) for line in self.file.read_text().splitlines()]

    def path(self, name: PassName, at: int = 0) -> Path:
        return self.folder / self.lines[at]["files"][name]["path"]

    def replace(self, name: PassName, data: bytes, at: int = 0) -> None:
        """Write other bytes, and record them as if they had been rendered."""
        self.path(name, at).write_bytes(data)
        entry = self.lines[at]["files"][name]
        entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}

    def save(self) -> None:
        self.file.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        summary = json.loads((self.folder / "dataset.json").read_text())
        summary["size_bytes"] = sum(
            file["size_bytes"] for line in self.lines for file in line["files"].values()
        )
        summary["empty_views"] = sum(line["coverage"] == 0 for line in self.lines)
        (self.folder / "dataset.json").write_text(json.dumps(summary))


def lose(records: Records) -> None:
    records.path("depth").unlink()


def cut(records: Records) -> None:
    path = records.path("rgb")
    path.write_bytes(path.read_bytes()[:-7])


def flip(records: Records) -> None:
    data = bytearray(records.path("mask").read_bytes())
    data[len(data) // 2] ^= 1
    records.path("mask").write_bytes(data)


def garble(records: Records) -> None:
    records.replace("rgb", b"no picture at all")


def shrink(records: Records) -> None:
    records.replace("rgb", imagecodecs.png_encode(np.zeros((4, 5, 3), np.uint8)))


def flatten_index(records: Records) -> None:
    pixels = imagecodecs.png_decode(records.path("index").read_bytes())
    records.replace("index", imagecodecs.png_encode(pixels.astype(np.uint8)))


def mask_of(records: Records) -> np.ndarray:
    return imagecodecs.png_decode(records.path("mask").read_bytes())


def invert_mask(records: Records) -> None:
    records.replace("mask", imagecodecs.png_encode(255 - mask_of(records)))


def empty_mask(records: Records) -> None:
    records.replace("mask", imagecodecs.png_encode(np.zeros((48, 64), np.uint8)))
    records.replace("depth", encode_exr({"Y": np.full((48, 64), np.inf, np.float32)}))
    records.lines[0]["coverage"] = 0.0
    records.lines[0]["objects"][0]["box_px"] = None


def sharpen_mask(records: Records) -> None:
    records.replace("mask", imagecodecs.png_encode((mask_of(records) > 127).astype(np.uint8) * 255))


def flat_picture(records: Records) -> None:
    records.replace("rgb", imagecodecs.png_encode(np.full((48, 64, 3), 9, np.uint8)))


def edit_exr(records: Records, name: PassName, change: Callable[[np.ndarray], None]) -> None:
    from farm.dataset.images import decode_pass

    pixels = np.atleast_3d(decode_pass(records.path(name).read_bytes(), "x.exr", name)).copy()
    change(pixels)
    channels = PASSES[name].channels
    records.replace(name, encode_exr({of: pixels[..., at] for at, of in enumerate(channels)}))


def white_mask(records: Records) -> None:
    records.replace("mask", imagecodecs.png_encode(np.full((48, 64), 255, np.uint8)))
    records.replace("depth", encode_exr({"Y": np.ones((48, 64), np.float32)}))
    records.replace(
        "normal", encode_exr({of: np.full((48, 64), 3**-0.5, np.float32) for of in "RGB"})
    )
    records.replace("index", imagecodecs.png_encode(np.ones((48, 64), np.uint16)))
    records.lines[0] |= {"coverage": 1.0, "objects": []}


def path_that_leads_out(records: Records) -> None:
    entry = records.lines[0]["files"]["rgb"]
    (records.folder / entry["path"]).unlink()
    entry["path"] = "../../secret.png"


def nan_position(records: Records) -> None:
    edit_exr(records, "position", lambda pixels: pixels.__setitem__((3, 4, 0), np.nan))


def hole_in_depth(records: Records) -> None:
    edit_exr(records, "depth", lambda p: p.__setitem__(slice(20, 28), np.inf))


def depth_of_background(records: Records) -> None:
    edit_exr(records, "depth", lambda p: np.copyto(p, 1000.0, where=np.isinf(p)))


def long_normals(records: Records) -> None:
    edit_exr(records, "normal", lambda p: p.__imul__(1.5))


def hole_in_index(records: Records) -> None:
    from farm.dataset.images import decode_pass

    pixels = decode_pass(records.path("index").read_bytes(), "x.png", "index").copy()
    pixels[20:28] = 0
    records.replace("index", imagecodecs.png_encode(pixels))


def look_through(records: Records) -> None:
    """What is half clear at each point is in the mask, and in no label."""
    hole_in_depth(records)
    hole_in_index(records)
    edit_exr(records, "normal", lambda p: p.__setitem__(slice(20, 28), 0.0))


def unknown_index(records: Records) -> None:
    records.lines[0]["indices"] = []


def box_outside(records: Records) -> None:
    records.lines[0]["objects"][0]["box_px"][2] = 65.0


def box_elsewhere(records: Records) -> None:
    records.lines[0]["objects"][0]["box_px"] = [1.0, 2.0, 12.0, 13.0]


def wrong_area(records: Records) -> None:
    records.lines[0]["objects"][0]["area_px"] *= 2


def same_picture(records: Records) -> None:
    records.replace("rgb", records.path("rgb", 1).read_bytes())


def like_picture(records: Records) -> None:
    pixels = imagecodecs.png_decode(records.path("rgb", 2).read_bytes())  # of the same model
    pixels[0, 0] ^= 1
    records.replace("rgb", imagecodecs.png_encode(pixels))


def stray_file(records: Records) -> None:
    (records.folder / "images/other.png").write_bytes(b"x")


def lost_record(records: Records) -> None:
    records.lines.pop()
    summary = json.loads((records.folder / "dataset.json").read_text())
    for asset in summary["assets"]:
        asset["views"] -= asset["name"] in ("ball001.blend", "sky000.exr")
    (records.folder / "dataset.json").write_text(json.dumps(summary | {"views": 5}))


def shared_name(records: Records) -> None:
    records.lines[2]["view"]["name"] = records.lines[0]["view"]["name"]


def no_summary(records: Records) -> None:
    (records.folder / "dataset.json").write_text("{}")


def hangs_on_others(records: Records) -> None:
    records.lines[0]["deterministic"] = False
    records.lines[1]["deterministic"] = True


@pytest.mark.parametrize(
    ("harm", "check", "count"),
    [
        (hangs_on_others, "alone", 1),
        (lose, "missing", 1),
        (cut, "bytes", 1),
        (flip, "bytes", 1),
        (garble, "decode", 1),
        (shrink, "shape", 1),
        (flatten_index, "shape", 1),
        (invert_mask, "mask", 1),
        (empty_mask, "empty", 1),
        (sharpen_mask, "edge", 1),
        (flat_picture, "flat", 1),
        (white_mask, "edge", 1),
        (path_that_leads_out, "missing", 1),
        (nan_position, "numbers", 1),
        (hole_in_depth, "depth", 1),
        (depth_of_background, "depth", 1),
        (long_normals, "normal", 1),
        (unknown_index, "index", 1),
        (hole_in_index, "depth", 1),
        (box_outside, "box", 1),
        (box_elsewhere, "box", 1),
        (wrong_area, "box", 1),
        (same_picture, "same", 1),
        (like_picture, "alike", 1),
        (stray_file, "stray", 1),
        (lost_record, "stray", len(PASSES_HERE)),
        (shared_name, "names", 1),
    ],
)
def test_what_is_broken_is_found_by_the_check_for_it_alone(folder, harm, check, count):
    records = Records(folder)

    harm(records)
    records.save()

    seen = found(look_at(folder))
    assert seen == {check: count}


@pytest.mark.parametrize(
    ("harm", "see_through", "expected"),
    [
        (look_through, True, set()),
        (look_through, False, {"depth"}),
        (hole_in_depth, True, {"depth"}),
        (hole_in_index, True, {"depth"}),
        (depth_of_background, True, {"depth"}),
    ],
)
def test_labels_may_look_through_what_is_half_clear_but_only_all_at_once(
    folder, harm, see_through, expected
):
    records = Records(folder)
    records.lines[0]["see_through"] = see_through

    harm(records)
    records.save()

    assert set(found(look_at(folder))) == expected


def test_a_dataset_that_is_well_has_nothing_wrong(tmp_path):
    write_dataset(tmp_path / "a", views=5, models=2, objects=2, preview=True)
    write_dataset(tmp_path / "b", views=3, bit_depth=16, picture_format="jxl")

    report = look_at(tmp_path)

    assert found(report) == {}
    assert (report.views, report.wrong, report.notes) == (8, 0, 0)
    assert report.files == 8 * 25
    assert len(report.checks) == 22


def test_a_summary_and_lines_that_are_none_are_named(folder):
    records = Records(folder)
    records.save()
    records.file.write_text(records.file.read_text() + '{"view": 3}\n')
    summary = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(summary | {"views": 7, "failures": ["vase"]}))

    report = look_at(folder)

    assert found(report) == {"records": 1, "summary": 1, "failures": 1}
    assert (report.wrong, report.notes) == (2, 1)
    examples = {check.check: check.examples for check in report.checks}
    assert examples["summary"] == ("dataset.json: says 7 views, but records say 6",)
    (folder / "dataset.json").write_text("{}")
    assert found(look_at(folder)) == {"records": 1, "summary": 1}
    (folder / "dataset.json").unlink()
    assert found(look_at(folder)) == {"records": 1, "summary": 1}


def test_what_a_person_keeps_beside_the_passes_is_none_of_our_business(folder):
    for name in ("notes.txt", "coco/labels.json", "images/.DS_Store", "stats.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")

    assert found(look_at(folder)) == {}


def test_empty_masks_that_were_asked_for_are_right(folder):
    records = Records(folder)
    empty_mask(records)
    records.save()
    summary = json.loads((folder / "dataset.json").read_text())
    summary["spec"] = {"recipe": {"allow_empty_masks": True}}
    (folder / "dataset.json").write_text(json.dumps(summary))

    assert found(look_at(folder)) == {}


def test_a_dataset_that_is_being_rendered_is_noted_and_has_no_strays(folder):
    records = Records(folder)
    (folder / ".records").mkdir()
    last = records.lines.pop()
    (folder / ".records/t.jsonl").write_text(json.dumps(last) + "\n")
    records.save()
    stray_file(records)

    report = look_at(folder)

    assert found(report) == {"running": 1}
    assert report.views == 6


def test_views_that_are_finished_while_a_dataset_is_verified_are_no_strays(folder):
    """Else the advice would be to delete them."""
    records = Records(folder)
    last = records.lines.pop()
    (folder / ".records").mkdir()
    (folder / ".records/t.jsonl").write_text(json.dumps(records.lines.pop()) + "\n")
    records.save()

    def finish(_views: int) -> None:
        (folder / ".records/t.jsonl").unlink(missing_ok=True)
        records.lines = [*records.lines, last]
        records.save()

    assert found(look_at(folder, progress=finish)) == {"running": 1}


def test_views_that_a_whole_run_adds_while_a_dataset_is_verified_are_no_strays(folder):
    records = Records(folder)
    last = records.lines.pop()
    records.save()

    def finish(_views: int) -> None:
        records.lines = [*records.lines[:5], last]
        records.save()

    assert found(look_at(folder, progress=finish)) == {"running": 1}


def test_files_of_a_record_that_cannot_be_read_are_not_to_be_deleted(folder):
    """The record says nothing of them any more, but they may be all right."""
    lines = (folder / "views.jsonl").read_text().splitlines(keepends=True)
    (folder / "views.jsonl").write_text("".join([lines[0].replace('"device"', '"x"'), *lines[1:]]))
    broken: list[str] = []

    report = look_at(folder, broken=broken.append)

    assert broken == []
    assert found(report).keys() == {"records", "summary"}
    (example,) = next(check for check in report.checks if check.check == "records").examples
    assert example == "views.jsonl: line 1 is not a record: device: Field required"


def test_the_files_to_delete_are_told(folder):
    records = Records(folder)
    cut(records)
    stray_file(records)
    records.save()
    broken: list[str] = []

    look_at(folder, broken=broken.append)

    assert broken == [records.lines[0]["files"]["rgb"]["path"], "images/other.png"]


def test_a_picture_and_its_noisy_brighter_copy_look_alike_but_a_turned_one_does_not():
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(130), np.arange(96))
    waves = np.sin(x / 7) + np.sin(x / 31 + y / 11) + np.cos(y / 17)
    picture = np.repeat((110 + 25 * waves)[..., None], 3, axis=-1).astype(np.uint8)
    noisy = (picture * 1.1 + rng.normal(0, 1, picture.shape)).astype(np.uint8)
    duplicates = DuplicateFinder()
    for place, (pixels, group) in enumerate(
        [(picture, 1), (noisy, 1), (picture.transpose(1, 0, 2), 1), (picture, 2)]
    ):
        duplicates.add(place, Fingerprint(group, place, picture_bits(pixels)))

    assert list(duplicates.alike()) == [(1, 0)]
    assert list(duplicates.same()) == []


def test_nothing_is_alike_where_there_is_nothing():
    assert list(DuplicateFinder().alike()) == list(DuplicateFinder().same()) == []


def test_a_bucket_is_verified_split_and_merged_like_a_folder(tmp_path, s3_place):
    write_dataset(tmp_path / "balls", views=4, models=2, passes=("rgb", "mask"), preview=True)
    bucket = open_storage(s3_place)
    for path in (tmp_path / "balls").rglob("*"):
        if path.is_file():
            bucket.put_file(path.relative_to(tmp_path / "balls").as_posix(), path)
    bucket.put("images/stray.png", b"x")

    report = verify(open_dataset(s3_place), workers=2)

    assert (report.views, found(report)) == (4, {"stray": 1})
    split_dataset(open_dataset(s3_place), {"train": 0.5, "val": 0.5}, by="model", seed=0)
    assert len(open_dataset(s3_place, split="val")) == 2
    done = merge([open_dataset(s3_place)], FolderStorage(tmp_path / "out"))
    assert (done.views, done.copied) == (4, 8)
    assert found(look_at(tmp_path / "out")) == {}


def test_what_is_behind_a_fisheye_is_well(tmp_path):
    [record] = write_dataset(tmp_path, views=1)
    depth = np.full((48, 64), np.inf, np.float32)
    depth[20:30, 20:40] = -0.3
    for lens, found in ((LENSES["fisheye"], []), (LENSES["pinhole"], ["depth is at, or behind"])):
        give_lens(tmp_path, lens)
        [view] = open_dataset(tmp_path)

        told = dict(check_labels({"depth": depth}, view.record))["numbers"]

        assert [text[:22] for text in told] == found
    assert record.camera.model == "pinhole"
