"""Passes that views get later: the same bytes as from the start, and only for the same views."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from farm.dataset.edits.drop_passes import drop_passes
from farm.dataset.finish import finish_dataset
from farm.dataset.merge import merge
from farm.dataset.reader import Dataset, open_in
from farm.dataset.records.collect import FinishedRun, RunFacts
from farm.dataset.verify.verify import verify
from farm.errors import ChangedViewError, SpecError
from farm.spec.job import JobSpec
from farm.spec.passes import PassName
from farm.spec.render import preset_of
from farm.storage import FolderStorage
from tests.support.blender.additions import add_passes
from tests.support.blender.scenes import add_box
from tests.support.blender.shots import OurLease, some_view, task_of
from worker.render.task import render_task

LABELS: tuple[PassName, ...] = ("depth", "normal", "index", "uv")
LIT: tuple[PassName, ...] = ("diffuse", "albedo", "foreground", "background", "linear")
SETTINGS = {"models": ["a.blend"], "hdrs": ["a.exr"]}


@pytest.fixture
def rendered(blender, statue, sky, tmp_path):
    """Render two views with some passes and return the dataset."""

    def run(*passes: PassName, model=statue, name="ds", ground="none", **render) -> Dataset:
        views = [some_view(index=at, yaw=40.0 * at, strength=1.3, seed=at) for at in range(2)]
        settings = {"samples": 5, "view_transform": "Filmic", **render}
        task = task_of(model, sky, *views, **settings)
        setup = task.setup.model_copy(update={"ground": ground})
        task = task.model_copy(update={"passes": passes, "dataset": "", "setup": setup})
        storage = FolderStorage(tmp_path / name)
        work(blender, task, storage)
        kept = ("view_transform", "bit_depth", "exposure")
        spec = JobSpec.model_validate(
            SETTINGS
            | {"passes": passes, "recipe": {"ground": ground}}
            | {"render": {field: getattr(task.render, field) for field in kept}}
        )
        facts = RunFacts(name=name, spec=spec.model_dump(mode="json"), tasks=1, seconds=1.0)
        finish_dataset(storage, "", FinishedRun(facts, lambda _task: True, print))
        return open_in(storage)

    return run


def work(blender, task, storage: FolderStorage) -> None:
    render_task(task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease())


@pytest.fixture
def add(blender):
    """Add passes to a dataset and return it anew, with the passes by which it was proven."""

    def work_on(storage, tasks) -> None:
        for task in tasks:
            work(blender, task, storage)

    def run(data: Dataset, *passes: PassName, assets: Path | None = None, any_blender=False):
        return add_passes(data, passes, work_on, assets=assets, any_blender=any_blender)

    return run


def files_of(data: Dataset) -> dict[str, dict[PassName, bytes]]:
    return {view.name: {name: view.data(name) for name in view.passes} for view in data}


@pytest.mark.parametrize(
    ("has", "proof"),
    [
        (("rgb", "mask"), ("mask",)),
        (("rgb", "mask", "index"), ("index",)),
        (("depth", "index", "mask"), ("depth", "index")),
        (("rgb",), ("rgb",)),
        (("linear",), ("linear",)),
        (("foreground",), ("foreground",)),
        (("albedo",), ("albedo",)),
    ],
)
def test_labels_that_come_later_are_those_that_come_at_once(rendered, add, has, proof):
    missing = tuple(name for name in LABELS if name not in has)
    data = rendered(*has)
    before = files_of(data)

    data, proofs = add(data, *LABELS)

    assert proofs == [proof]
    at_once = files_of(rendered(*has, *missing, name="at once"))
    assert files_of(data) == at_once
    for name, files in at_once.items():
        assert files.keys() - before[name].keys() == set(missing)
    record = data[0].record
    assert record.added.keys() == set(missing)
    assert record.added["uv"].proof == proof
    assert [label.name for label in record.indices] == [
        label.name
        for label in open_in(FolderStorage(data.storage.root.parent / "at once"))[0].record.indices
    ]


def test_what_depends_on_light_is_proven_by_the_picture(rendered, add, lantern):
    """Its light is set, not multiplied, and the samples of the mask are those of the picture."""
    data = rendered("rgb", "mask", model=lantern)

    data, proofs = add(data, *LIT)

    assert proofs == [("rgb", "mask")]
    at_once = files_of(rendered("rgb", "mask", *LIT, model=lantern, name="at once"))
    assert files_of(data) == at_once


@pytest.mark.parametrize("pack", ["files", "webdataset", "parquet"])
def test_pictures_of_any_kind_are_proof_wherever_they_lie(rendered, add, pack):
    """Of a view in a shard, what is added lies beside the shard."""
    settings = {"format": "jxl", "bit_depth": 16, "background": "looked_up", "denoise": True}
    data = rendered("rgb", "mask", pack=pack, **settings)

    data, proofs = add(data, "specular", "depth")

    assert proofs == [("rgb", "mask")]
    assert {view.passes for view in data} == {("rgb", "mask", "specular", "depth")}
    assert all(view["depth"].shape == (64, 64) for view in data)
    assert verify(data, workers=1).wrong == 0


@pytest.mark.parametrize("quality", ["draft", "standard", "reference", "auto"])
def test_pictures_of_a_named_quality_are_proof(rendered, add, quality):
    preset = preset_of(quality, high=False)._asdict() | {"samples": 5}
    data = rendered("rgb", "mask", quality=quality, **preset)

    data, proofs = add(data, "diffuse", "depth")

    assert proofs == [("rgb", "mask")]
    assert {view.record.quality for view in data} == {quality}
    assert {view.passes for view in data} == {("rgb", "mask", "diffuse", "depth")}


@pytest.mark.parametrize("how", [{"exposure": "auto"}, {"exposure": -1.5}, {"ground": "picture"}])
def test_pictures_are_metered_and_grounded_as_they_were(rendered, add, how):
    ground = ("shadow",) if "ground" in how else ()
    data = rendered("rgb", "mask", *ground, **how)

    data, proofs = add(data, "diffuse", "depth")

    assert proofs == [("rgb", "mask")]
    at_once = rendered("rgb", "mask", *ground, "diffuse", "depth", name="at once", **how)
    assert files_of(data) == files_of(at_once)


def test_pixels_that_stopped_early_are_proven_with_their_picture(rendered, add):
    data = rendered("rgb", "mask", noise_threshold=0.4, samples=40)

    data, proofs = add(data, "depth")

    assert proofs == [("rgb", "mask")]
    assert {view.passes for view in data} == {("rgb", "mask", "depth")}


def test_views_without_light_need_no_hdri_and_models_may_be_elsewhere(
    rendered, add, statue, tmp_path
):
    data = rendered("rgb", "mask")
    lines = (data.storage.root / "views.jsonl").read_text()
    gone = lines.replace(str(Path(statue.path).parent), "/gone").replace("sky.exr", "gone.exr")
    (data.storage.root / "views.jsonl").write_text(gone)
    elsewhere = tmp_path / "moved" / "deeper"
    elsewhere.mkdir(parents=True)
    (elsewhere / "renamed.blend").write_bytes(Path(statue.path).read_bytes())
    (elsewhere / "other.blend").write_bytes(b"x" * statue.size_bytes)

    with pytest.raises(SpecError, match=r"statue.blend: is not at /gone.*--assets"):
        add(open_in(data.storage), "depth")
    only = tmp_path / "only"
    only.mkdir()
    (only / "a.blend").write_bytes(b"x" * statue.size_bytes)
    with pytest.raises(SpecError, match=r"statue.blend: .*other bytes"):
        add(open_in(data.storage), "depth", assets=only)
    data, _ = add(open_in(data.storage), "depth", assets=tmp_path / "moved")

    assert data[0].passes == ("rgb", "mask", "depth")
    assert data[0].record.assets[0].path.startswith("/gone")  # what rendered it, not what added


@pytest.mark.parametrize(
    ("what", "value", "told"),
    [
        (("camera", "yaw_deg"), 40.5, "camera would stand elsewhere"),
        (("seed",), 99, "mask differs at"),
    ],
)
def test_a_view_that_comes_out_differently_gets_nothing(rendered, add, what, value, told):
    data = rendered("rgb", "mask")
    listing = data.storage.root / "views.jsonl"
    lines = [json.loads(line) for line in listing.read_text().splitlines()]
    place = lines[1]["view"]
    for key in what[:-1]:
        place = place[key]
    place[what[-1]] = value
    listing.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    before = files_of(open_in(data.storage))

    with pytest.raises(ChangedViewError, match=rf"view_1: its {told}.*nothing is added"):
        add(open_in(data.storage), "depth")

    after = files_of(open_in(data.storage))
    assert after["view_1"] == before["view_1"]
    assert after["view_0"].keys() == {"rgb", "mask", "depth"}
    assert not (data.storage.root / "depth" / "view_1.exr").exists()


def test_a_model_whose_shape_has_changed_beside_its_file_is_found_out(
    rendered, add, write_blend, tmp_path
):
    data = rendered("depth", "mask", model=write_blend(lambda scene: add_box(scene)))
    listing = data.storage.root / "views.jsonl"
    other = write_blend(lambda scene: add_box(scene, size=(1.0, 1.0, 1.5)))
    [old] = {view.record.assets[0].sha256 for view in data}
    listing.write_text(listing.read_text().replace(old, other.sha256))

    with pytest.raises(ChangedViewError, match=r"depth differs at .* pixels"):
        add(open_in(data.storage), "index")

    assert {view.passes for view in open_in(data.storage)} == {("depth", "mask")}


def test_another_blender_is_refused_unless_any_will_do(rendered, add):
    data = rendered("depth", "mask")
    listing = data.storage.root / "views.jsonl"
    record = data[0].record
    listing.write_text(listing.read_text().replace(record.versions["blender"], "4.9.0"))

    with pytest.raises(ChangedViewError, match=r"Blender 4\.9\.0, and this is .*--any-blender"):
        add(open_in(data.storage), "index")
    data, _ = add(open_in(data.storage), "index", any_blender=True)

    assert data[0].record.versions["blender"] == "4.9.0"
    assert data[0].record.added["index"].versions["blender"] == record.versions["blender"]


def test_merged_datasets_get_passes_under_their_new_names(rendered, add, tmp_path):
    parts = [rendered("rgb", "mask", name="a"), rendered("rgb", "mask", name="b", samples=7)]
    out = FolderStorage(tmp_path / "all")
    merge(parts, out, prefix=True)

    data, _ = add(open_in(out), "depth")

    assert [view.name for view in data] == ["a_view_0", "a_view_1", "b_view_0", "b_view_1"]
    assert all(view.passes == ("rgb", "mask", "depth") for view in data)
    assert data[0].record.files["depth"].path == "depth/a_view_0.exr"


def test_dropped_passes_are_gone_and_come_back_the_same(rendered, add):
    data = rendered("rgb", "mask", *LABELS)
    before = files_of(data)

    dropped = drop_passes(data, frozenset({"depth", "index"}))

    assert (dropped.views, dropped.files) == (2, 8)  # and their previews
    data = open_in(data.storage)
    assert {view.passes for view in data} == {("rgb", "mask", "normal", "uv")}
    assert not (data.storage.root / "depth").exists()
    assert data.summaries[""].passes == ("uv", "rgb", "normal", "mask")
    assert drop_passes(data, frozenset({"depth", "index"})) == (0, 0, 0)
    data, _ = add(data, "depth", "index")
    assert files_of(data) == before
    with pytest.raises(SpecError, match="without any pass"):
        drop_passes(data, frozenset(data[0].passes))


def test_views_are_rendered_again_where_a_pass_that_is_asked_for_was_dropped(rendered, blender):
    data = rendered("rgb", "mask", "depth")
    drop_passes(data, frozenset({"depth"}))

    data = rendered("rgb", "mask", "depth")

    assert {view.passes for view in data} == {("rgb", "mask", "depth")}
