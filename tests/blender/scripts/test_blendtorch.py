"""Scripts for blendtorch run as they are: the farm counts the frames, and renders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farm.errors import ScriptError
from tests.support.blender.scenes import add_box, asset_of, blend_file
from tests.support.blender.scripted import a_script_job, render, scene_asset, script_asset

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_minimal_cube(blender, tmp_path):
    script = script_asset(tmp_path, (EXAMPLES / "cube/cube.blend.py").read_text(), "cube.blend.py")
    job = a_script_job(script, views=3, samples=4)

    views = render(blender, tmp_path / "out", job)

    assert [view.record.fields["frameid"] for view in views] == [0, 1, 2]
    assert [view.record.values["pictures"] for view in views] == [{"image": "rgb"}] * 3
    for view in views:
        corners, inside = np.array(view.record.fields["xy"]), np.argwhere(view["index"] == 1)
        assert corners.shape == (8, 2)
        assert corners.min(axis=0) == pytest.approx(inside.min(axis=0)[::-1], abs=1.5)
        assert corners.max(axis=0) == pytest.approx(inside.max(axis=0)[::-1] + 1, abs=1.5)
    hues = [view["rgb"][view["mask"] == 255].mean(axis=0) for view in views]
    assert np.ptp(np.array(hues) / np.sum(hues, axis=1, keepdims=True), axis=0).max() > 0.05


FALLING = """
import numpy as np
import bpy

from blendtorch import btb

def main():
    args, remainder = btb.parse_blendtorch_args()
    np.random.seed(args.btseed)
    cam = bpy.context.scene.camera
    cubes = list(bpy.data.collections["Cubes"].objects)
    for idx, c in enumerate(cubes):
        mat = bpy.data.materials.new(name=f"random{idx}")
        mat.diffuse_color = np.concatenate((np.random.random(size=3), [1.0]))
        c.data.materials.append(mat)
        c.active_material = mat

    def pre_anim():
        xyz = np.random.uniform((-3, -3, 6), (3, 3, 12.0), size=(len(cubes), 3))
        rot = np.random.uniform(-np.pi, np.pi, size=(len(cubes), 3))
        for idx, c in enumerate(cubes):
            c.location = xyz[idx]
            c.rotation_euler = rot[idx]

    def post_frame(off, pub):
        xy = [btb.camera.project_points(c, camera=cam) for c in cubes]
        pub.publish(image=off.render(), xy=np.concatenate(xy, axis=0),
                    frameid=bpy.context.scene.frame_current,
                    z=[c.evaluated_get(bpy.context.evaluated_depsgraph_get())
                       .matrix_world.translation.z for c in cubes])

    pub = btb.BlenderOutputChannel(args.btsockets["DATA"], args.btid)
    off = btb.OffScreenRenderer(mode="rgb")
    off.view_matrix = btb.camera.view_matrix()
    off.proj_matrix = btb.camera.projection_matrix()
    off.set_render_style(shading="RENDERED", overlays=False)

    anim = btb.AnimationController()
    anim.pre_animation.add(pre_anim)
    anim.post_frame.add(post_frame, off, pub)
    anim.play(frame_range=(0, 3), num_episodes=-1)

main()
"""


@pytest.fixture(scope="module")
def cubes_scene(blender, tmp_path_factory):
    """Two cubes that fall, in a collection, above a camera that looks up to them."""
    import bpy

    path = tmp_path_factory.mktemp("scene") / "falling_cubes.blend"
    blender.free_model()
    with blend_file(path) as scene, bpy.context.temp_override(scene=scene):
        collection = bpy.data.collections.new("Cubes")
        scene.collection.children.link(collection)
        bpy.ops.rigidbody.world_add()
        scene.rigidbody_world.collection = bpy.data.collections.new("bodies")
        for number in range(2):
            cube = add_box(scene, name=f"cube{number}")
            scene.collection.objects.unlink(cube)
            collection.objects.link(cube)
            scene.rigidbody_world.collection.objects.link(cube)
        camera = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
        camera.location, camera.rotation_euler = (0, -30, 9), (1.5708, 0, 0)
        scene.collection.objects.link(camera)
        scene.camera = camera
        scene.world = bpy.data.worlds.new("sky")
    return scene_asset(asset_of(path))


def test_falling_cubes(blender, tmp_path, cubes_scene):
    job = a_script_job(script_asset(tmp_path, FALLING), cubes_scene, views=8)

    views = render(blender, tmp_path / "out", job)

    fields = [view.record.fields for view in views]
    assert [each["frameid"] for each in fields] == [0, 1, 2, 3] * 2
    heights = np.array([each["z"] for each in fields]).reshape(2, 4, 2)
    # Where chance lets them begin in one another, they part: their middle falls in any case.
    assert (np.diff(heights.mean(axis=2), axis=1) < 0).all()
    assert (heights[0, 0] != heights[1, 0]).all()
    for view in views:
        corners, inside = np.array(view.record.fields["xy"]), np.argwhere(view["index"] > 0)
        assert len(corners) == 16
        assert inside.min(axis=0) == pytest.approx(
            np.clip(corners.min(axis=0), 0, 64)[::-1], abs=1.5
        )
    assert views[-1].record.deterministic is True


def test_the_farm_may_cut_episodes_otherwise(blender, tmp_path, cubes_scene):
    job = a_script_job(script_asset(tmp_path, FALLING), cubes_scene, views=4, episode=2)

    fields = [view.record.fields for view in render(blender, tmp_path / "out", job)]

    assert [each["frameid"] for each in fields] == [0, 1] * 2


SIGNALS = """
from blendtorch import btb
CALLS = []
anim = btb.AnimationController()
for name in ("pre_play", "pre_animation", "pre_frame", "post_frame", "post_animation"):
    getattr(anim, name).add(CALLS.append, name)
