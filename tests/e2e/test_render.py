import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import psutil
import pytest

from farm.spec.record import ViewRecord
from tests.e2e.conftest import commands, family, farm, held_renders
from tests.support.waiting import wait_for

TINY = ("--resolution", 64, "--samples", 4, "--workers", 1, "--device", "cpu")


def read_views(dataset: Path) -> list[ViewRecord]:
    lines = (dataset / "views.jsonl").read_text().splitlines()
    return [ViewRecord.model_validate_json(line) for line in lines]


def every_file(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def wait_for_pictures(process: subprocess.Popen[str], output: Path) -> None:
    def there() -> list[Path]:
        assert process.poll() is None, process.stderr.read()
        return list(output.glob("*/images/view_*.png"))

    wait_for(there, "the first pictures are there", timeout_s=120)


def temporary_folders(processes: list[psutil.Process]) -> set[Path]:
    """Return where the processes of a run keep what is to go with it."""
    told = [environment_of(process) for process in processes]
    names = ("FARM_SCRATCH", "TMPDIR")
    return {Path(each[name]) for each in told for name in names if "FARM_SCRATCH" in each}


def environment_of(process: psutil.Process) -> dict[str, str]:
    """Return the environment of a process; of one that has just ended, none."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def is_alive(process: psutil.Process) -> bool:
    """A dead process that nobody has buried yet is dead."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def grid(assets, tmp_path_factory):
    """A grid of two models under two HDRIs, rendered once for many questions."""
    output = tmp_path_factory.mktemp("grid")
    request = ("render", "--models", assets.models, "--hdrs", assets.hdrs, "--output", output,
               "--yaw", 3, "--pitch", 2, "--views-per-task", 4, *TINY)  # fmt: skip
    with commands() as start:
        with held_renders(tmp_path_factory.mktemp("held")):
            process = start(*request)
            wait_for_pictures(process, output)
            folders = temporary_folders(family(process.pid))
        _, said = process.communicate(timeout=280)
    assert process.returncode == 0, said
    return output, request, folders


def test_a_grid_is_laid_out_as_promised(grid):
    output, *_ = grid
    names = {f"view_{yaw:03d}_{pitch:02d}.png" for yaw in (0, 120, 240) for pitch in (0, 45)}
    pairs = {f"{m}_{h}" for m in ("cube0001", "pyramid1") for h in ("skyblue1", "sunset01")}

    assert {path.name for path in output.iterdir()} == pairs
    for pair in pairs:
        assert every_file(output / pair) == {
            *(f"images/{name}" for name in names),
            *(f"masks/{name}" for name in names),
            "views.jsonl",
            "dataset.json",
            "ATTRIBUTION.md",
            "preview.jpg",
        }


def test_every_record_is_true_to_its_files(grid):
    output, *_ = grid
    for dataset in output.iterdir():
        for record in read_views(dataset):
            for file in record.files.values():
                data = (dataset / file.path).read_bytes()
                assert len(data) == file.size_bytes
                assert hashlib.sha256(data).hexdigest() == file.sha256
            image = imagecodecs.png_decode((dataset / record.files["rgb"].path).read_bytes())
            mask = imagecodecs.png_decode((dataset / record.files["mask"].path).read_bytes())
            assert image.shape == (64, 64, 3)
            assert mask.shape == (64, 64)
            assert mask[32, 32] == 255  # the model is where the camera looks
            assert mask[0, 0] == 0
            assert record.coverage == pytest.approx(np.mean(mask) / 255, abs=0.005)


def test_records_carry_camera_assets_licence_and_times(grid):
    output, *_ = grid
    record = read_views(output / "pyramid1_sunset01")[0]

    assert record.assets[0].credit.licence == "CC0-1.0"
    assert record.assets[0].credit.author == "Ada"
    assert record.assets[1].name == "sunset01-dddd.hdr"
    assert record.camera.fx_px == pytest.approx(50 / 36 * 64)
    assert record.device == "cpu"
    assert record.versions.keys() >= {"viewfarm", "blender"}
    assert record.timings.render_s >= record.timings.sample_s >= 0
    assert record.timings.render_s > 0


def test_the_dataset_says_what_it_is(grid):
    output, *_ = grid
    summary = json.loads((output / "cube0001_skyblue1" / "dataset.json").read_text())

    assert summary["views"] == 6
    assert summary["failures"] == []
    assert summary["spec"]["recipe"]["mode"] == "grid"
    assert summary["versions"].keys() >= {"viewfarm", "blender"}


def test_no_temporary_thing_is_left_behind(grid):
    *_, folders = grid

    assert len(folders) >= 2, "on disk and in memory"
    assert not any(folder.exists() for folder in folders)


def test_a_second_run_renders_nothing(grid):
    output, request, *_ = grid
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}

    again = farm(*request)

    assert again.returncode == 0
    assert "24 of 24 views complete: 0 rendered" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.png")} == before


