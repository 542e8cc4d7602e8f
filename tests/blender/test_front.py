"""Models are turned to show their front at yaw 0; labels and records know it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from farm.spec.recipes.sod import TURNS_DEG, SodSetup
from farm.spec.record import ViewRecord
from farm.spec.task import records_key
from farm.storage import FolderStorage
from tests.support.blender.rays import project
from tests.support.blender.shots import OurLease, Rendered, some_view, task_of
from worker.render.task import render_task

PASSES = ("rgb", "mask", "position", "normal_world", "index")
PITCH_DEG = 20.0


@pytest.fixture(scope="module")
def seen(blender, statue, sky, tmp_path_factory):
    """Render one view of the statue, with a side of it as its front."""

    def render(front: str, *, yaw: float, rotation: float = 30.0) -> Rendered:
        storage = FolderStorage(tmp_path_factory.mktemp("front"))
        view = some_view(yaw=yaw, pitch=PITCH_DEG, rotation=rotation)
        task = task_of(statue, sky, view, samples=4).model_copy(
            update={"passes": PASSES, "setup": SodSetup(front=front)}
        )
        render_task(
            task, session=blender, storage=storage, attempt=1, worker="here", lease=OurLease()
        )
        [line] = storage.get(records_key(task)).splitlines()
        return Rendered(storage, ViewRecord.model_validate_json(line))

    return render


@pytest.mark.parametrize("front", ["-y", "+x", "-x"])
def test_a_side_is_seen_at_yaw_0_as_without_turning_it_would_be_from_there(seen, front):
    turn = TURNS_DEG[front]

    turned = seen(front, yaw=0.0)
    from_there = seen("+y", yaw=turn % 360.0, rotation=(30.0 + turn) % 360.0)

    assert np.abs(turned["mask"].astype(int) - from_there["mask"]).mean() < 0.5
    assert np.abs(turned["rgb"].astype(int) - from_there["rgb"]).mean() < 1.0


def test_the_statue_does_not_look_alike_from_all_sides(seen):
    front, back = seen("+y", yaw=0.0)["mask"], seen("-y", yaw=0.0)["mask"]

    assert (front != back).mean() > 0.02


@pytest.mark.parametrize("front", ["-y", "+x"])
def test_labels_are_of_the_turned_model(seen, front):
    view = seen(front, yaw=40.0)
    hit = view["index"] > 0
    rows, columns = np.nonzero(hit)
    at = project(view.record.camera, view["position"][hit])

    assert np.abs(at - np.stack([columns + 0.5, rows + 0.5], axis=1)).max() < 0.01
    [thing] = view.record.objects
    matrix = np.array(view.record.camera.world_from_camera) @ np.array(thing.camera_from_object)
    own = (view["position"][hit] - matrix[:3, 3]) @ matrix[:3, :3]
    assert (np.abs(own) <= np.array(thing.size) / 2 + 1e-4).all()


def test_the_record_tells_the_front_that_was_asked_for(seen):
    assert seen("-y", yaw=0.0).record.values == {"front": "-y"}
    assert seen("+y", yaw=0.0).record.values == {}
