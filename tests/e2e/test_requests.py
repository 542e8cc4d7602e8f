"""What the command says before it renders anything."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from farm.local.folder_lock import hold_folder
from farm.spec.recipes import all_roles, roles_of
from tests.e2e.conftest import farm, here


def test_a_dry_run_tells_what_would_be_rendered_and_touches_nothing(assets, tmp_path):
    output = tmp_path / "none"

    plan = farm("render", "--models", assets.models, "--hdrs", assets.hdrs, "--output", output,
                "--augmented", "--resolution", 2048, "--dry-run")  # fmt: skip

    assert plan.returncode == 0, plan.stderr
    assert "views     160 (0 done, 160 to render)" in plan.stdout
    assert "tasks     16" in plan.stdout
    assert "2048 x 2048 px, 128 samples, denoised, jxl, 8 bit, AgX" in plan.stdout
    assert "size      about" in plan.stdout
    assert "time      roughly" in plan.stdout
    assert not output.exists()


def test_what_cannot_fit_or_end_is_not_started_unasked(assets, tmp_path):
    output = tmp_path / "out"
    request = ("render", "--models", assets.models, "--hdrs", assets.hdrs, "--output", output,
               "--yaw", 360, "--pitch", 90, "--resolution", 8192, "--device", "cpu")  # fmt: skip

    done = here(*request)
    plan = here(*request, "--dry-run")

    assert done.returncode == 2
    assert re.search(
        r"note: about [\d.]+ TB does not fit into the .* free at .*/out\n", done.stderr
    )
    assert re.search(r"note: roughly [\d,]+ d is longer than a week\n", done.stderr)
    assert done.stderr.endswith("pass --yes to continue without asking\n")
    assert list(output.iterdir()) == []
    assert plan.returncode == 0
    assert re.search(r"note: about .* does not fit .*; rendering asks first, or takes", plan.stdout)
    assert re.search(r"note: roughly .* a week; rendering asks first", plan.stdout)


def test_a_folder_that_another_run_writes_into_is_left_alone(assets, tmp_path):
    request = ("render", "--models", assets.models, "--hdrs", assets.hdrs, "--output", tmp_path)

    with hold_folder(tmp_path):
        done, plan = farm(*request), farm(*request, "--dry-run")

    assert done.returncode == 2
    assert done.stderr.startswith("error: another run writes into")
    assert plan.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_a_file_is_named_before_anything_starts(assets):
    file = next(assets.models.glob("*.obj"))

    done = here("render", "--models", assets.models, "--hdrs", assets.hdrs, "--output", file)

    assert done.returncode == 2
    assert f"error: {file}: cannot be written" in done.stderr


def test_flags_go_over_the_spec_and_its_paths_start_at_the_file(assets, tmp_path):
    (tmp_path / "m").symlink_to(assets.models)
    spec = {
        "models": ["m/*.obj"],
        "hdrs": str(assets.hdrs),
        "output": "out",
        "recipe": {"mode": "augmented", "pitch": 2},
        "render": {"resolution": 128},
    }
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))

    plan = farm("render", tmp_path / "spec.yaml", "--yaw-per-pitch", 1, "--dry-run", cwd=Path("/"))

    assert plan.returncode == 0, plan.stderr
    assert "views     8 " in plan.stdout
    assert "128 x 128 px" in plan.stdout
    assert str(tmp_path / "out") in plan.stdout.replace("\n", "")


def test_the_flags_of_a_rig_are_read(assets):
    """All of them: each changes how many views there are, or is refused beside another."""
    request = ("render", "--models", assets.models, "--hdrs", assets.hdrs, "--dry-run")
    rings = ("--elevations", "-10,0", "--azimuths", "0:360:90", "--stereo", 0.1, "--fov", "30..50")
    band = ("--rig", "random", "--views", 7, "--elevation-range", "0..60", "--frame", "unit-sphere")

    pairs = here(*request, *rings, "--distance", "1.5..2", "--front", "+x")
    some = here(*request, *band, "--orthographic", 2)
    both = here(*request, *band, "--orthographic", 2, "--fov", 40)

    assert "views     64 (0 done" in pairs.stdout, pairs.stderr
    assert "views     28 (0 done" in some.stdout, some.stderr
    assert both.returncode == 2
    assert both.stderr.startswith("error: recipe.orthographic: its rays run side by side")


def test_an_unquoted_glob_works_too(assets):
    models = sorted(assets.models.glob("*.obj"))
    hdrs = sorted(assets.hdrs.glob("*.hdr"))

    plan = here("render", "--models", *models, "--hdrs", *hdrs, "--dry-run")

    assert plan.returncode == 0, plan.stderr
    assert "models    2" in plan.stdout
    assert "HDRIs     2" in plan.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--resolution", "20000"], "error: render.resolution: 20000 is more than 8192"),
        (["--format", "bmp"], "error: render.format: 'bmp' is not one of 'png' or 'jxl'"),
        (["--bit-depth", "9"], "error: render.bit_depth: 9 is not one of 8 or 16"),
        (["--view-transform", "Raw"], "error: render.view_transform: 'Raw' is not one of"),
        (["--yaw", "x"], "error: recipe.yaw: 'x' is not a whole number"),
        (["--augmented", "--yaw", "3"], "error: recipe.yaw: is of the mode grid, and this is"),
        (["--seed", "-1"], "error: seed: '-1' is less than 0"),
        (["--models", "gone/*.blend"], "gone/*.blend matches no file"),
        (["--dataset-name", "one"], "error: dataset_name: 'one' would hold the grids of several"),
        (["--device", "tpu"], "error: device: 'tpu' is not auto, cpu, cuda:N or optix:N"),
        (["--workers", "0"], "error: workers: '0' is not auto or a number"),
        (["missing.yaml"], "error: missing.yaml: cannot be read: No such file"),
        (["notes.txt"], "error: notes.txt is neither a spec (.yaml) nor a 3D model nor"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(assets, arguments, sentence):
    done = here("render", "--models", assets.models, "--hdrs", assets.hdrs, *arguments, "--dry-run")

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_to_render_from_is_said():
    done = farm("render")

    assert done.returncode == 2
    assert "error: models: is needed" in done.stderr
    assert "error: hdrs: is needed" in done.stderr


@pytest.mark.parametrize("wrong", ["models", "hdrs"])
def test_a_wrong_kind_of_file_is_named_with_the_kinds_that_are_taken(assets, wrong):
    swapped = {"models": assets.hdrs, "hdrs": assets.models}[wrong]
    [file, *_] = sorted(swapped.iterdir())
    right = {"models": assets.models, "hdrs": assets.hdrs} | {wrong: file}

    done = here("render", "--models", right["models"], "--hdrs", right["hdrs"], "--dry-run")

    taken = {"models": "3D model (.blend, .glb", "hdrs": "HDR environment (.exr, .hdr)"}[wrong]
    assert done.returncode == 2
    assert f"error: {wrong}: {file} is not a" in done.stderr
    assert taken in done.stderr


def test_a_role_that_no_recipe_has_is_said(assets, tmp_path):
    spec = {"models": [str(assets.models)], "hdrs": [str(assets.hdrs)], "things": ["a.obj"]}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))

    done = here("render", tmp_path / "spec.yaml", "--dry-run")

    assert done.returncode == 2
    assert "error: things: is not a field" in done.stderr


def test_the_printed_spec_and_schema_agree(tmp_path):
    spec = yaml.safe_load(farm("spec").stdout)
    schema = json.loads(farm("schema").stdout)

    assert spec.keys() - {"dataset_name"} <= schema["properties"].keys()
    others = {*all_roles()} - {role.name for role in roles_of("sod")}
    assert schema["properties"].keys() - {"dataset_name"} - others <= spec.keys()


def test_help_loads_nothing_heavy():
    """`farm --help` must answer at once: none of these is imported on the way."""
    code = (
        "import sys; sys.argv = ['farm', '--help']\n"
        "from farm.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'bpy', 'celery', 'redis', 'numpy', 'pydantic', 'yaml', 'PIL', 'imagecodecs', "
        "'httpx', 'fastapi'}\n"
        "print(*sorted(heavy & sys.modules.keys()), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "render" in done.stdout
    assert done.stderr.strip() == ""
