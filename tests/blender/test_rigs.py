"""Models in their frames, through the cameras of rigs, against rays that are cast by hand."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from farm import expand
from farm.soundness import tight_box
from farm.spec.camera import OrbitCamera
from farm.spec.recipes.sod import SodRig, SodSetup, SodView
from farm.spec.record import ViewRecord
from farm.spec.task import records_key
from farm.spec.view import Light
from farm.storage import FolderStorage
from tests.builders import a_job
from tests.support.blender import still_life
from tests.support.blender.rays import look, project, transform
from tests.support.blender.scenes import add_box, asset_of
from tests.support.blender.shots import OurLease, Rendered, some_render, task_of
from worker.render.task import render_task

PASSES = (
    "rgb", "mask", "index", "depth", "distance", "position", "normal", "normal_world",
)  # fmt: skip
SIZE = (64, 48)
FLAT = {"orthographic_width": 1.4}
FRAMES = ("unit-cube", "unit-sphere", "unit-diagonal", "file")


@pytest.fixture(scope="module")
def seen(blender, still, sky, tmp_path_factory):
    """Render one view of the known things."""

    def render(
        *, frame: str = "unit-cube", rotation: float = 70.0, passes=PASSES, model=None, **camera
    ) -> Rendered:
        storage = FolderStorage(tmp_path_factory.mktemp("rigs"))
        orbit = OrbitCamera(**({"yaw_deg": 200.0, "pitch_deg": -15.0, "distance": 2.6} | camera))
        view = SodView(
            index=0, name="view_0000", camera=orbit, light=Light(rotation_deg=rotation), seed=7
        )
        task = task_of(model or still, sky, view, resolution_px=SIZE, samples=4).model_copy(
            update={"passes": passes, "setup": SodSetup(frame=frame)}
        )
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
        [line] = storage.get(records_key(task)).splitlines()
        return Rendered(storage, ViewRecord.model_validate_json(line))

    return render


def size_in(frame: str, sizes: np.ndarray, points: np.ndarray) -> float:
    """How large the box of points is in a frame, from what the frame says."""
    if frame == "file":
        return float(sizes.max())
    if frame == "unit-cube":
        return 1.0
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    whole = np.linalg.norm(points - middle, axis=1).max() if frame == "unit-sphere" else None
    return float(sizes.max() / (whole or np.linalg.norm(sizes)))


def scale_of(shown: Rendered) -> float:
    """How many units of its world one of the file is."""
    return float(np.linalg.norm(np.array(shown.record.objects[0].world_from_file)[0, :3]))


def outline() -> np.ndarray:
    """Points of the known things that stand out, in their file."""
    return np.concatenate([solid.outline() for solid in still_life.solids()])


def assert_labels_are_those_of_rays(shown: Rendered) -> None:
    camera = shown.record.camera
    rays = look(camera, SIZE, still_life.placed(shown.record))
    flat = rays.which > 1
    far = rays.distance[flat]
    assert flat.sum() > 30
    assert (shown["index"] != rays.which).sum() <= 2  # at the rim of the ball
    same = flat & (shown["index"] == rays.which)
    for name in ("depth", "distance"):
        assert np.abs(shown[name][same] - getattr(rays, name)[same]).max() / far.max() < 5e-4
    assert np.abs(shown["position"] - rays.position)[same].max() / far.max() < 5e-4
    for name in ("normal", "normal_world"):
        assert np.abs(shown[name] - getattr(rays, name))[same].max() < 1e-4
    [thing] = shown.record.objects
    assert thing.box_px == tight_box(shown["mask"] / 255)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("flat", [False, True], ids=["pinhole", "orthographic"])
def test_labels_are_those_of_rays_in_every_frame(seen, frame, flat):
    """The file's own things are about 3 units apart, off its origin."""
    scale = {"unit-cube": 1.0, "unit-sphere": 1.8, "unit-diagonal": 0.6, "file": 4.0}[frame]
    camera = {"distance": 2.6 * scale} | ({"orthographic_width": 1.4 * scale} if flat else {})

    shown = seen(frame=frame, **camera)

    assert shown.record.camera.model == ("orthographic" if flat else "pinhole")
    assert_labels_are_those_of_rays(shown)
    told = shown.record.values.get("frame", "unit-cube")
    assert told == frame


