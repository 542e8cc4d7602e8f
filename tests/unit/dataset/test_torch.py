"""A dataset as tensors: right values, in any process, and a network that learns from them."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, DistributedSampler

import farm.dataset
from farm.dataset.reader import DatasetError
from farm.dataset.splits.split import split_dataset
from farm.dataset.torch import ViewDataset, resized, tensor_of
from tests.support.datasets import write_dataset
from tests.support.sequences import write_sequences
from tests.support.snippets import run_snippet
from tests.support.table_views import BLUE_MUG, GREEN_BOWL, RED_MUG, write_table_views
from tests.support.toy_scene import with_toy, write_scene


@pytest.fixture(scope="module")
def balls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("balls")
    write_dataset(folder, views=8, models=2)
    return folder


def test_arrays_are_tensors_by_name_and_places_scale_with_the_picture(tmp_path):
    write_sequences(tmp_path, sequences=1, frames=3, passes=("rgb", "tracks"))
    rows = farm.dataset.open(tmp_path)[1]["tracks"]
    data = ViewDataset(tmp_path, ("rgb", "tracks"), size=(32, 64))
    [batch] = DataLoader(data, batch_size=3)
    found = {name: values[1] for name, values in batch["tracks"].items()}
    np.testing.assert_allclose(found["px"].numpy(), rows["px"] * [0.5, 1.0])
    np.testing.assert_array_equal(found["world"].numpy(), rows["world"])
    assert found["id"].dtype == torch.int64
    assert found["visible"].dtype == torch.bool
    assert batch["rgb"].shape == (3, 3, 64, 32)


@pytest.mark.parametrize(("suffix", "bits"), [("png", 8), ("png", 16), ("jxl", 8), ("jxl", 16)])
def test_tensors_hold_what_the_files_hold(tmp_path, suffix, bits):
    write_dataset(tmp_path, views=1, picture_format=suffix, bit_depth=bits)
    view = farm.dataset.open(tmp_path)[0]
    names = ("rgb", "mask", "depth", "normal", "index", "flow_forward", "cryptomatte")

    sample = ViewDataset(tmp_path, names)[0]
    raw = ViewDataset(tmp_path, ("rgb", "mask"), scale=False)[0]

    assert sample["name"] == view.key
    assert {name: tuple(sample[name].shape) for name in names} == {
        "rgb": (3, 48, 64), "mask": (1, 48, 64), "depth": (1, 48, 64), "normal": (3, 48, 64),
        "index": (48, 64), "flow_forward": (2, 48, 64),
        "cryptomatte": (view["cryptomatte"].shape[-1], 48, 64),
    }  # fmt: skip
    most = 2**bits - 1
    np.testing.assert_allclose(
        sample["rgb"].permute(1, 2, 0).numpy(), view["rgb"] / most, atol=1e-6
    )
    np.testing.assert_allclose(sample["mask"][0].numpy(), view["mask"] / most, atol=1e-6)
    np.testing.assert_array_equal(sample["depth"][0].numpy(), view["depth"])
    np.testing.assert_array_equal(sample["normal"].permute(1, 2, 0).numpy(), view["normal"])
    np.testing.assert_array_equal(sample["index"].numpy(), view["index"])
    assert sample["index"].dtype == torch.int64
    assert raw["rgb"].dtype == {8: torch.uint8, 16: torch.uint16}[bits]
    np.testing.assert_array_equal(raw["rgb"].permute(1, 2, 0).numpy(), view["rgb"])


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_of_any_kind_give_each_view_once_an_epoch(balls, start):
    names = {view.key for view in farm.dataset.open(balls)}
    loader = DataLoader(
        ViewDataset(balls), batch_size=3, shuffle=True, num_workers=2, persistent_workers=True,
        multiprocessing_context=start,
    )  # fmt: skip

    epochs = [[name for batch in loader for name in batch["name"]] for _epoch in range(2)]

    assert [set(epoch) for epoch in epochs] == [names, names]
    assert [len(epoch) for epoch in epochs] == [8, 8]


def test_ranks_share_the_views(balls):
    views = ViewDataset(balls, ("mask",))
    ranks = [
        DataLoader(views, sampler=DistributedSampler(views, num_replicas=2, rank=rank, seed=3))
        for rank in range(2)
    ]

    first, second = ([name for batch in rank for name in batch["name"]] for rank in ranks)

    assert len(first) == len(second) == 4
    assert set(first) | set(second) == {view.key for view in views.data}


def test_what_goes_to_a_worker_is_small(tmp_path, balls):
    """Places of views, not views: eight bytes each, which forked workers share."""
    record = json.loads((balls / "views.jsonl").read_bytes().splitlines()[0])
    with (tmp_path / "views.jsonl").open("w") as file:
        for number in range(5000):
            record["view_id"], record["view"]["name"] = f"{number:064x}", f"ball_{number}"
            for name, kept in record["files"].items():
                kept["path"] = f"{name}/{number}.png"
            file.write(json.dumps(record) + "\n")

    views = ViewDataset(tmp_path)

    assert len(views) == 5000
    assert len(pickle.dumps(views)) < 5000 * 8 + 2000


def test_views_of_several_sizes_make_a_batch_at_one_size(tmp_path):
    write_dataset(tmp_path / "a", views=1, size=(64, 48))
    write_dataset(tmp_path / "b", views=1, size=(40, 40))

    with pytest.raises(RuntimeError, match="equal size"):
        next(iter(DataLoader(ViewDataset(tmp_path), batch_size=2)))
    names = ("rgb", "mask", "depth", "index")
    (batch,) = DataLoader(ViewDataset(tmp_path, names, size=(32, 24)), batch_size=2)

    assert [tuple(batch[name].shape) for name in names] == [
        (2, 3, 24, 32), (2, 1, 24, 32), (2, 1, 24, 32), (2, 24, 32),
    ]  # fmt: skip
    assert batch["name"] == [view.key for view in farm.dataset.open(tmp_path)]


def test_pictures_are_averaged_and_labels_are_not():
    mask = tensor_of(np.array([[0, 255], [255, 255]] * 2, dtype=np.uint8), "mask")
    index = tensor_of(np.arange(16, dtype=np.uint16).reshape(4, 4), "index")
    depth = tensor_of(np.array([[1, np.inf], [np.inf, np.inf]], dtype=np.float32), "depth")
    flow = tensor_of(np.full((4, 4, 2), 8, dtype=np.float32), "flow_forward")

    torch.testing.assert_close(resized(mask, "mask", (1, 1)), torch.full((1, 1, 1), 0.75))
    assert resized(index, "index", (2, 2)).tolist() == [[5, 7], [13, 15]]
    assert set(resized(depth, "depth", (4, 4)).flatten().tolist()) == {1.0, float("inf")}
    assert resized(flow, "flow_forward", (2, 1))[:, 0, 0].tolist() == [4.0, 2.0]
    raw = tensor_of(np.full((4, 4), 65535, dtype=np.uint16), "mask", scale=False)
    small = resized(raw, "mask", (3, 3))
    assert small.dtype == torch.uint16
    assert int(small.int().min()) == 65535


def test_a_transform_makes_the_sample(balls):
    views = ViewDataset(balls, ("mask",), transform=lambda sample: sample["mask"].mean())

    assert 0 < float(views[0]) < 1


def test_one_split_can_be_trained_on(tmp_path):
    write_dataset(tmp_path, views=12, models=4, passes=("mask",))
    shares = {"train": 0.5, "test": 0.5}
    split_dataset(farm.dataset.open(tmp_path), shares=shares, by="model", seed=1)

    parts = [ViewDataset(tmp_path, ("mask",), split=split) for split in shares]

    assert [len(part) for part in parts] == [6, 6]
    assert {part[at]["name"] for part in parts for at in range(6)} == {
        view.key for view in farm.dataset.open(tmp_path)
    }


def test_a_pass_that_is_not_there_is_named_at_once(tmp_path):
    write_dataset(tmp_path, views=1, passes=("rgb", "mask"))

    with pytest.raises(DatasetError, match="has no pass 'depth'; it has rgb, mask"):
        ViewDataset(tmp_path, ("rgb", "depth"))


def test_the_page_about_training_is_right(balls, tmp_path, monkeypatch):
    (tmp_path / "datasets").symlink_to(balls)
    monkeypatch.chdir(tmp_path)
    seen = []

    run_snippet("docs/train.md", under="PyTorch", step=lambda *batch: seen.append(batch))

    ((rgb, mask),) = seen
    assert (rgb.shape, mask.shape) == ((8, 3, 256, 256), (8, 1, 256, 256))


def test_the_first_page_is_right(balls, tmp_path, monkeypatch):
    (tmp_path / "datasets").symlink_to(balls)
    monkeypatch.chdir(tmp_path)

    names = run_snippet("README.md", under="Look at it, train on it")

    assert isinstance(names["loader"], DataLoader)
    assert next(iter(names["loader"]))["rgb"].shape == (8, 3, 256, 256)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Views of real models where `FARM_RENDERS` is a `farm` that can render, else of balls."""
    folder = tmp_path_factory.mktemp("rendered")
    farm_command = os.environ.get("FARM_RENDERS")
    if not farm_command:
        write_dataset(folder / "dataset", views=24, models=3, passes=("rgb", "mask"))
        return folder / "dataset"
    for command in (
        ["samples", folder / "assets"],
        ["render", "--models", folder / "assets/models", "--hdrs", folder / "assets/hdrs",
         "--output", folder / "dataset", "--augmented", "--fit", "--pitch", 4,
         "--yaw-per-pitch", 2, "--resolution", 64, "--samples", 4],
    ):  # fmt: skip
        subprocess.run([farm_command, *map(str, command)], check=True, timeout=280)
    return folder / "dataset"


