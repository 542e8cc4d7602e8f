"""`farm dataset export` as a person at a terminal meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

import farm.dataset
from farm.cli.main import make_app
from farm.dataset.export.output_folder import STATE_FOLDER
from farm.dataset.export.registry import FORMATS
from farm.dataset.split_lists import NoSplitError
from farm.dataset.splits.split import split_dataset
from farm.errors import SpecError
from farm.local.folder_lock import hold_folder
from farm.storage import open_storage
from tests.support.datasets import write_dataset
from tests.support.waiting import wait_for
from tests.unit.dataset.export.pictures import files_of, run

WITHOUT = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from farm.cli.main import main
main()
"""


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "farm", "dataset", "export", *map(str, arguments)]


def test_the_help_says_a_line_of_each_format():
    shown = CliRunner().invoke(make_app(), ["dataset", "export", "--help"]).output

    for name, known in FORMATS.items():
        assert any(name in line and known.summary in line for line in shown.splitlines())


@pytest.mark.parametrize("to", list(FORMATS))
def test_of_no_views_nothing_is_exported(tmp_path, to):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))
    (tmp_path / "d/views.jsonl").write_text("")

    with pytest.raises(SpecError, match="has no views yet: there is nothing to export"):
        run(tmp_path / "d", tmp_path / "o", to)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(("to", "package"), [("coco", "pycocotools"), ("huggingface", "pyarrow")])
def test_who_lacks_a_package_is_told_what_to_install(tmp_path, to, package):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, package, "dataset", "export", "d", "--to", to,
         "--out", "o"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    sentence = f"an export to {to} needs {package}, which is not installed"
    assert done.stderr == f"error: {sentence}: pip install 'viewfarm[export]'\n"
    assert not (tmp_path / "o").exists()