@pytest.mark.parametrize("frame", FRAMES)
def test_the_record_takes_the_file_into_the_frame(seen, frame):
    shown = seen(frame=frame, distance=8.0, passes=("rgb", "mask"))
    [thing] = shown.record.objects
    matrix = np.array(thing.world_from_file)
    points = outline()
    sizes = points.max(axis=0) - points.min(axis=0)

    placed = transform(points, matrix)
    expected = size_in(frame, sizes, points)
    assert max(thing.size) == pytest.approx(expected, rel=2e-3)
    assert (placed.max(axis=0) - placed.min(axis=0)).max() == pytest.approx(expected, rel=2e-3)
    middle = (placed.max(axis=0) + placed.min(axis=0)) / 2
    own = np.array(shown.record.camera.world_from_camera) @ np.array(thing.camera_from_object)
    np.testing.assert_allclose(own[:3, 3], middle, atol=2e-3 * expected)
    if frame == "file":
        np.testing.assert_array_equal(matrix, np.eye(4))
    else:
        np.testing.assert_allclose(middle, 0.0, atol=2e-3)
    scale = np.linalg.norm(matrix[:3, 0])
    assert shown.record.metres_per_unit == pytest.approx(0.01 / scale)


def test_parallel_rays_see_the_same_size_from_everywhere(seen):
    near, far = (seen(distance=distance, **FLAT) for distance in (1.5, 40.0))

    assert np.array_equal(near["index"], far["index"])
    assert np.array_equal(near["mask"], far["mask"])
    hit = near["index"] > 0
    np.testing.assert_allclose(far["depth"][hit] - near["depth"][hit], 38.5, atol=1e-4)
    assert near.record.camera.lens.px_per_unit == pytest.approx(64 / 1.4)


def test_points_of_parallel_rays_fall_where_they_are_seen(seen):
    shown = seen(**FLAT)
    hit = shown["index"] > 0
    rows, columns = np.nonzero(hit)
    at = project(shown.record.camera, shown["position"][hit])

    assert np.abs(at - np.stack([columns + 0.5, rows + 0.5], axis=1)).max() < 0.01


def test_behind_parallel_rays_is_one_colour_of_the_environment(seen):
    """That of the direction in which they all look."""
    shown = seen(passes=("rgb", "mask"), **FLAT)
    sky = shown["rgb"][shown["mask"] == 0].astype(int)

    assert len(sky) > 500
    assert np.ptp(sky, axis=0).max() <= 2


def test_a_frame_changes_units_and_not_what_is_seen(seen):
    cube = seen(distance=2.6)
    some = seen(frame="unit-sphere", passes=("rgb", "mask"))
    scale = scale_of(some) / scale_of(cube)

    ball = seen(frame="unit-sphere", distance=2.6 * scale)

    assert (cube["index"] != ball["index"]).sum() <= 2
    both = (cube["index"] > 1) & (ball["index"] > 1)
    np.testing.assert_allclose(ball["depth"][both], cube["depth"][both] * scale, rtol=1e-3)
    assert np.abs(cube["rgb"].astype(int) - ball["rgb"]).mean() < 2


@pytest.mark.parametrize("frame", ["unit-sphere", "file"])
def test_fit_fills_the_picture_in_every_frame(seen, frame):
    shown = seen(frame=frame, fit=True, distance=1.0)
    mask = shown["mask"] > 127
    rows, columns = np.nonzero(mask)

    assert max(np.ptp(columns) / SIZE[0], np.ptp(rows) / SIZE[1]) > 0.55
    assert not mask[0].any()
    assert not mask[-1].any()
    assert not mask[:, [0, -1]].any()
    assert_labels_are_those_of_rays(shown)


