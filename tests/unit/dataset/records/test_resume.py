import pytest

from farm import expand, products
from farm.dataset.records.resume import find_finished, seed_partial_tasks
from farm.errors import SpecError
from farm.expand import recipe
from farm.spec.recipes.sod import SodGrid
from farm.spec.record import AddedPass
from farm.spec.render import RenderSettings
from farm.spec.task import dataset_key, records_key, view_id
from farm.storage import FolderStorage
from tests.builders import a_job, a_record
from tests.support.baking import BakingExpansion, keep


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


@pytest.fixture
def job():
    return a_job(models=1, hdrs=2, recipe=SodGrid(yaw=3, pitch=2), views_per_task=3)


def render(storage, task, views, *, later=()):
    """Leave behind what a worker would: files and records, and passes that came later."""
    lines = []
    for view in views:
        record = a_record(
            view, view_id=view_id(task, view), model=task.assets[0], hdr=task.assets[1]
        )
        for file, data in zip(record.files.values(), (b"picture", b"mask"), strict=True):
            storage.put(dataset_key(task.dataset, file.path), data)
        files = record.files | dict.fromkeys(later, record.files["mask"])
        added = dict.fromkeys(
            later, AddedPass(proof=("mask",), samples=1, device="cpu", versions={})
        )
        record = record.model_copy(update={"files": files, "added": added})
        lines.append(record.model_dump_json().encode() + b"\n")
    storage.put(records_key(task), b"".join(lines))


def no_notes(sentence):
    raise AssertionError(sentence)


def test_nothing_is_finished_at_first(storage, job):
    found = find_finished(job, storage, no_notes)

    assert (found.views, found.tasks, found.partial) == (0, [], {})


def test_whole_and_partial_tasks_are_told_apart(storage, job):
    whole, partial = expand.render_task(job, 0), expand.render_task(job, 3)
    render(storage, whole, whole.views)
    render(storage, partial, partial.views[1:])

    found = find_finished(job, storage, no_notes)

    assert found.views == 5
    assert found.tasks == [0]
    assert {index: len(lines) for index, lines in found.partial.items()} == {1: 0, 2: 0, 3: 2}


def test_a_view_whose_file_is_gone_or_cut_is_not_finished(storage, job):
    task = expand.render_task(job, 0)
    render(storage, task, task.views)
    storage.put(dataset_key(task.dataset, f"images/{task.views[0].name}.png"), b"pict")
    storage.delete(dataset_key(task.dataset, f"masks/{task.views[1].name}.png"))

    found = find_finished(job, storage, no_notes)

    assert found.views == 1
    assert found.tasks == []


def test_the_worker_of_a_partial_task_is_told_what_to_skip(storage, job):
    task = expand.render_task(job, 0)
    render(storage, task, task.views)
    storage.delete(dataset_key(task.dataset, f"masks/{task.views[1].name}.png"))

    seed_partial_tasks(job, storage, find_finished(job, storage, no_notes).partial)

    told = (storage.get(records_key(task)) or b"").decode()
    assert [view.name in told for view in task.views] == [True, False, True]


def test_pictures_of_another_spec_are_never_overwritten(storage, job):
    task = expand.render_task(job, 0)
    render(storage, task, task.views)
    other = a_job(
        models=1, hdrs=2, recipe=SodGrid(yaw=3, pitch=2, fit=True), views_per_task=3
    )  # fmt: skip

    with pytest.raises(SpecError, match=r"choose another --output or --dataset-name"):
        find_finished(other, storage, no_notes)


def small_job(*passes, **recipe):
    """Of pictures as the records of builders tell them."""
    return a_job(
        recipe=SodGrid(yaw=3, pitch=2, **recipe),
        render=RenderSettings(resolution=64, samples=1),
        passes=passes,
    )


def render_first(storage):
    task = expand.render_task(small_job("rgb", "mask"), 0)
    render(storage, task, task.views)
    return task.views[0].name


def test_pictures_of_another_spec_are_not_overwritten_for_one_more_pass(storage):
    render_first(storage)

    with pytest.raises(SpecError, match=r"\(made with other settings\); choose another --output"):
        find_finished(small_job("rgb", "mask", "depth", fit=True), storage, no_notes)


def test_views_that_lack_a_pass_alone_are_to_get_it_by_its_command(storage):
    name = render_first(storage)

    with pytest.raises(SpecError) as caught:
        find_finished(small_job("rgb", "mask", "depth", "index"), storage, no_notes)

    assert str(caught.value).endswith(
        f"already holds another {name} (passes rgb,mask, not rgb,mask,depth,index); "
        "`farm add-passes DATASET depth,index` adds what it lacks; or choose another --output or "
        "--dataset-name, or remove the old dataset"
    )


def test_passes_that_came_later_are_not_missed(storage):
    task = expand.render_task(small_job("rgb", "mask"), 0)
    render(storage, task, task.views, later=("depth",))

    with pytest.raises(SpecError) as caught:
        find_finished(small_job("rgb", "mask", "depth"), storage, no_notes)

    assert "it got depth later, so that none is missing; for another dataset choose" in str(
        caught.value
    )


def test_a_pass_that_is_not_asked_for_is_told(storage):
    render_first(storage)

    with pytest.raises(SpecError, match=r"\(passes rgb,mask, not rgb\); choose another --output"):
        find_finished(small_job("rgb"), storage, no_notes)


@pytest.fixture
def baking(monkeypatch):
    """A job of a maker and four tasks that wait for it."""
    expansion = BakingExpansion()
    monkeypatch.setattr(recipe, "expansion_of", lambda name: expansion)
    return a_job(models=1, hdrs=2, recipe=SodGrid(yaw=3, pitch=2), views_per_task=3)


def make(storage, job, folder):
    folder.mkdir()
    (folder / "poses.json").write_text("[1]")
    keep(storage, expand.render_task(job, 0).product, folder)


def test_a_task_without_views_is_not_done_by_itself(storage, baking):
    assert find_finished(baking, storage, no_notes).tasks == []


def test_a_maker_is_done_when_its_product_is_whole(storage, baking, tmp_path):
    make(storage, baking, tmp_path / "made")
    found = find_finished(baking, storage, no_notes)
    assert (found.tasks, found.views, found.views_of_tasks) == ([0], 0, 0)
    assert 0 not in found.partial

    [file] = products.read_manifest(storage, expand.render_task(baking, 0).product).files
    storage.delete(f"{expand.render_task(baking, 0).product}/{file.sha256}")
    assert find_finished(baking, storage, no_notes).tasks == []


def test_nothing_is_made_for_views_that_are_there(storage, baking):
    tasks = list(expand.expand(baking))[1:]
    for task in tasks[:-1]:
        render(storage, task, task.views)
    assert find_finished(baking, storage, no_notes).tasks == [1, 2, 3]
    render(storage, tasks[-1], tasks[-1].views)

    assert find_finished(baking, storage, no_notes).tasks == [0, 1, 2, 3, 4]
