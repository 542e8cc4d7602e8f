"""The ids and names of `sod`: they find what earlier versions rendered, so they never move."""

from farm import expand
from farm.spec.asset import AssetFile
from farm.spec.task import view_id
from tests.builders import an_asset, the_job

VASE = an_asset("vase.blend")
LAMP = an_asset("lamp.glb").model_copy(
    update={"dependencies": (AssetFile(path="wood.png", sha256="ab" * 32, size_bytes=3),)}
)
SKIES = [an_asset("studio.exr", kind="hdr"), an_asset("night.hdr", kind="hdr")]
GRID = {"models": ["m"], "hdrs": ["h"], "recipe": {"kind": "sod", "yaw": 3, "pitch": 2}}
AUGMENTED = {
    "models": ["m"],
    "hdrs": ["h"],
    "dataset_name": "x",
    "recipe": {
        "mode": "augmented",
        "pitch": 3,
        "yaw_per_pitch": 2,
        "fit": True,
        "file_lights": True,
        "allow_empty_masks": True,
    },
    "render": {"resolution": "128x64", "samples": 4, "previews": False},
    "passes": ["rgb", "mask", "depth"],
    "seed": 7,
    "views_per_task": 4,
}


def test_a_grid_keeps_its_ids():
    job = the_job(GRID, models=[VASE, LAMP], hdrs=SKIES)

    assert (job.job_id, job.session) == ("9e13d2624f0e", "63671455")
    assert last_view(job, 0) == (
        "vase-studio-0000", "vase_studio", "view_240_45", 5, 579135877,
        "b7acf7ee5b61ecec611815e9dbdd1cda214dca9d19af5f0060296204dcb7b33a",
    )  # fmt: skip
    assert last_view(job, 3) == (
        "lamp-night-0000", "lamp_night", "view_240_45", 23, 121134958,
        "574e480e61a8b12735f882fb722f3bff8722fd6902dae788cd0c45da85987688",
    )  # fmt: skip


def test_an_augmented_dataset_keeps_its_ids():
    job = the_job(AUGMENTED, models=[VASE, LAMP], hdrs=SKIES)

    assert (job.job_id, job.session) == ("462ea96d4d4f", "0c23ce93")
    assert last_view(job, 0) == (
        "vase-studio-0000", "x", "0c23ce93_vase_studio_055_45_l_274_139", 3, 1892729132,
        "89c0066748c3613bdc258a27a7d197794464d424f007f882224998722332b7e4",
    )  # fmt: skip
    assert last_view(job, 7) == (
        "lamp-night-0001", "x", "0c23ce93_lamp_night_306_90_m_067_093", 17, 506869223,
        "49c48fa89b2fe63bd542eecc09ac0504116b6ba7e2b3daf09ecc0af6f22eaeb9",
    )  # fmt: skip


def last_view(job, index):
    task = expand.render_task(job, index)
    view = task.views[-1]
    return task.task_id, task.dataset, view.name, view.index, view.seed, view_id(task, view)
