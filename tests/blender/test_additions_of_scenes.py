"""Passes that frames and settled scenes get later: the bytes of those from the start."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farm import expand
from farm.dataset.edits.drop_passes import drop_passes
from farm.dataset.finish import finish_dataset
from farm.dataset.merge import merge
from farm.dataset.reader import Dataset, open_in
from farm.dataset.records.collect import FinishedRun, RunFacts
from farm.dataset.verify.verify import verify
from farm.errors import ChangedViewError, SpecError
from farm.library.found_again import Finder
from farm.local.plan.prepare import prepare
from farm.spec.job import JobSpec
from farm.storage import FolderStorage
from tests.blender.sequences.test_time import SLIDE, TURN, animated, write
from tests.support.blender.additions import add_passes
from tests.support.blender.scenes import write_sky
from tests.support.blender.shots import OurLease
from tests.support.blender.simulated import cloth, write_simulated
from tests.support.blender.street_scene import write_street
from tests.support.tabletop import box, write_obj, write_things, write_words
from worker.assets.products import StoredProducts, Workshop
from worker.render.task import render_task

SMALL = {"resolution": 64, "samples": 4}


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("street") / "street.blend")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """What stands on tables, and what is beside; returned as fields of a spec."""
    folder = tmp_path_factory.mktemp("table")
    things = folder / "things"
    write_things(things, colours=("red", "blue"))
    write_words(folder / "words.yaml", things)
    write_obj(folder / "bar.obj", box(0.05, 0.03, 0.02), (0.3, 0.3, 0.3))
    Image.fromarray(np.full((8, 8, 3), (150, 100, 60), np.uint8)).save(folder / "oak.png")
    sky = np.full((8, 16, 3), (0.4, 0.5, 0.7), dtype=np.float32)
    skies = [write_sky(folder / f"{name}.exr", sky * gain).path for name, gain in
             (("day", 1.0), ("dusk", 0.3))]  # fmt: skip
    return {
        "recipe": {"kind": "tabletop", "words": str(folder / "words.yaml"), "scenes": 1,
                   "views": 2, "skies": 2, "per_scene": [3, 4], "min_visible": 1,
                   "visible_px": 10, "copies": [2, 2],
                   "randomise": {"materials": {}, "distractors": {"count": 3}}},
        "objects": [str(things)],
        "distractors": [str(folder / "bar.obj")],
        "textures": [str(folder / "oak.png")],
        "hdrs": skies,
    }  # fmt: skip


@pytest.fixture
def work(blender):
    """Work on tasks of a folder."""

    def run(storage: FolderStorage, tasks) -> None:
        folder = storage.root.with_name(f"{storage.root.name} scratch")
        workshop = Workshop(StoredProducts(storage, folder), folder)
        for task in tasks:
            render_task(
                task, session=blender, storage=storage, attempt=1, worker="w", lease=OurLease(),
                workshop=workshop,
            )  # fmt: skip

    return run


@pytest.fixture
def rendered(work, tmp_path):
    """Render a spec with some passes and return the dataset."""

    def run(spec: dict, *passes: str, name="ds") -> Dataset:
        spec = {"render": SMALL, **spec, "passes": list(passes)}
        job, _ = prepare(JobSpec.model_validate(spec), base=Path("/"))
        storage = FolderStorage(tmp_path / name)
        work(storage, expand.expand(job))
        for product in expand.products(job):
            storage.delete_tree(product)
        facts = RunFacts(name=name, spec=job.spec.model_dump(mode="json"), tasks=1, seconds=1.0)
        finish_dataset(storage, "", FinishedRun(facts, lambda _task: True, print))
        return open_in(storage)

    return run


@pytest.fixture
def add(work):
    """Add passes to a dataset and return it anew, with the passes by which it was proven."""

    def run(data: Dataset, *passes: str, assets: Path | None = None):
        return add_passes(data, passes, work, assets=assets)

    return run


def files_of(data: Dataset) -> dict[str, dict[str, bytes]]:
    return {view.name: {name: view.data(name) for name in view.passes} for view in data}


def told_by(data: Dataset) -> list[dict[str, object]]:
    """What records tell of views beside their files."""
    fields = {"view", "objects", "indices", "materials", "values", "camera", "expressions"}
    return [view.record.model_dump(mode="json", include=fields) for view in data]


def films(street: Path, **recipe) -> dict:
    return {
        "recipe": {"kind": "sequence", "frames": 3, "frame_start": 10, **recipe},
        "scenes": [str(street)],
    }


LED = ("depth", "index", "flow_forward", "flow_backward_valid", "scene_flow_forward", "tracks")


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param({}, id="the file's camera"),
        pytest.param({"keyframe_multiplier": [1, 2.5], "sequences_per_scene": 2}, id="slow motion"),
        pytest.param({"camera": "orbit"}, id="a camera of ours"),
        pytest.param({"randomise": {"lights": {}, "exposure": {}}}, id="lamps by chance"),
    ],
)
def test_frames_get_what_they_would_have_had_at_once(rendered, add, street, recipe):
    """Flow leads to neighbours, and tracks follow their points, as in the job that was."""
    data = rendered(films(street, **recipe), "rgb", "mask")

    data, proofs = add(data, *LED)

    assert set(proofs) == {("rgb", "mask")}
    at_once = rendered(films(street, **recipe), "rgb", "mask", *LED, name="at once")
    assert files_of(data) == files_of(at_once)
    assert told_by(data) == told_by(at_once)
    assert verify(data, workers=1).wrong == 0


def test_each_animation_of_a_file_is_played_again(rendered, add, tmp_path):
    """Their frames have the same numbers, and no record says which it shows."""
    spec = films(write(tmp_path, animated(("slide", [SLIDE]), ("turn", [TURN]))).path,
                 frames=2, frame_start=12, frame_end=13, camera="orbit")  # fmt: skip
    data = rendered(spec, "rgb", "mask")

    data, _ = add(data, "flow_forward")

    assert len({view.record.view.moment.sequence for view in data}) == 2
    assert files_of(data) == files_of(rendered(spec, "rgb", "mask", "flow_forward", name="at once"))


def test_pictures_of_an_open_shutter_come_later_where_there_is_one(rendered, add, street):
    opened = films(street, shutter=0.5, subframes=2)
    data = rendered(opened, "rgb", "blur")

    data, proofs = add(data, "rolling_shutter", "events", "depth")

    assert proofs == [("rgb",)]
    assert files_of(data) == files_of(
        rendered(opened, "rgb", "blur", "rolling_shutter", "events", "depth", name="at once")
    )
    with pytest.raises(SpecError, match="blur: is made while a shutter is open"):
        add(rendered(films(street), "rgb", name="closed"), "blur")


def test_what_moves_by_physics_is_baked_once_more(rendered, add, blender, tmp_path):
    blender.free_model()  # whose names the scene would otherwise not get
    spec = films(Path(write_simulated(tmp_path / "cloth.blend", cloth).path), frame_start=4)
    data = rendered(spec, "rgb", "mask")

    data, _ = add(data, "depth", "normal")

    at_once = rendered(spec, "rgb", "mask", "depth", "normal", name="at once")
    assert files_of(data) == files_of(at_once)


def test_a_depth_proves_frames_by_one_sample_and_what_was_dropped_comes_back(rendered, add, street):
    data = rendered(films(street), "rgb", "mask", "depth", "normal", "index")
    before = files_of(data)

    drop_passes(data, frozenset({"normal", "index"}))
    data, proofs = add(open_in(data.storage), "normal", "index")

    assert proofs == [("depth",)]
    assert files_of(data) == before


def test_merged_frames_get_passes_under_their_new_names(rendered, add, street, tmp_path):
    """Each as its own spec says: one has twice as many frames."""
    parts = [
        rendered(films(street), "rgb", name="a"),
        rendered(films(street, keyframe_multiplier=[2]), "rgb", name="b"),
    ]
    out = FolderStorage(tmp_path / "all")
    merge(parts, out, prefix=True)

    data, _ = add(open_in(out), "flow_forward")

    assert len(data) == 6
    for part in parts:
        added, _ = add(part, "flow_forward")
        for name, files in files_of(added).items():
            assert files_of(data)[f"{part.storage.root.name}_{name}"] == files


@pytest.mark.parametrize("pack", ["files", "webdataset", "parquet"])
def test_settled_scenes_get_what_they_would_have_had_at_once(rendered, add, table, pack):
    """Nothing settles again: where things stand is in the records."""
    spec = {**table, "render": {**SMALL, "pack": pack}}
    spec["recipe"] = {**table["recipe"], "expressions": {"per_view": 0}}
    wanted = ("depth", "normal", "index", "amodal", "diffuse")
    data = rendered(spec, "rgb", "mask")

    data, proofs = add(data, *wanted)

    assert proofs == [("rgb", "mask")]
    at_once = rendered(spec, "rgb", "mask", *wanted, name="at once")
    assert files_of(data) == files_of(at_once)
    assert told_by(data) == told_by(at_once)
    assert verify(data, workers=1).wrong == 0


def test_sentences_stay_where_the_depth_proves_a_settled_scene(rendered, add, table):
    """What is measured of colours hangs on the samples: it is not measured again."""
    data = rendered(table, "rgb", "mask")
    before = told_by(data)

    data, proofs = add(data, "normal", "amodal")

    assert proofs == [("depth", "index")]
    for view, told in zip(data, before, strict=True):
        assert view.record.expressions
        assert view.record.model_dump(mode="json")["expressions"] == told["expressions"]
        colours = [label.attributes and label.attributes.colour for label in view.record.objects]
        assert colours == [
            each.get("attributes") and each["attributes"]["colour"] for each in told["objects"]
        ]


def test_a_changed_scene_is_refused_before_anything_is_added(
    rendered, add, street, table, tmp_path
):
    own = tmp_path / "street.blend"
    own.write_bytes(street.read_bytes())
    data = rendered(films(own), "rgb", "mask")
    own.write_bytes(write_street(tmp_path / "other.blend", "cube.scale = (2, 1, 1)").read_bytes())
    before = files_of(data)

    with pytest.raises(SpecError, match=r"street.blend has other bytes than when its views"):
        add(data, "depth")
    listing = data.storage.root / "views.jsonl"
    [was] = {view.record.assets[0].sha256 for view in data}
    now = Finder()._hash(own)
    listing.write_text(listing.read_text().replace(was, now))
    with pytest.raises(ChangedViewError, match=r"(mask|rgb) differs at .*nothing is added"):
        add(open_in(data.storage), "depth")

    assert files_of(open_in(data.storage)) == before


def test_a_thing_that_a_record_has_elsewhere_is_refused(rendered, add, table):
    data = rendered(table, "rgb", "mask", "depth")
    listing = data.storage.root / "views.jsonl"
    lines = [json.loads(line) for line in listing.read_text().splitlines()]
    for line in lines:
        line["objects"][1]["world_from_file"][0][3] += 0.05
    listing.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    before = files_of(open_in(data.storage))

    with pytest.raises(ChangedViewError, match=r"differs at .*nothing is added"):
        add(open_in(data.storage), "normal")

    assert files_of(open_in(data.storage)) == before


def test_frames_that_nothing_proves_or_whose_scene_has_other_frames_are_refused(
    rendered, add, street
):
    with pytest.raises(SpecError, match=r"none of its passes \(mask\) proves what it shows"):
        add(rendered(films(street), "mask", name="masks"), "depth")
    data = rendered(films(street), "rgb")
    about = data.storage.root / "dataset.json"
    about.write_text(about.read_text().replace('"frame_start": 10', '"frame_start": 11'))

    with pytest.raises(SpecError, match="cannot be found again among the frames of its scene"):
        add(open_in(data.storage), "depth")