def test_a_second_run_makes_no_plan(grid):
    """It is known to be over before the libraries are loaded that plans are made with."""
    output, request, *_ = grid
    farm(*request)  # whatever other tests have changed

    again = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "farm", *map(str, request)],
        capture_output=True, text=True, timeout=280, check=True,
    )  # fmt: skip

    loaded = {line.rpartition("|")[2].strip() for line in again.stderr.splitlines()}
    assert "farm.local.receipt" in loaded
    assert loaded.isdisjoint({"pydantic", "typer", "numpy", "redis", "celery"})
    assert "2 models x 2 HDRIs: 24 views in 8 tasks, 24 of them already rendered" in again.stderr
    assert f"dataset {output / 'cube0001_skyblue1'}\n" in again.stderr


def test_only_what_is_missing_is_rendered(grid):
    output, request, *_ = grid
    dataset = output / "cube0001_sunset01"
    lost = dataset / "masks" / "view_120_45.png"
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    pixels = imagecodecs.png_decode(lost.read_bytes())
    lost.unlink()

    again = farm(*request)

    assert "24 of 24 views complete: 1 rendered" in again.stderr
    after = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    changed = {path.name for path in after if after[path] != before[path]}
    assert changed == {"view_120_45.png"}
    assert np.array_equal(imagecodecs.png_decode(lost.read_bytes()), pixels)
    assert len(read_views(dataset)) == 6
    assert not (dataset / ".records").exists()


def test_other_pictures_under_the_same_names_are_not_overwritten(grid):
    output, request, *_ = grid
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}

    other = farm(*request, "--samples", 5)

    assert other.returncode == 2
    assert "samples 4, not 5" in other.stderr
    assert "--dataset-name" in other.stderr
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.png")} == before


def test_bad_files_fail_alone_and_are_named(assets, tmp_path):
    """A broken model and a false HDRI cost their own tasks; the rest of the dataset is there."""
    (tmp_path / "empty.blend").write_bytes(b"")
    (tmp_path / "photo.exr").write_bytes(b"\xff\xd8\xff\xe0" + b"jpeg" * 100)
    output = tmp_path / "out"

    done = farm(
        "render", "--models", assets.models, "--models", tmp_path / "empty.blend",
        "--hdrs", assets.hdrs, "--hdrs", tmp_path / "photo.exr", "--output", output,
        "--augmented", "--pitch", 2, "--yaw-per-pitch", 2, "--format", "jxl", *TINY,
    )  # fmt: skip

    assert done.returncode == 1
    assert "empty.blend" in done.stderr
    assert "photo.exr" in done.stderr
    assert "JPEG" in done.stderr
    assert "Traceback" not in done.stderr
    assert "16 of 36 views complete" in done.stderr
    records = read_views(output)
    assert len(records) == 16
    assert [r.view.index for r in records] == sorted(r.view.index for r in records)
    assert len(json.loads((output / "dataset.json").read_text())["failures"]) >= 2
    for record in records:
        picture = imagecodecs.jpegxl_decode((output / record.files["rgb"].path).read_bytes())
        assert picture.shape == (64, 64, 3)
        assert Path(record.files["rgb"].path).stem == record.view.name


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_run_keeps_what_is_done_leaves_nothing_and_goes_on(
    assets, tmp_path, start_farm, sent
):
    views = 4 * 90 * 18  # more than are over before the signal comes, however late that is
    request = ("render", "--models", assets.models, "--hdrs", assets.hdrs, "--output", tmp_path,
               "--yaw", 90, "--pitch", 18, *TINY)  # fmt: skip
    process = start_farm(*request)
    wait_for_pictures(process, tmp_path)
    children = family(process.pid)
    folders = temporary_folders(children)
    assert len(folders) >= 2, "on disk and in memory"

    process.send_signal(sent)
    _, said = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "run the same command again to resume" in said
    wait_for(lambda: not any(map(is_alive, children)), "all that were killed are gone")
    assert not any(folder.exists() for folder in folders)
    assert list(tmp_path.rglob(".partial-*")) == []
    kept = sum(len(read_views(path.parent)) for path in tmp_path.glob("*/views.jsonl"))
    assert 0 < kept < views
    pictures = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("view_*.png")}

    plan = farm(*request, "--dry-run")

    assert f"({kept:,} done, {views - kept:,} to render)" in plan.stdout
    assert {path: path.stat().st_mtime_ns for path in pictures} == pictures