@pytest.fixture(scope="module")
def cubes(tmp_path_factory):
    """Views by a recipe of a package, which is not installed where they are read."""
    farm_command = os.environ.get("FARM_RENDERS")
    if not farm_command:
        pytest.skip("FARM_RENDERS names no farm that can render")
    folder = tmp_path_factory.mktemp("toy")
    write_scene(folder / "cubes.blend", python=str(Path(farm_command).with_name("python")))
    command = [
        farm_command, "render", "--recipe", "toy", "--scenes", folder / "cubes.blend",
        "--frames", 3, "--output", folder / "dataset", "--resolution", 64, "--samples", 4,
        "--passes", "rgb,mask,index,flow_forward",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": with_toy()}
    subprocess.run([*map(str, command)], check=True, timeout=280, env=environment)
    return folder / "dataset"


class TinySegmenter(nn.Sequential):
    """A few thousand weights that say of each pixel whether it is the model."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 12, 5, stride=2, padding=2), nn.BatchNorm2d(12), nn.ReLU(),
            nn.Conv2d(12, 24, 3, padding=2, dilation=2), nn.BatchNorm2d(24), nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(24, 1, 3, padding=1),
        )  # fmt: skip


def train(views: ViewDataset, *, epochs: int) -> list[float]:
    """Train anew; return the mean loss of each epoch."""
    torch.set_num_threads(1)  # so small a network loses more by threads than it wins
    torch.manual_seed(0)
    network = TinySegmenter()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    loader = DataLoader(views, batch_size=6, shuffle=True, num_workers=2, persistent_workers=True)
    means = []
    for _epoch in range(epochs):
        losses = []
        for batch in loader:
            loss = binary_cross_entropy_with_logits(network(batch["rgb"]), batch["mask"])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        means.append(float(np.mean(losses)))
    return means


def test_a_network_learns_to_tell_the_model_from_the_background(rendered):
    views = ViewDataset(Path(rendered), size=(64, 64))

    losses = train(views, epochs=8)

    print(f"{len(views)} views, loss by epoch: {', '.join(f'{loss:.3f}' for loss in losses)}")
    assert losses[-1] < losses[0] * 0.8


def test_views_of_another_recipe_are_tensors_like_any_other(cubes):
    views = ViewDataset(cubes, ("rgb", "index", "flow_forward"))
    (batch,) = DataLoader(views, batch_size=len(views), num_workers=1)

    assert [tuple(batch[name].shape) for name in ("rgb", "index", "flow_forward")] == [
        (6, 3, 64, 64), (6, 64, 64), (6, 2, 64, 64),
    ]  # fmt: skip
    assert batch["name"] == [view.key for view in farm.dataset.open(cubes)]
    assert batch["index"].unique().tolist() == [0, 1, 2]
    reddest = [
        float((batch["rgb"][:, 0] - batch["rgb"][:, 2])[batch["index"] == number].mean())
        for number in (1, 2)
    ]
    assert min(reddest) < 0 < max(reddest), "a red cube and a blue one, each where its index is"
    still = batch["flow_forward"][batch["index"][:, None].expand(-1, 2, -1, -1) == 0]
    assert float(still.abs().max()) == 0.0
    losses = train(ViewDataset(cubes), epochs=8)
    assert losses[-1] < losses[0] * 0.8


def test_sentences_come_along_as_plain_data_and_batches_have_a_list_for_each_view(tmp_path):
    """Views have different numbers of them, and a worker hands them over as they are."""
    things = [(RED_MUG, BLUE_MUG, GREEN_BOWL), (RED_MUG, GREEN_BOWL)]
    write_table_views(tmp_path, things, views=1, size=(48, 36), passes=("rgb", "index"))
    data = ViewDataset(tmp_path, ("rgb", "index"), size=(96, 72), expressions=True)
    records = [view.record for view in data.data]

    for workers in (0, 1):
        [batch] = DataLoader(data, batch_size=2, num_workers=workers)

        assert [[said["text"] for said in told] for told in batch["expressions"]] == [
            [each.text for each in record.expressions] for record in records
        ]
        first = batch["expressions"][0][0]
        assert first["boxes_px"][0] == [2 * side for side in records[0].expressions[0].boxes_px[0]]
        mask = torch.isin(batch["index"][0], torch.tensor(first["indices"][0]))
        assert mask.sum() > 4 * 0.8 * records[0].objects[1].area_px
        assert batch["rgb"].shape == (2, 3, 72, 96)
    assert "expressions" not in ViewDataset(tmp_path, ("rgb",))[0]


def test_the_snippet_on_sentences_gives_the_mask_of_each(tmp_path, monkeypatch):
    records = write_table_views(tmp_path / "tabletop", size=(48, 36))
    monkeypatch.chdir(tmp_path)
    seen = []

    run_snippet("docs/train.md", under="Sentences", step=lambda *given: seen.append(given))

    told = [each for record in records for each in record.expressions]
    assert [text for _picture, text, _mask in seen] == [each.text for each in told]
    for (_picture, _text, mask), each in zip(seen, told, strict=True):
        assert (int(mask.sum()) > 0) is bool(each.targets)


def test_a_cutout_keeps_its_colours_at_edges_when_it_is_made_smaller():
    """What is not there is black, and must not darken what is beside it."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :3] = (200, 20, 10, 255)
    pixels[:, 3] = (200, 20, 10, 128)

    small = resized(tensor_of(pixels, "foreground"), "foreground", (3, 3))

    seen = small[:, small[3] > 0.1]
    torch.testing.assert_close(
        seen[:3], torch.tensor([200.0, 20.0, 10.0])[:, None].expand(3, seen.shape[1]) / 255
    )
    assert 0.2 < small[3, 0, 1] < 0.5
    assert small[3, 0, 2] == 0