def test_ctrl_c_keeps_what_is_done(tmp_path: Path):
    write_dataset(tmp_path / "d", views=7, passes=("rgb", "mask"))
    run(tmp_path / "d", tmp_path / "one/x", "yolo", shard_views=2)
    mask = tmp_path / "d" / farm.dataset.open(tmp_path / "d")[5].path("mask")
    aside = mask.rename(tmp_path / "aside.png")
    os.mkfifo(mask)  # whoever reads it waits
    out = tmp_path / "two/x"
    request = command(tmp_path / "d", "--to", "yolo", "--out", out, "--shard-views", 2, "--jobs", 1)

    stopped = subprocess.Popen(request, stderr=subprocess.PIPE, text=True)
    try:
        wait_for((out / STATE_FOLDER / "parts/train-000001.json").exists, "two parts are there")
        stopped.send_signal(signal.SIGINT)
        writer = threading.Thread(target=mask.write_bytes, args=(b"",), daemon=True)
        writer.start()  # lets go of whoever reads, now or soon
        _, said = stopped.communicate(timeout=120)
        os.close(os.open(mask, os.O_RDWR))  # nobody may have come to read
        writer.join()
    finally:
        stopped.kill()
    mask.unlink()
    aside.rename(mask)

    assert stopped.returncode == 130, said
    assert "stopped; run the same command again to resume" in said
    done = subprocess.run([*request, "--json"], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["there"] == 4
    assert files_of(out) == files_of(tmp_path / "one/x")


def test_one_export_at_a_time_writes_into_a_folder(tmp_path: Path):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))

    with hold_folder(tmp_path / "out" / STATE_FOLDER):
        done = subprocess.run(
            command(tmp_path / "d", "--to", "folders", "--out", tmp_path / "out"),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert done.returncode == 2
    assert "another run writes into" in done.stderr
    assert "take another --out" in done.stderr


def test_words_without_meaning_are_named(tmp_path: Path):
    for flags, sentence in (
        (("--to", "voc"), "--to: 'voc' is not one of coco, yolo"),
        (("--to", "coco", "--passes", "rgb,alpha"), "--passes: 'alpha' is not one of rgb"),
        (("--to", "coco", "--image-format", "gif"), "--image-format: 'gif' is not one of png"),
    ):
        done = CliRunner().invoke(
            make_app(), ["dataset", "export", "d", "--out", str(tmp_path / "o"), *flags]
        )
        assert sentence in str(done.exception)


def test_views_in_no_split_are_left_out_and_counted(tmp_path: Path):
    place = tmp_path / "d"
    write_dataset(place, views=6, models=3, passes=("rgb", "mask"))
    shares = {"train": 0.5, "val": 0.5}
    split_dataset(farm.dataset.open(place), shares, by="model", seed=0)
    gone = place / "splits/val.txt"
    val = gone.read_text().splitlines()
    gone.write_text(val[0] + "\n")

    summary = run(place, tmp_path / "out", "yolo")

    assert summary.left_out == len(val) - 1 > 0
    assert summary.splits["val"] == 1
    assert "val: images/val" in (tmp_path / "out/data.yaml").read_text()


def asked(*arguments: object):
    return CliRunner().invoke(make_app(), ["dataset", "export", *map(str, arguments)])


def test_what_is_left_out_is_listed_and_the_command_ends_with_1(tmp_path: Path):
    place = tmp_path / "d"
    write_dataset(place, views=3, passes=("rgb", "mask"))
    path = place / farm.dataset.open(place)[1].path("mask")
    good = path.read_bytes()
    path.write_bytes(good[:-1])

    done = asked(place, "--to", "coco", "--out", tmp_path / "out")

    assert done.exit_code == 1
    sentence = f"has {len(good) - 1} bytes, not {len(good)}"
    assert f"damaged: masks/{path.name}: {sentence}" in done.stderr
    assert "1 view left out because of files that differ from the records" in done.stderr
    assert f"farm dataset verify {place}" in done.stderr.replace("\n", " ")
    assert "2 views as coco" in done.stderr
    told = json.loads(asked(place, "--to", "coco", "--out", tmp_path / "out", "--json").stdout)
    assert told["damaged"] == [f"masks/{path.name}: {sentence}"]
    path.write_bytes(good)
    assert asked(place, "--to", "coco", "--out", tmp_path / "out").exit_code == 0


def test_the_splits_that_were_used_are_told(tmp_path: Path):
    place = tmp_path / "all"
    write_dataset(place / "one", views=4, models=4, passes=("rgb", "mask"))
    shares = {"train": 0.5, "test": 0.5}
    split_dataset(farm.dataset.open(place / "one"), shares, by="model", seed=7)

    one = asked(place / "one", "--to", "yolo", "--out", tmp_path / "o1")
    above = asked(place, "--to", "yolo", "--out", tmp_path / "o2")

    assert "splits (by model, seed 7, train 0.5, test 0.5) train: 2, test: 2" in one.stderr
    assert "no splits; all in train: 4" in above.stderr
    assert "one/splits.json was not used" in above.stderr.replace("\n", "")
    split_dataset(farm.dataset.open(place), shares, by="view", seed=1)
    again = asked(place / "one", "--to", "yolo", "--out", tmp_path / "o1")
    assert "all/splits.json was not used" in again.stderr.replace("\n", "")


def test_splits_that_are_not_whole_are_not_taken_for_none(tmp_path: Path):
    place, out = tmp_path / "d", tmp_path / "o"
    write_dataset(place, views=4, models=4, passes=("rgb", "mask"))
    shares = {"train": 0.5, "val": 0.5}
    split_dataset(farm.dataset.open(place), shares, by="model", seed=0)
    train = (place / "splits/train.txt").read_text()
    (place / "splits/val.txt").write_text(train)
    with pytest.raises(NoSplitError, match="is in the splits train and val: make them again"):
        run(place, out, "coco")
    (place / "splits/val.txt").unlink()
    with pytest.raises(NoSplitError, match=r"val\.txt: is gone, but splits\.json lists it"):
        run(place, out, "coco")
    (place / "splits.json").unlink()
    with pytest.raises(NoSplitError, match=r"train\.txt: is a split, but splits\.json is gone"):
        run(place, out, "coco")
    assert not out.exists()


USELESS = {
    "coco": ("--shard-mb 9", "--foreground"),
    "yolo": ("--segmentation polygon", "--shard-mb 256"),
    "huggingface": ("--link", "--segmentation rle"),
    "webdataset": ("--link", "--copy", "--classes model", "--segmentation rle"),
    "bop": ("--classes model", "--segmentation polygon", "--shard-mb 9"),
    "folders": ("--segmentation polygon", "--shard-mb 9"),
    "refcoco": ("--segmentation rle", "--shard-mb 9"),
    "grefcoco": ("--refer-name refcocog", "--shard-mb 9"),
    "odvg": ("--segmentation rle", "--refer-name refcoco"),
    "mdetr": ("--segmentation rle", "--refer-name refcoco"),
    "swift": ("--classes model", "--refer-name refcoco"),
    "hf-refcoco": ("--segmentation rle", "--points 9"),
    "lmms-eval": ("--link", "--classes model"),
    "pixmo": ("--link", "--points 9"),
    "clevr-ref": ("--link", "--shard-mb 9"),
    "polyformer": ("--classes model", "--shard-mb 9"),
    "refgrasp": ("--link", "--classes model"),
    "nerf": ("--classes model", "--shard-mb 9"),
    "ngp": ("--points 9", "--shard-mb 9"),
    "colmap": ("--classes model", "--shard-mb 9"),
    "zero123": ("--points 9", "--classes model"),
    "openlrm": ("--points 9", "--classes model"),
    "trellis": ("--points 9", "--shard-mb 9"),
    "gobjaverse": ("--points 9", "--segmentation rle"),
    "materials": ("--foreground", "--shard-mb 9"),
    "matting": ("--foreground", "--classes model"),
    "rvm": ("--foreground", "--points 9"),
    "nerfstudio": ("--classes model", "--shard-mb 9"),
    "davis": ("--classes model", "--segmentation rle"),
    "kitti": ("--shard-views 9", "--shard-mb 9"),
    "middlebury": ("--shard-views 9", "--classes model"),
    "ytvis": ("--segmentation polygon", "--shard-mb 9"),
    "tapvid": ("--shard-views 9", "--link"),
    "movi": ("--points 9", "--link"),
    "mp4": ("--shard-views 9", "--link"),
    "clips": ("--shard-views 9", "--link"),
    "tum": ("--classes model", "--shard-mb 9"),
    "visionsim": ("--classes model", "--shard-mb 9"),
}


@pytest.mark.parametrize(
    ("to", "option"), [(to, option) for to in FORMATS for option in USELESS[to]]
)
def test_an_option_that_a_format_has_no_use_for_is_refused(tmp_path: Path, to, option):
    write_dataset(tmp_path / "d", views=1, passes=("rgb", "mask"))
    flag = option.split()[0].replace("--copy", "--link")

    done = asked(tmp_path / "d", "--to", to, "--out", tmp_path / "o", *option.split())

    assert str(done.exception) == f"{flag}: an export to {to} does not use it: leave it out"
    assert not (tmp_path / "o").exists()


def test_a_dataset_in_a_bucket_exports_as_one_in_a_folder(tmp_path: Path, s3_place: str):
    write_dataset(tmp_path / "d", views=3, passes=("rgb", "mask", "depth"))
    bucket = open_storage(s3_place)
    for path in (tmp_path / "d").rglob("*.*"):
        if path.is_file():
            bucket.put_file(path.relative_to(tmp_path / "d").as_posix(), path)

    for to in ("coco", "webdataset"):
        run(tmp_path / "d", tmp_path / f"folder/{to}", to)
        run(s3_place, tmp_path / f"bucket/{to}", to)  # type: ignore[arg-type]

    assert files_of(tmp_path / "bucket") == files_of(tmp_path / "folder")
