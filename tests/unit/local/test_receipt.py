import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from farm.local import receipt
from farm.local.receipt import Draft, draft_of, find, key_of


@dataclass
class Done:
    """A run of a command that is over: what it read, what it wrote, and its receipt."""

    models: Path
    root: Path
    file: Path

    @property
    def dataset(self) -> Path:
        return self.root / "cup"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def done(tmp_path, monkeypatch) -> Done:
    monkeypatch.setattr(receipt, "FINE_S", -1.0)  # what the test wrote is settled
    run = Done(tmp_path / "models", tmp_path / "out", tmp_path / "receipts" / "a.json")
    model = write(run.models / "cup.obj", "v 0 0 0")
    files = {"rgb": write(run.dataset / "images/a.png", "picture")}
    record = {"files": {"rgb": {"path": "images/a.png", "size_bytes": len("picture")}}}
    views = write(run.dataset / "views.jsonl", json.dumps(record) + "\n")
    sheet = write(run.dataset / "preview.jpg", "sheet")
    assert files["rgb"].exists()
    draft = Draft(run.file)
    draft.looks_for((str(run.models), "**/*"))
    draft.reads(model)
    draft.reads(model.with_name("cup.obj.json"))
    draft.keep(root=run.root, outputs=[views, sheet], previews=True, views=1,
               said=["1 model"], folders=[(run.dataset, sheet)])  # fmt: skip
    return run


def test_nothing_is_to_be_done_where_all_is_as_it_was(done):
    found = find(done.file)

    assert found is not None
    assert (found.views, found.said) == (1, ["1 model"])
    assert found.folders == [[str(done.dataset), str(done.dataset / "preview.jpg")]]


def change_of_model(done: Done) -> None:
    """As large as before, and as old: `cp --preserve` of another version."""
    model = done.models / "cup.obj"
    known = model.stat()
    model.write_text("v 1 1 1")
    os.utime(model, ns=(known.st_atime_ns, known.st_mtime_ns))


CHANGES = {
    "a model has changed": change_of_model,
    "a model is gone": lambda done: (done.models / "cup.obj").unlink(),
    "a model has come": lambda done: write(done.models / "more/jug.obj", "v 0 0 0"),
    "an author has come": lambda done: write(done.models / "cup.obj.json", "{}"),
    "a picture is gone": lambda done: (done.dataset / "images/a.png").unlink(),
    "a picture is cut off": lambda done: write(done.dataset / "images/a.png", "pic"),
    "records have changed": lambda done: write(done.dataset / "views.jsonl", ""),
    "a list is gone": lambda done: (done.dataset / "views.jsonl").unlink(),
    "the sheet is gone": lambda done: (done.dataset / "preview.jpg").unlink(),
    "a task is unfinished": lambda done: write(done.dataset / ".records/t/1.jsonl", ""),
    "another run is at it": lambda done: write(done.root / ".farm-render", "process 1"),
    "the receipt is half": lambda done: done.file.write_text(done.file.read_text()[:50]),
    "the receipt is of another version": lambda done: done.file.write_text('{"views": 1}'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_plan_is_made_again_where(done, change):
    change(done)

    assert find(done.file) is None


def test_a_view_without_its_previews_is_whole_where_none_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(receipt, "FINE_S", -1.0)
    record = {"files": {}, "previews": {"depth": {"path": "previews/a.png", "size_bytes": 3}}}
    views = write(tmp_path / "out/views.jsonl", json.dumps(record) + "\n")
    for previews in (True, False):
        draft = Draft(tmp_path / f"{previews}.json")
        draft.keep(root=tmp_path / "out", outputs=[views], previews=previews, views=1, said=[],
                   folders=[(tmp_path / "out", None)])  # fmt: skip

    assert find(tmp_path / "True.json") is None
    assert find(tmp_path / "False.json") is not None


def test_views_in_a_shard_are_whole_where_it_is(tmp_path, monkeypatch):
    """Also those of which a pass came later, and lies beside it."""
    monkeypatch.setattr(receipt, "FINE_S", -1.0)
    root = tmp_path / "out"
    shard, later = write(root / "shards/a.tar", "picture"), write(root / "depth/a.exr", "exr")
    record = {
        "files": {
            "rgb": {"path": "shards/a.tar/0/a.rgb.png", "size_bytes": 3},
            "depth": {"path": "depth/a.exr", "size_bytes": 3},
        },
        "shard": {"path": "shards/a.tar", "size_bytes": len("picture")},
    }
    views = write(root / "views.jsonl", json.dumps(record) + "\n")
    draft = Draft(tmp_path / "a.json")
    draft.keep(root=root, outputs=[views], previews=True, views=1, said=[], folders=[(root, None)])

    assert find(tmp_path / "a.json") is not None
    for file, whole in ((shard, "picture"), (later, "exr")):
        write(file, "cut")  # as long as the pass
        assert (find(tmp_path / "a.json") is None) == (file is shard)
        file.unlink()
        assert find(tmp_path / "a.json") is None
        write(file, whole)
        assert find(tmp_path / "a.json") is not None


def test_a_file_that_has_just_changed_may_change_again_unseen(tmp_path):
    """Such a run leaves no receipt; one of files that have rested does."""
    for name, settled in (("new", False), ("old", True)):
        model = write(tmp_path / name, "v 0 0 0")
        draft = Draft(tmp_path / f"{name}.json", began_s=model.stat().st_ctime + settled)
        draft.reads(model)
        draft.keep(root=tmp_path, outputs=[], previews=False, views=1, said=[], folders=[])

    assert find(tmp_path / "new.json") is None
    assert find(tmp_path / "old.json") is not None


def test_whole_seconds_tell_changes_apart_only_after_seconds():
    coarse, fine = 10 * 10**9, 10 * 10**9 + 5

    assert not receipt.is_settled([1, coarse, coarse, 1], at_s=11.0)
    assert receipt.is_settled([1, fine, fine, 1], at_s=11.0)
    assert receipt.is_settled([1, coarse, coarse, 1], at_s=13.0)


def test_what_a_command_depends_on_is_in_its_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keys = [key_of(["render", "a"]), key_of(["render", "b"])]
    monkeypatch.setenv("FARM_THREADS", "1")
    keys.append(key_of(["render", "a"]))
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    keys.append(key_of(["render", "a"]))
    source = write(tmp_path / "code/module.py", "")
    monkeypatch.setattr(receipt, "CODE", tmp_path / "code")
    keys.append(key_of(["render", "a"]))
    source.write_text("changed")
    keys.append(key_of(["render", "a"]))

    assert len(set(keys)) == len(keys)
    assert key_of(["render", "a"]) == keys[-1]


def test_files_that_the_words_of_a_command_name_are_noted(tmp_path):
    spec = write(tmp_path / "spec.yaml", "seed: 1")
    words = write(tmp_path / "words.yaml", "")

    draft = draft_of(["render", str(spec), f"--words={words}", "--seed", "3"], tmp_path)

    assert set(draft.inputs) == {str(spec), str(words)}


def test_only_the_newest_receipts_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(receipt, "KEPT", 2)
    for number in range(4):
        draft = Draft(tmp_path / f"{number}.json")
        draft.keep(root=tmp_path, outputs=[], previews=False, views=1, said=[], folders=[])
        os.utime(tmp_path / f"{number}.json", (number, number))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.json", "3.json"]
