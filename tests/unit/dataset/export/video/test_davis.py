"""DAVIS's readers: lists of sequences, frames in order, numbers of objects in palette PNGs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import farm.dataset
from farm.dataset.export.formats.video import davis
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from tests.support.datasets import write_dataset
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.pictures import run


def test_annotations_are_the_objects_of_the_index_pass(tmp_path: Path):
    write_sequences(tmp_path / "d")
    views = list(farm.dataset.open(tmp_path / "d"))

    run(tmp_path / "d", tmp_path / "out", "davis")

    names = (tmp_path / "out/ImageSets/2017/train.txt").read_text().split()
    assert names == ["street-001-00001-00004", "harbour-001-00001-00004"]
    for name, four in zip(names, (views[:4], views[4:]), strict=True):
        shown = sorted((tmp_path / f"out/JPEGImages/480p/{name}").glob("*.jpg"))
        told = sorted((tmp_path / f"out/Annotations/480p/{name}").glob("*.png"))
        assert [path.stem for path in shown] == [path.stem for path in told]
        assert [path.stem for path in told] == [f"{at:05d}" for at in range(4)]
        for picture, annotation, view in zip(shown, told, four, strict=True):
            with Image.open(annotation) as file:
                assert file.mode == "P"
                assert file.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
                numbers = np.asarray(file)
            assert objects_of(tmp_path / "out", name) == {1: "Square", 2: "Wall"}
            np.testing.assert_array_equal(numbers == 1, view["index"] == 2)
            np.testing.assert_array_equal(numbers == 2, view["index"] == 1)
            with Image.open(picture) as file:
                seen = np.asarray(file).astype(int)
            assert np.abs(seen - view["rgb"]).mean() < 3


def objects_of(out: Path, sequence: str) -> dict[int, str]:
    rows = (line.split("\t") for line in (out / "objects.tsv").read_text().splitlines())
    return {int(number): name for of, number, name, _file in rows if of == sequence}


def test_the_palette_is_that_of_pascal_voc():
    colours = np.array(davis.voc_palette()).reshape(256, 3)

    assert colours[[1, 2, 8, 15, 20]].tolist() == [
        [128, 0, 0], [0, 128, 0], [64, 0, 0], [192, 128, 128], [0, 64, 128],
    ]  # fmt: skip
    assert colours[255].tolist() == [224, 224, 192]


def test_splits_list_whole_sequences_since_a_group_is_a_scene(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=6, frames=2)
    data = farm.dataset.open(tmp_path / "d")
    split_dataset(data, {"train": 0.67, "val": 0.33}, by="group", seed=0)

    run(tmp_path / "d", tmp_path / "out", "davis")

    lists = {
        path.stem: path.read_text().split()
        for path in (tmp_path / "out/ImageSets/2017").glob("*.txt")
    }
    assert sorted(map(len, lists.values())) == [2, 4]
    scenes = {name: {each.partition("-")[0] for each in lists[name]} for name in lists}
    assert not scenes["train"] & scenes["val"]


def test_of_too_many_objects_the_largest_are_kept(tmp_path: Path, monkeypatch):
    write_sequences(tmp_path / "d", sequences=1)
    [view, *_] = farm.dataset.open(tmp_path / "d")
    monkeypatch.setattr(davis, "MOST_OBJECTS", 1)

    done = run(tmp_path / "d", tmp_path / "out", "davis")

    [note] = done.notes
    assert note.startswith("street-001-00001-00004 shows 2 objects, and a palette has room for 1")
    path = tmp_path / "out/Annotations/480p/street-001-00001-00004/00000.png"
    with Image.open(path) as file:
        np.testing.assert_array_equal(np.asarray(file), view["index"] == 1)


def test_pictures_on_their_own_are_refused_in_a_sentence(tmp_path: Path):
    write_dataset(tmp_path / "d", views=2, passes=("rgb", "mask", "index"))

    with pytest.raises(SpecError, match="is a picture on its own, and davis holds sequences: rend"):
        run(tmp_path / "d", tmp_path / "out", "davis")
    assert not (tmp_path / "out").exists()


def test_a_missing_pass_is_named_with_what_to_render(tmp_path: Path):
    write_sequences(tmp_path / "d", sequences=1, passes=("rgb", "mask", "flow_forward"))

    with pytest.raises(SpecError, match=r"needs the pass index: .* --passes .*flow_forward,index$"):
        run(tmp_path / "d", tmp_path / "out", "davis")
    with pytest.raises(SpecError, match=r"the pass flow_forward_valid: .* --passes .*,flow$"):
        run(tmp_path / "d", tmp_path / "out", "kitti")
