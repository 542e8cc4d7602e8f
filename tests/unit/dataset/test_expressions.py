"""What is said of views is kept whatever is done with a dataset, and comes along to trainings."""

from __future__ import annotations

import json

import numpy as np
import pytest

import farm.dataset
from farm.dataset.edits.upgrade import upgrade
from farm.dataset.expressions import plain_expressions
from farm.dataset.merge import merge
from farm.dataset.reader import open_dataset
from farm.spec.record import read_record
from farm.storage import FolderStorage
from farm.stream.sample import Encoded, Sample
from farm.training.view import StreamedView
from tests.support.table_views import GREEN_BOWL, RED_MUG, THINGS, write_table_views

pytest.importorskip("imagecodecs")
SMALL = {"passes": ("mask", "index"), "size": (48, 36)}


def told(place) -> dict[str, dict]:
    """Return what is said of each view and its objects, by name without a dataset's before it."""
    return {
        view.name[view.name.index("scene") :]: view.record.model_dump(
            mode="json", include={"expressions", "objects", "group", "title"}
        )
        for view in farm.dataset.open(place)
    }


def test_a_view_has_its_sentences(tmp_path):
    records = write_table_views(tmp_path, **SMALL)

    [view, *_] = farm.dataset.open(tmp_path)

    assert view.expressions == records[0].expressions
    assert len(view.expressions) == 5


@pytest.mark.parametrize("prefix", [False, True])
def test_a_merge_keeps_them(tmp_path, prefix):
    one, other = tmp_path / "one", tmp_path / "other"
    write_table_views(one, [THINGS], **SMALL)
    write_table_views(other, [THINGS, (RED_MUG, GREEN_BOWL)], **SMALL)
    before = told(other) | told(one)

    merge([open_dataset(one), open_dataset(other)], FolderStorage(tmp_path / "all"), prefix=prefix)

    assert told(tmp_path / "all") == before
    assert len(farm.dataset.open(tmp_path / "all")) == len(before) == 4


def test_an_upgrade_leaves_them_as_they_are(tmp_path):
    write_table_views(tmp_path, **SMALL)
    before = told(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "views.jsonl").read_text().splitlines()]
    (tmp_path / "views.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    done = upgrade(open_dataset(tmp_path))

    assert (done.views, done.rewritten) == (4, 4)  # spaces between fields are gone
    assert told(tmp_path) == before


def test_records_without_them_say_nothing_of_them(tmp_path):
    """Those of other recipes stay the bytes that they were."""
    record = write_table_views(tmp_path, sentences=lambda _objects: (), **SMALL)[0]

    line = record.model_dump_json()

    assert "expressions" not in json.loads(line)
    assert read_record(line) == record


def test_plain_sentences_are_what_their_targets_are_in_the_index(tmp_path):
    write_table_views(tmp_path, [THINGS], views=1, size=(96, 72), passes=("index",))
    [view] = farm.dataset.open(tmp_path)

    plain = plain_expressions(view.record, size=(48, 144))

    assert json.loads(json.dumps(plain)) == plain
    for said, expression in zip(plain, view.expressions, strict=True):
        assert said["text"] == expression.text
        assert said["targets"] == list(expression.targets)
        for box, indices in zip(said["boxes_px"], said["indices"], strict=True):
            rows, columns = np.nonzero(np.isin(view["index"], indices))
            seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            assert np.abs(np.array(box) / (0.5, 2.0, 0.5, 2.0) - seen).max() <= 1
    assert [said["indices"] for said in plain] == [[[2]], [[3]], [[4]], [[3]], []]
    assert [said["negative"] for said in plain] == [False] * 4 + [True]


def test_a_streamed_view_has_its_sentences(tmp_path):
    record = write_table_views(tmp_path, **SMALL)[0]
    data = (tmp_path / record.files["mask"].path).read_bytes()
    sample = Sample.of("7", {"record": record.model_dump_json(), "mask": Encoded("png", data)})

    view = StreamedView(7, sample)

    assert view.expressions == record.expressions
    assert list(view) == ["mask"]