pub = btb.DataPublisher("", 0)
def tell():
    pub.publish(calls=CALLS, frame=anim.frameid)
    CALLS.clear()
anim.pre_frame.add(lambda: None)
anim.post_animation.add(tell)
anim.post_frame.add(lambda: pub.publish(calls=CALLS, frame=anim.frameid))
anim.play(frame_range=(3, 5), num_episodes=2, use_animation=False)
"""


def test_signals_come_in_their_order(blender, tmp_path):
    views = render(blender, tmp_path / "o", a_script_job(script_asset(tmp_path, SIGNALS), views=6))

    frame = ["pre_frame", "post_frame"]
    assert [view.record.fields["frame"] for view in views] == [3, 4, 5] * 2
    assert views[2].record.fields["calls"] == [
        "pre_play", "pre_animation", *frame * 3, "post_animation",
    ]  # fmt: skip
    assert views[5].record.fields["calls"] == ["pre_animation", *frame * 3, "post_animation"]


CAMERA = """
import bpy, numpy as np
import btb
from btb.camera import Camera
cube = bpy.data.objects["Cube"]
anim = btb.AnimationController()
pub = btb.DataPublisher("", 0)
def tell():
    cam = btb.Camera()
    cam.look_at(look_at=(0, 0, 0), look_from=(4, -6, 3))
    points = btb.utils.world_coordinates(cube)
    ndc, depth = cam.world_to_ndc(points, return_depth=True)
    pub.publish(
        mesh=cam.object_to_pixel(cube), box=cam.bbox_object_to_pixel(cube), depth=depth,
        ndc=cam.ndc_to_pixel(ndc), low=cam.ndc_to_pixel(ndc, origin="lower-left"),
        view=cam.view_matrix, proj=cam.proj_matrix, shape=cam.shape, kind=cam.type,
        seen=btb.utils.compute_object_visibility(cube, cam, N=50),
        away=np.linalg.norm(btb.utils.random_spherical_loc(radius_range=(2, 3))),
        hom=btb.utils.dehom(btb.utils.hom(points)),
    )
anim.post_frame.add(tell)
anim.play(frame_range=(0, 9))
"""


def test_a_camera_projects_as_the_farm_renders(blender, tmp_path):
    job = a_script_job(script_asset(tmp_path, CAMERA), views=1, passes=("index", "depth"))

    [view] = render(blender, tmp_path / "out", job)

    told = {name: np.array(value) for name, value in view.record.fields.items()}
    [thing] = view.record.objects
    corners = np.array(thing.corners_px)
    ours = told["mesh"][np.lexsort(told["mesh"].T)]
    assert ours == pytest.approx(corners[np.lexsort(corners.T)], abs=0.05)
    assert told["ndc"] == pytest.approx(told["mesh"], abs=1e-6)
    assert told["low"][:, 1] == pytest.approx(64 - told["mesh"][:, 1], abs=1e-6)
    assert told["view"].shape == told["proj"].shape == (4, 4)
    nearest = view["depth"][view["index"] > 0].min()
    assert told["depth"].min() == pytest.approx(nearest, abs=0.1)
    assert 0.4 < told["seen"] <= 1
    assert 2 <= told["away"] <= 3
    assert told["hom"].shape == (8, 3)


DUPLEX = """
from blendtorch import btb
import bpy
duplex = btb.DuplexChannel("", 0)
anim = btb.AnimationController()
def pre():
    told = duplex.recv(timeoutms=0)
    bpy.data.objects["Cube"].scale = [told["size"]] * 3
    assert duplex.recv() is None
anim.pre_frame.add(pre)
anim.post_frame.add(lambda: duplex.send(size=bpy.data.objects["Cube"].scale[0]))
anim.play()
"""


def test_a_duplex_channel_gives_the_parameters_of_the_view(blender, tmp_path):
    randomise = {"size": {"kind": "uniform", "low": 0.5, "high": 1.5}}
    job = a_script_job(script_asset(tmp_path, DUPLEX), randomise=randomise)

    for view in render(blender, tmp_path / "out", job):
        size = view.record.view.params["size"]
        assert view.record.fields["size"] == pytest.approx(size, abs=1e-6)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("btb.OffScreenRenderer(mode='rgb').render().mean()", "the farm renders the picture when"),
        ("btb.OffScreenRenderer(mode='rgb').render()[0]", "the farm renders the picture when"),
        ("btb.CompositeRenderer([])", "name the passes that it took apart with --passes"),
        ("btb.env.BaseEnv", "runs no environments"),
        ("btb.nothing", "btb has no 'nothing' on this farm; it has AnimationController"),
        ("btb.AnimationController().play(frame_range=(5, 2))", "5 to 2 are not frames"),
        ("btb.DataPublisher('', 0).publish(a={})", "publish: field 'a' is a dict: a field must be"),
        ("btb.OffScreenRenderer(mode='depth')", "mode 'depth' is not one of rgb, rgba"),
    ],
)
def test_what_cannot_be_had_is_told_in_a_sentence(blender, tmp_path, line, words):
    script = script_asset(tmp_path, f"from blendtorch import btb\n{line}\n")

    with pytest.raises(ScriptError, match=r"cubes\.py, line 2") as caught:
        render(blender, tmp_path / "out", a_script_job(script))
    assert words in str(caught.value)