def test_the_cameras_of_a_rig_see_what_their_azimuths_say(blender, sky, write_blend, tmp_path):
    """Three panels around the middle, each to be seen from its own side alone."""

    def panels(scene):
        for name, (x, y) in {"front": (0, -1), "right": (1, 0), "back": (0, 1)}.items():
            add_box(scene, name=name, at=(x, y, 0), size=(0.1 + abs(y), 0.1 + abs(x), 1.0))

    job = a_job(recipe=SodRig(elevations="0", azimuths="0,90,180"), passes=("rgb", "mask", "index"))
    task = expand.render_task(job, 0)
    model = write_blend(panels)
    task = task.model_copy(
        update={"assets": (model, sky), "render": some_render(samples=1), "dataset": "vases"}
    )
    storage = FolderStorage(tmp_path / "out")
    render_task(task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease())
    records = [
        ViewRecord.model_validate_json(line) for line in storage.get(records_key(task)).splitlines()
    ]

    middles = []
    for record in sorted(records, key=lambda record: record.view.index):
        names = {label.index: label.name for label in record.indices}
        middles.append(names[int(Rendered(storage, record)["index"][32, 32])])
    assert middles == ["front", "right", "back"]


@pytest.mark.parametrize("size", [1e-3, 1e4])
def test_models_of_any_size_are_seen_alike_in_their_own_units(seen, tmp_path, size):
    path = tmp_path / "box.obj"
    corners = [(x, y, z) for x in (0, 1) for y in (0, 0.5) for z in (0, 0.7)]
    faces = ("1 2 4 3", "5 7 8 6", "1 5 6 2", "3 4 8 7", "1 3 7 5", "2 6 8 4")
    path.write_text(
        "".join(f"v {x * size:g} {y * size:g} {z * size:g}\n" for x, y, z in corners)
        + "".join(f"f {face}\n" for face in faces)
    )
    model = asset_of(path)
    camera = {"model": model, "fit": True, "distance": 1.0, "frame": "file"}

    shown = seen(**camera)
    hit = shown["index"] > 0
    rows, columns = np.nonzero(hit)
    at = project(shown.record.camera, shown["position"][hit])
    own = np.array(shown.record.objects[0].world_from_file)

    assert 0.1 < hit.mean() < 0.6
    assert np.abs(at - np.stack([columns + 0.5, rows + 0.5], axis=1)).max() < 0.02
    np.testing.assert_array_equal(own, np.eye(4))
    low, high = shown["position"][hit].min(axis=0), shown["position"][hit].max(axis=0)
    assert (low > -1.01 * size).all()  # y and z are turned as Blender reads them
    assert (high < 1.01 * size).all()
    assert max(shown.record.objects[0].size) == pytest.approx(size, rel=1e-5)


def test_lamps_of_a_file_are_as_bright_in_every_frame(blender, write_blend, sky, tmp_path):
    def lit(scene):
        add_box(scene, size=(3.0, 2.0, 1.0))
        lamp = bpy.data.lights.new("lamp", "POINT")
        lamp.energy = 3000.0
        placed = bpy.data.objects.new("lamp", lamp)
        placed.location = (1.0, -4.0, 3.0)
        scene.collection.objects.link(placed)

    model = write_blend(lit)
    means = {}
    for frame, distance in {"unit-cube": 2.6, "unit-sphere": 4.17, "file": 7.8}.items():
        view = SodView(
            index=0,
            name="view_0000",
            camera=OrbitCamera(yaw_deg=180.0, pitch_deg=30.0, distance=distance),
            light=Light(strength=0.05),
            seed=7,
        )
        task = task_of(model, sky, view, samples=16).model_copy(
            update={"setup": SodSetup(file_lights=True, frame=frame)}
        )
        storage = FolderStorage(tmp_path / frame)
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
        [line] = storage.get(records_key(task)).splitlines()
        shown = Rendered(storage, ViewRecord.model_validate_json(line))
        means[frame] = shown["rgb"][shown["mask"] > 250].mean()

    assert means["unit-cube"] > 30
    for frame in ("unit-sphere", "file"):
        assert means[frame] == pytest.approx(means["unit-cube"], rel=0.05)


def test_the_object_is_cut_out_of_parallel_rays(seen):
    """Over what is behind it, which is of one colour, it gives the picture again."""
    shown = seen(passes=("rgb", "mask", "foreground_linear", "background_linear", "linear"), **FLAT)
    front, back = shown["foreground_linear"], shown["background_linear"]

    assert np.ptp(back.reshape(-1, 3).astype(float), axis=0).max() < 0.02
    whole = front[..., :3] + (1 - front[..., 3:]) * back.astype(float)
    assert np.abs(whole - shown["linear"]).max() < 4e-3
