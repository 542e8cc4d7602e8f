"""A background that is looked up is what Cycles converges to; models stay as they were."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from farm.spec.camera import PerspectiveLens, PoseCamera, orbit_matrix
from farm.spec.passes import AVERAGED, PASSES, VIEW_PASSES
from tests.support.blender.scenes import a_material, add_box, write_sky
from tests.support.blender.shots import WIDE, read_once, some_render, some_view, task_of
from worker.images.cut import Window
from worker.recipes import find_recipe
from worker.render.rendered import Rendered

FAR_OFF = {"distance": 4.0, "rotation": 70.0, "strength": 1.3}
PICTURE = ("rgb", "mask")


def seen(blender, model, hdr, view=None, *, passes=PICTURE, file_lights=False, **settings):
    """Return a view, rendered; its passes are those of the whole picture."""
    view = view or some_view(**FAR_OFF)
    settings = {"resolution_px": WIDE, "samples": 4} | settings
    task = task_of(model, hdr, view, file_lights=file_lights, **settings)
    blender.configure(task.render, passes)
    shot = find_recipe("sod").prepare(task, blender).arrange(view)
    path, cut = blender.render_view(seed=view.seed)
    return Rendered(view, shot, path, 0.0, 0.0, cut=cut)


def test_models_and_labels_are_those_of_a_whole_picture(labelled, statue, sky):
    passes = tuple(name for name in VIEW_PASSES if name != "rgb")
    settings = {"view": some_view(**FAR_OFF), "passes": ("rgb", *passes)}

    traced = labelled(statue, sky, **settings)
    looked_up = labelled(statue, sky, **settings, background="looked_up")

    assert {name: traced.data(name) for name in passes} == {
        name: looked_up.data(name) for name in passes
    }
    covered = traced["mask"] > 0
    assert np.array_equal(traced["rgb"][covered], looked_up["rgb"][covered])
    assert not np.array_equal(traced["rgb"], looked_up["rgb"])  # there is less noise
    assert traced.record.background == "traced"
    assert looked_up.record.background == "looked_up"


def test_a_picture_after_one_of_a_rectangle_is_whole(labelled, statue, sky):
    view = some_view(**FAR_OFF)
    before = labelled(statue, sky, view=view, passes=PICTURE)
    labelled(statue, sky, view=view, passes=PICTURE, background="looked_up")

    assert labelled(statue, sky, view=view, passes=PICTURE).data("rgb") == before.data("rgb")


def random_sky(folder, width: int):
    rng = np.random.default_rng(width)
    pixels = rng.gamma(1.0, size=(width // 2, width, 3)).astype(np.float32)
    return write_sky(folder / f"sky{width}.exr", pixels)


@pytest.mark.parametrize("width", [16, 256, 2048])
@pytest.mark.parametrize("pitch", [2.0, 89.0])
def test_the_background_is_what_cycles_converges_to(blender, statue, tmp_path, width, pitch):
    """Of skies coarser and finer than the pixels, at the horizon with its seam and at a pole."""
    hdr = random_sky(tmp_path, width)
    view = some_view(yaw=270.0, pitch=pitch, distance=5.0, rotation=33.0, strength=0.7)

    def picture(samples: int, background: str):
        asked = {"samples": samples, "background": background, "resolution_px": (40, 30)}
        return seen(blender, statue, hdr, view, **asked).read()

    reference = picture(4096, "traced")
    bare = reference.alpha == 0  # of all samples, so of the first ones, too
    truth = reference.layers["Environment"][bare]
    looked_up, noisy = (
        picture(64, how).layers["Environment"][bare] for how in ("looked_up", "traced")
    )

    def error(pixels: np.ndarray) -> float:
        return float(np.sqrt(np.mean((pixels - truth) ** 2)))

    assert looked_up.mean() == pytest.approx(truth.mean(), rel=0.001)
    assert error(looked_up) < 0.75 * error(noisy)


def test_the_light_of_a_lantern_has_the_strength_of_the_scene(blender, lantern, sky):
    """Its own light is not dimmed with the environment, whose strength is set in the scene."""
    traced = seen(blender, lantern, sky, samples=256).read()
    looked_up = seen(blender, lantern, sky, background="looked_up").read()

    bare = traced.alpha == 0
    level = traced.layers["Environment"][bare].mean()
    difference = traced.layers["Environment"][bare] - looked_up.layers["Environment"][bare]
    assert np.abs(difference).mean() < 0.01 * level


def test_only_the_rectangle_around_the_model_is_rendered(blender, statue, sky):
    rendered = seen(blender, statue, sky, background="looked_up")

    window = rendered.cut.window
    rows, columns = np.nonzero(rendered.read().alpha)
    assert window.area < 0.5 * WIDE[0] * WIDE[1]
    assert window.top < rows.min()
    assert rows.max() < window.bottom - 1
    assert window.left < columns.min()
    assert columns.max() < window.right - 1


def test_a_model_that_leaves_the_picture_is_cut_at_its_sides_alone(blender, statue, sky):
    near = some_view(distance=1.0)
    rendered = seen(blender, statue, sky, near, background="looked_up")
    looked_up, traced = rendered.read(), seen(blender, statue, sky, near).read()

    assert np.array_equal(looked_up.layers["Combined"], traced.layers["Combined"])


def test_a_model_that_reaches_out_of_its_bounds_is_rendered_whole(
    blender, statue, sky, monkeypatch
):
    from worker.blender import cutting

    monkeypatch.setattr(cutting, "outermost", lambda model: np.array([[0.0, 0.0, 0.0]]))

    rendered = seen(blender, statue, sky, background="looked_up")

    assert rendered.cut.window == Window(0, 0, *WIDE)
    assert np.array_equal(rendered.read().alpha, seen(blender, statue, sky).read().alpha)


@pytest.mark.parametrize("lens", [PerspectiveLens(), PerspectiveLens(shift_x=0.1, shift_y=-0.05)])
def test_of_several_models_the_rectangle_holds_all(blender, statue, lantern, sky, lens):
    """Through a camera by its pose, whose lens may be shifted."""

    def render(background: str):
        blender.configure(some_render(resolution_px=WIDE, samples=4, background=background))
        one, another = blender.load_models([statue, lantern])
        one.place(((0.3, 0, 0, -0.5), (0, 0.3, 0, 0), (0, 0, 0.3, 0), (0, 0, 0, 1)))
        another.place(((0.2, 0, 0, 0.7), (0, 0.2, 0, 0), (0, 0, 0.2, 0.1), (0, 0, 0, 1)))
        blender.load_hdr(sky)
        blender.set_light(1.0)
        pose = orbit_matrix(yaw_deg=10.0, pitch_deg=10.0, distance=4.0)
        blender.look_through(PoseCamera(world_from_camera=pose, lens=lens))
        path, cut = blender.render_view(seed=3)
        return cut, read_once(path)

    (_, traced), (cut, part) = render("traced"), render("looked_up")

    assert cut.window.area < 0.5 * WIDE[0] * WIDE[1]
    assert np.array_equal(cut.restore(part).layers["Combined"], traced.layers["Combined"])
    assert traced.alpha.any()


def lamp(scene):
    add_box(scene)
    item = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    item.location = (3.0, 0.0, 0.0)
    scene.collection.objects.link(item)


def catcher(scene):
    add_box(scene)
    add_box(scene, size=(9.0, 9.0, 0.01), at=(0, 0, -0.6)).is_shadow_catcher = True


def holdout(scene):
    add_box(scene)
    add_box(scene, at=(2.0, 0.0, 0.0)).is_holdout = True


def mist(scene):
    paint = a_material()
    tree = paint.node_tree
    volume = tree.nodes.new("ShaderNodeVolumePrincipled")
    tree.links.new(volume.outputs["Volume"], tree.nodes["Material Output"].inputs["Volume"])
    add_box(scene, material=paint)


def displaced(scene):
    paint = a_material()
    paint.displacement_method = "BOTH"
    tree = paint.node_tree
    moves = tree.nodes.new("ShaderNodeDisplacement")
    tree.links.new(
        moves.outputs["Displacement"], tree.nodes["Material Output"].inputs["Displacement"]
    )
    add_box(scene, material=paint)


@pytest.mark.parametrize("fill", [lamp, displaced])
def test_what_reaches_beyond_a_models_bounds_is_traced(blender, write_blend, sky, fill):
    rendered = seen(
        blender, write_blend(fill), sky, background="looked_up", file_lights=True, samples=1
    )

    rendered.drop()
    assert rendered.cut is None
    assert rendered.background == "traced"


@pytest.mark.parametrize("fill", [catcher, holdout, mist])
def test_what_models_are_shown_without_or_filled_with_is_not_in_the_way(
    blender, write_blend, sky, fill
):
    model = write_blend(fill)
    rendered = seen(blender, model, sky, background="looked_up")
    assert rendered.background == "looked_up"
    looked_up = rendered.read()

    assert np.array_equal(
        looked_up.layers["Combined"], seen(blender, model, sky).read().layers["Combined"]
    )


@pytest.mark.parametrize("background", ["traced", "looked_up"])
def test_a_mask_alone_needs_no_background(blender, statue, sky, monkeypatch, background):
    rendered = seen(blender, statue, sky, passes=("mask",), background=background)
    monkeypatch.setattr(blender, "_cut", lambda: None)
    whole = seen(blender, statue, sky, passes=("mask",))

    assert rendered.background == "traced"
    assert rendered.cut.window.area < WIDE[0] * WIDE[1]
    assert whole.cut is None
    assert np.array_equal(rendered.read().alpha, whole.read().alpha)


@pytest.mark.parametrize("mask", [(), ("mask",), ("mask", "diffuse", "specular", "cryptomatte")])
def test_labels_without_a_picture_are_those_of_a_whole_one(
    labelled, blender, statue, sky, monkeypatch, mask
):
    """Where there is no picture, pixels beside the models are known without a ray."""
    labels = tuple(name for name in VIEW_PASSES if PASSES[name].kind != "picture")
    passes = (*mask, *(name for name in labels if name not in AVERAGED))

    cut = labelled(statue, sky, view=some_view(**FAR_OFF), passes=passes)
    monkeypatch.setattr(blender, "_cut", lambda: None)
    whole = labelled(statue, sky, view=some_view(**FAR_OFF), passes=passes)

    assert {name: cut.data(name) for name in passes} == {name: whole.data(name) for name in passes}


@pytest.mark.parametrize("background", ["traced", "looked_up"])
def test_labels_beside_a_picture_take_rays_in_the_rectangle_alone(
    labelled, blender, statue, sky, monkeypatch, background
):
    from worker.blender import cutting

    windows, bordered = [], cutting.bordered
    monkeypatch.setattr(
        cutting, "bordered", lambda scene, window: windows.append(window) or bordered(scene, window)
    )
    settings = {"view": some_view(**FAR_OFF), "passes": VIEW_PASSES, "background": background}
    cut = labelled(statue, sky, **settings)
    monkeypatch.setattr(blender, "_window", lambda: None)
    whole = labelled(statue, sky, **settings | {"background": "traced"})

    assert len(windows) == (1 if background == "traced" else 2)
    labels = [name for name in VIEW_PASSES if name != "rgb"]
    assert {name: cut.data(name) for name in labels} == {name: whole.data(name) for name in labels}


def test_labels_of_a_model_that_reaches_out_of_its_bounds_are_whole(
    labelled, statue, sky, monkeypatch
):
    from worker.blender import cutting

    settings = {"view": some_view(**FAR_OFF), "passes": ("rgb", "mask", "normal")}
    before = labelled(statue, sky, **settings)
    monkeypatch.setattr(cutting, "outermost", lambda model: np.array([[0.0, 0.0, 0.0]]))

    assert labelled(statue, sky, **settings).data("normal") == before.data("normal")