def test_a_run_that_is_killed_takes_its_processes_along(assets, tmp_path, start_farm):
    process = start_farm("render", "--models", assets.models, "--hdrs", assets.hdrs,
                         "--output", tmp_path, *TINY)  # fmt: skip
    wait_for_pictures(process, tmp_path)
    children = family(process.pid)

    process.kill()
    process.communicate()

    gone, alive = psutil.wait_procs(children, timeout=120)
    assert alive == []
    assert len(gone) == len(children)


SMOOTH = """#usda 1.0
def Mesh "whole"
{
    uniform token subdivisionScheme = "catmullClark"
    int[] faceVertexCounts = [3, 3, 3, 3]
    int[] faceVertexIndices = [0,2,1, 0,1,3, 1,2,3, 2,0,3]
    point3f[] points = [(0,0,0), (1,0,0), (0,1,0), (0,0,1)]
}
"""


def test_what_could_not_be_read_is_said_once_and_recorded(assets, tmp_path):
    models, output = tmp_path / "models", tmp_path / "out"
    models.mkdir()
    text = (assets.models / "cube0001-aaaa.obj").read_text()
    (models / "painted.obj").write_text(f"mtllib gone.mtl\nusemtl red\n{text}")
    (models / "whole.usda").write_text(SMOOTH)

    done = farm("render", "--models", models, "--hdrs", assets.hdrs, "--output", output,
                "--yaw", 2, "--pitch", 1, *TINY)  # fmt: skip

    assert done.returncode == 0, done.stderr
    told = "painted.obj is not shown as intended because this could not be read: material library"
    assert (done.stdout + done.stderr).replace("\n", " ").count(told) == 1
    for dataset in output.iterdir():
        summary = json.loads((dataset / "dataset.json").read_text())
        lacking = ["material library gone.mtl"] if dataset.name.startswith("painted") else []
        assert summary["unread"] == ({"painted.obj": lacking} if lacking else {})
        assert {record.unread for record in read_views(dataset)} == {tuple(lacking)}


def test_a_traced_run_shows_where_its_time_went(assets, tmp_path):
    """The same views as without; and somebody who traces later renders nothing again."""
    output = tmp_path / "traced"
    model = min(Path(assets.models).glob("*.obj"))
    request = ("render", "--models", model, "--hdrs", assets.hdrs, "--augmented", "--pitch", 1,
               "--yaw-per-pitch", 2, "--dataset-name", "d", "--output", output, *TINY)  # fmt: skip

    assert farm(*request, "--trace").returncode == 0

    views = len(read_views(output / "d"))
    told = farm("dataset", "trace", output / "d", "--json")
    stats = json.loads(told.stdout)
    assert stats["views"] == views > 0
    assert 0 < stats["sampling_share"] < 1
    assert {row["stage"] for row in stats["stages"]} > {"load", "sample", "encode", "write"}
    assert (output / "d/trace.png").is_file()
    assert farm("dataset", "verify", output / "d").returncode == 0
    before = every_file(output)
    assert farm(*request).returncode == 0
    assert every_file(output) == before
