"""`farm dataset` on a dataset that was really rendered: looked at, broken, mended, put together."""

import json
import shlex
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from imagecodecs import png_decode

import farm.dataset
from farm.dataset.verify.label_checks import check_labels
from tests.e2e.conftest import farm as run_farm
from tests.e2e.conftest import here

PASSES = "rgb,mask,depth,normal,index,flow_forward,cryptomatte"


@pytest.fixture(scope="module")
def rendered(assets, tmp_path_factory):
    """Two models under one HDRI with labels, and the command that rendered them."""
    output = tmp_path_factory.mktemp("labels")
    request = ("render", "--models", assets.models, "--hdrs", assets.hdrs / "skyblue1-cccc.hdr",
               "--output", output / "ds", "--yaw", 2, "--pitch", 2, "--passes", PASSES,
               "--resolution", 64, "--samples", 4, "--workers", 1, "--device", "cpu")  # fmt: skip
    done = run_farm(*request)
    assert done.returncode == 0, done.stderr
    return output / "ds", request


def test_what_is_rendered_is_well_and_what_is_broken_is_rendered_again(rendered):
    folder, request = rendered
    verified = run_farm("dataset", "verify", folder)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    view = farm.dataset.open(folder)[3]
    path = folder / view.path("depth")
    right = view["depth"]
    path.write_bytes(path.read_bytes()[:-20])

    broken = run_farm("dataset", "verify", folder)

    assert broken.returncode == 1
    command = next(line for line in broken.stderr.splitlines() if line.strip().startswith("rm "))
    assert shlex.split(command) == ["rm", "-f", "--", str(path)]
    subprocess.run(shlex.split(command), check=True)
    again = run_farm(*request)
    assert again.returncode == 0, again.stderr
    assert run_farm("dataset", "verify", folder).returncode == 0
    assert (farm.dataset.open(folder)[3]["depth"] == right).all()


def test_labels_agree_with_the_mask(rendered):
    folder, _ = rendered
    looked = set()
    for view in farm.dataset.open(folder):
        arrays = {name: view[name] for name in view.passes}
        for check, findings in check_labels(arrays, view.record):
            looked.add(check)
            assert findings == [], view.key
    assert looked == {"numbers", "depth", "normal", "index", "box"}


def test_two_datasets_are_merged_split_drawn_and_counted(rendered, tmp_path):
    folder, _ = rendered
    out = tmp_path / "all"

    for args in (
        ("merge", folder, "--out", out, "--prefix"),
        ("split", out, "--train", 0.5, "--val", 0.5, "--test", 0),
        ("preview", out, "--html"),
        ("stats", out),
        ("verify", out),
    ):
        done = run_farm("dataset", *args)
        assert done.returncode == 0, (args, done.stdout, done.stderr)

    parts = [farm.dataset.open(out, split=name) for name in ("train", "val")]
    assert [len(part) for part in parts] == [4, 4]
    models = [{view.record.assets[0].name for view in part} for part in parts]
    assert models[0].isdisjoint(models[1])
    assert json.loads((out / "stats.json").read_text())["views"] == 8
    assert Path(out / "preview.html").stat().st_size > 50_000


def test_depth_lies_in_the_models_box_by_the_poses_that_are_exported_to_bop(rendered, tmp_path):
    """Camera, pose, depth, units and size come from five places, and must agree."""
    folder, _ = rendered

    done = here("dataset", "export", folder, "--to", "bop", "--out", tmp_path / "bop")

    assert done.returncode == 0, done.stderr
    models = json.loads((tmp_path / "bop/models/models_info.json").read_bytes())
    assert len(models) == 2
    for scene in sorted((tmp_path / "bop/train").iterdir()):
        poses = json.loads((scene / "scene_gt.json").read_bytes())
        for at, camera in json.loads((scene / "scene_camera.json").read_bytes()).items():
            (pose,) = poses[at]
            png = (scene / f"depth/{int(at):06d}.png").read_bytes()
            depth_mm = png_decode(png) * camera["depth_scale"]
            v, u = np.nonzero(depth_mm)
            rays = np.stack([u, v, np.ones_like(u)]) * depth_mm[v, u]
            seen = np.linalg.inv(np.reshape(camera["cam_K"], (3, 3))) @ rays
            shift = np.reshape(pose["cam_t_m2c"], (3, 1))
            points = np.reshape(pose["cam_R_m2c"], (3, 3)).T @ (seen - shift)
            model = models[str(pose["obj_id"])]
            half = np.array([[model[f"size_{axis}"] / 2] for axis in "xyz"])
            beyond = (np.abs(points) - half).max()
            assert beyond < camera["depth_scale"] + 1e-4 * model["diameter"]
            assert (np.ptp(points, axis=1) > 0.3 * half.T).any()  # it fills a good part of it


