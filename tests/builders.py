"""What tests are not about: whole, valid things, with the one interesting value given."""

from __future__ import annotations

import hashlib

from farm.spec.asset import Asset, AssetKind
from farm.spec.base import digest
from farm.spec.camera import OrbitCamera, orbit_matrix
from farm.spec.job import Job, JobSpec, make_job
from farm.spec.load import parse_spec
from farm.spec.passes import PASS_FOLDERS, PassName
from farm.spec.recipes.base import Recipe
from farm.spec.recipes.sod import SodGrid, SodSetup, SodView
from farm.spec.record import CameraRecord, FileRecord, Timings, ViewRecord
from farm.spec.render import ResolvedRender
from farm.spec.task import RenderTask
from farm.spec.view import Light, View


def an_asset(name: str = "vase.blend", *, kind: AssetKind = "model") -> Asset:
    """Known by its name: equal names are equal assets."""
    return Asset(
        kind=kind,
        role=f"{kind}s",
        id=name[:8].partition(".")[0],
        name=name,
        path=f"/assets/{name}",
        sha256=digest(name),
        size_bytes=1000,
    )


def a_job(*, models: int = 1, hdrs: int = 1, recipe: Recipe | None = None, **spec: object) -> Job:
    """So many models under so many HDRIs; their ids are `model000`, `hdr00000` and so on."""
    fields = {"models": ("m",), "hdrs": ("h",), "recipe": recipe or SodGrid()} | spec
    return make_job(
        JobSpec(**fields),
        [
            *(an_asset(f"model{n:03d}.blend") for n in range(models)),
            *(an_asset(f"hdr{n:05d}.exr", kind="hdr") for n in range(hdrs)),
        ],
    )


def the_job(spec: dict[str, object], *, models: list[Asset], hdrs: list[Asset]) -> Job:
    """The job of a spec as people write it, with these assets."""
    return make_job(parse_spec(spec), [*models, *hdrs])


def a_view(index: int = 0, *, name: str | None = None, **camera: float) -> SodView:
    placed = {"yaw_deg": 45.0, "pitch_deg": 20.0, "distance": 3.5} | camera
    return SodView(
        index=index,
        name=name or f"view_{index:03d}",
        camera=OrbitCamera(**placed),
        light=Light(),
        seed=index,
    )


def a_task(
    index: int = 0,
    *,
    dataset: str = "vases",
    views: int | tuple[View, ...] = 3,
    model: Asset | None = None,
    hdr: Asset | None = None,
    **changes: object,
) -> RenderTask:
    assets = (model or an_asset(), hdr or an_asset("studio.exr", kind="hdr"))
    task = RenderTask(
        job_id="job",
        index=index,
        task_id=f"vase-studio-{index:04d}",
        dataset=dataset,
        title=" · ".join(asset.title for asset in assets),
        group=assets[0].content,
        recipe="sod",
        assets=assets,
        setup=SodSetup(),
        render=ResolvedRender(
            resolution_px=(64, 64),
            samples=1,
            denoise=False,
            format="png",
            bit_depth=8,
            view_transform="AgX",
        ),
        passes=("rgb", "mask"),
        views=tuple(a_view(index * views + place) for place in range(views))
        if isinstance(views, int)
        else views,
    )
    return task.model_copy(update=changes)


def a_record(
    view: View | None = None,
    *,
    files: dict[PassName, bytes] | None = None,
    suffix: str = "png",
    model: Asset | None = None,
    hdr: Asset | None = None,
    camera: CameraRecord | None = None,
    **changes: object,
) -> ViewRecord:
    """A record of a view whose files hold `files`."""
    assets = (model or an_asset(), hdr or an_asset("studio.exr", kind="hdr"))
    view = view or a_view()
    record = ViewRecord(
        view_id=digest(view.name, view.seed),
        view=view,
        title=" · ".join(asset.title for asset in assets),
        group=assets[0].content,
        task_id="vase-studio-0000",
        attempt=1,
        worker="here",
        files={
            name: FileRecord(
                path=f"{PASS_FOLDERS[name]}/{view.name}.{suffix}",
                sha256=hashlib.sha256(data).hexdigest(),
                size_bytes=len(data),
            )
            for name, data in (files or {"rgb": b"picture", "mask": b"mask"}).items()
        },
        resolution_px=(64, 64),
        camera=camera or an_orbit_record(view),
        assets=assets,
        samples=1,
        denoiser=None,
        device="cpu",
        true_strength=False,
        coverage=0.25,
        versions={"viewfarm": "0.1.0", "blender": "5.2.3"},
        timings=Timings(
            load_s=0.0, render_s=0.1, sample_s=0.1, read_s=0.0, encode_s=0.0, write_s=0.0
        ),
    )
    return record.model_copy(update=changes)


def an_orbit_record(view: View) -> CameraRecord:
    """The camera of a view on a dome."""
    camera = view.camera
    return CameraRecord(
        world_from_camera=orbit_matrix(
            yaw_deg=camera.yaw_deg, pitch_deg=camera.pitch_deg, distance=camera.distance
        ),
        fx_px=88.9,
        fy_px=88.9,
        cx_px=32.0,
        cy_px=32.0,
        distance=camera.distance,
    )