CORNERS = ((0, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 0.6))
FACES = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))
"""Of a pyramid that looks another way if an axis is another one."""


def write_models(folder):
    """The same pyramid as programs write it in three formats, with a licence."""
    folder.mkdir()
    facets = [
        struct.pack("<12fH", 0, 0, 0, *(side for at in face for side in CORNERS[at]), 0)
        for face in FACES
    ]
    (folder / "a.stl").write_bytes(bytes(80) + struct.pack("<I", 4) + b"".join(facets))
    lines = [f"v {x} {y} {z}" for x, y, z in CORNERS]
    lines += [f"f {' '.join(str(at + 1) for at in face)}" for face in FACES]
    (folder / "b.obj").write_text("\n".join(lines) + "\n")
    head = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n"
    head += "property float z\nelement face 4\nproperty list uchar int vertex_indices\n"
    rows = [f"{x} {y} {z}" for x, y, z in CORNERS]
    rows += [f"3 {' '.join(map(str, face))}" for face in FACES]
    (folder / "c.ply").write_text(head + "end_header\n" + "\n".join(rows) + "\n")
    for path in list(folder.iterdir()):
        (folder / f"{path.name}.json").write_text('{"licence": "CC0-1.0"}')


def silhouette(corners, shape):
    """The pixels whose centre lies in one of the triangles of the pyramid."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    drawn = np.zeros(shape, dtype=bool)
    for face in FACES:
        ends = [(corners[face[at]], corners[face[at - 2]]) for at in range(3)]
        sides = [(b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0 for a, b in ends]
        drawn |= np.all(sides, axis=0) | ~np.any(sides, axis=0)
    return drawn


def test_meshes_that_are_exported_to_bop_lie_where_they_were_rendered(assets, tmp_path):
    """Each mesh, drawn by the pose of a picture, covers its mask."""
    write_models(tmp_path / "models")
    request = ("render", "--models", tmp_path / "models", "--hdrs",
               assets.hdrs / "skyblue1-cccc.hdr", "--output", tmp_path / "ds", "--yaw", 2,
               "--pitch", 1, "--resolution", 64, "--samples", 4, "--workers", 1,
               "--device", "cpu")  # fmt: skip
    done = run_farm(*request)
    assert done.returncode == 0, done.stderr

    done = here("dataset", "export", tmp_path / "ds", "--to", "bop", "--out", tmp_path / "bop")

    assert done.returncode == 0, done.stderr
    assert "no mesh" not in done.stderr
    scenes = sorted((tmp_path / "bop/train").iterdir())
    assert len(scenes) == 3
    for scene in scenes:
        poses = json.loads((scene / "scene_gt.json").read_bytes())
        for at, camera in json.loads((scene / "scene_camera.json").read_bytes()).items():
            (pose,) = poses[at]
            words = (tmp_path / f"bop/models/obj_{pose['obj_id']:06d}.ply").read_text().split()
            first = words.index("end_header") + 1
            points = np.reshape(words[first : first + 4 * 6], (4, 6)).astype(float)[:, :3]
            seen = points @ np.reshape(pose["cam_R_m2c"], (3, 3)).T + pose["cam_t_m2c"]
            seen = seen @ np.reshape(camera["cam_K"], (3, 3)).T
            found = seen[:, :2] / seen[:, 2:]
            mask = png_decode((scene / f"mask_visib/{int(at):06d}_000000.png").read_bytes())
            drawn = silhouette(found, mask.shape)
            assert np.count_nonzero(mask) > 100
            assert np.count_nonzero(drawn != (mask > 0)) < 0.1 * np.count_nonzero(mask)


def mend(folder: Path, *command: object, named: list[str]) -> None:
    """Do what `verify` says: delete what it names, then run the command again; then all is well."""
    told = here("dataset", "verify", folder)
    assert told.returncode == 1, told.stdout
    for name in named:
        assert name in told.stdout + told.stderr
    for line in told.stderr.splitlines():
        if line.strip().startswith("rm -f"):
            subprocess.run(shlex.split(line), check=True)
    assert f"the same farm {command[0]}" in told.stderr or command[0] == "dataset"
    again = run_farm(*command)
    assert again.returncode == 0, again.stderr
    healed = here("dataset", "verify", folder)
    assert healed.returncode == 0, healed.stdout + healed.stderr


def lose_lines(folder: Path) -> Path:
    lines = (folder / "views.jsonl").read_bytes().splitlines()
    lines[1:3] = [lines[1][:80], b"null", b"\xff\xfe"]
    (folder / "views.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return folder / "views.jsonl"


def double_lines(folder: Path) -> Path:
    lines = (folder / "views.jsonl").read_bytes()
    (folder / "views.jsonl").write_bytes(lines + lines)
    return folder / "views.jsonl"


def harm_preview(folder: Path) -> Path:
    path = sorted((folder / "previews/depth").iterdir())[0]
    path.write_bytes(b"grey")
    return path


def lose_preview(folder: Path) -> Path:
    path = sorted((folder / "previews/normal").iterdir())[1]
    path.unlink()
    return path


def lose_mask(folder: Path) -> Path:
    path = sorted((folder / "masks").iterdir())[2]
    path.unlink()
    return path


def harm_summary(folder: Path) -> Path:
    (folder / "dataset.json").write_text('{"views": 1}')
    return folder / "dataset.json"


def leave_a_stray(folder: Path) -> Path:
    (folder / "masks/of_nothing.png").write_bytes(b"x")
    return folder / "masks/of_nothing.png"


HARMS = {
    "lines": (lose_lines,),
    "double lines": (double_lines,),
    "files": (harm_preview, lose_preview, lose_mask, harm_summary, leave_a_stray),
}
"""What is done to a dataset at once: to files of different views, which are not mended alike."""


@pytest.mark.parametrize("harms", HARMS.values(), ids=HARMS)
def test_what_verify_says_mends_what_was_rendered(rendered, harms):
    folder, request = rendered
    dataset = next(folder.glob("*/views.jsonl")).parent

    harmed = [harm(dataset) for harm in harms]

    mend(folder, *request, named=[path.relative_to(dataset).as_posix() for path in harmed])


@pytest.mark.parametrize("harm", [lose_lines, lose_mask], ids=lambda harm: harm.__name__)
def test_what_verify_says_mends_what_was_merged(rendered, tmp_path, harm):
    folder, _ = rendered
    merging = ("dataset", "merge", folder, "--out", tmp_path / "all", "--copy", "--prefix")
    assert here(*merging).returncode == 0

    harm(tmp_path / "all")
    told = here("dataset", "verify", tmp_path / "all")
    assert "farm dataset merge: also delete its views.jsonl, and merge again" in told.stderr
    (tmp_path / "all/views.jsonl").unlink()

    assert here(*merging).returncode == 0
    assert here("dataset", "verify", tmp_path / "all").returncode == 0


def test_a_blade_seen_edge_on_is_well_and_noted(assets, tmp_path):
    """No pixel of its mask is white: it is thinner than one. It was kept, so it counts."""
    (tmp_path / "blade.obj").write_text(
        "".join(f"v {x} {y} {z}\n" for x in (-0.003, 0.003) for y in (-0.5, 0.5) for z in (0, 1))
        + "f 1 2 4 3\nf 5 7 8 6\nf 1 5 6 2\nf 3 4 8 7\nf 1 3 7 5\nf 2 6 8 4\n"
    )
    done = run_farm(
        "render", "--models", tmp_path / "blade.obj", "--hdrs", assets.hdrs / "skyblue1-cccc.hdr",
        "--output", tmp_path / "ds", "--yaw", 4, "--pitch", 1, "--passes", PASSES,
        "--resolution", 160, "--samples", 4, "--workers", 1, "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    views = list(farm.dataset.open(tmp_path / "ds"))
    assert min(view["mask"].max() for view in views) < 127, "one is seen edge-on"

    verified = here("dataset", "verify", tmp_path / "ds", "--json")

    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "seen edge-on, or thin" in verified.stdout
    assert "rm -f" not in verified.stderr


def test_a_dataset_is_rendered_neither_into_another_nor_around_one(rendered, assets):
    folder, request = rendered
    flat = [*request, "--augmented", "--dry-run"]
    inner = next(folder.glob("*/views.jsonl")).parent
    into = [*request, "--dry-run"]
    into[into.index("--output") + 1] = inner

    around, within = here(*flat[: flat.index("--yaw")], *flat[-2:]), here(*into)

    assert (around.returncode, within.returncode) == (2, 2), around.stderr + within.stderr
    assert f"{folder}: holds the dataset {inner.parent}/" in around.stderr
    assert f"lies within the dataset {inner}" in within.stderr
    assert "choose another --output" in around.stderr
    assert run_farm(*request).returncode == 0, "what is there is continued"
