"""Each label of a pixel is of one surface: the first that is at least half opaque there."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from farm.spec.passes import VIEW_PASSES
from tests.support.blender import panes
from tests.support.blender.rays import look, settled
from tests.support.blender.scenes import add_box, asset_of
from tests.support.blender.shots import WIDE, some_view
from worker.blender.materials.transparency import may_let_through

LABELS = tuple(name for name in VIEW_PASSES if name not in ("rgb", "mask", "cryptomatte"))
ABOVE = some_view(yaw=20.0, pitch=45.0)
ALPHAS = (0.0, 0.3, 0.49, 0.5, 0.7)
KINDS = {
    "mix": panes.mixed,
    "mix-flipped": lambda alpha: panes.mixed(alpha, flipped=True),
    "add": panes.summed,
    "group": panes.wrapped,
    "muted": panes.muted,
    "light-path": panes.for_camera,
}


def expect(shown, layers, *, slack: int = 0):
    """Compare every label with what rays see of the (number, solid) that count.

    Pixels whose centre is at an edge are left out.
    """
    camera = shown.record.camera
    solids = [solid for _, solid in layers]
    numbers = np.array([0, *(number for number, _ in layers)])
    seen = look(camera, WIDE, solids)
    sure = settled(camera, WIDE, solids)
    compare(shown, numbers[seen.which], seen, sure, slack=slack)
    return numbers[seen.which]


def compare(shown, numbers, seen, sure, *, slack: int = 0):
    """Compare every label with the `numbers` and what rays see, where it is `sure`."""
    there = numbers > 0
    assert np.count_nonzero((shown["index"] != numbers) & sure) <= slack
    same = sure & (shown["index"] == numbers)
    assert np.array_equal(shown["material"] > 0, shown["index"] > 0)
    for name in ("depth", "distance"):
        expected = np.where(there, getattr(seen, name), np.inf)
        np.testing.assert_allclose(shown[name][same], expected[same], rtol=5e-5)
    for name in ("normal", "normal_world", "position"):
        expected = np.where(there[..., None], getattr(seen, name), 0.0)
        np.testing.assert_allclose(shown[name][same], expected[same], atol=2e-4)
    agree(shown)


def agree(shown):
    """In each pixel either all labels tell of something, or none does."""
    there = shown["index"] > 0
    for name in ("depth", "distance"):
        assert np.array_equal(np.isfinite(shown[name]), there), name
    for name in ("normal", "normal_world", "position"):
        assert np.array_equal(shown[name].any(axis=-1), there), name
    assert np.array_equal(shown["material"] > 0, there)
    for name in ("uv", "flow_forward", "flow_backward"):
        assert not shown[name][~there].any(), name


@pytest.fixture
def before(labelled, write_blend, sky):
    """Render what a material makes of a sheet before a smaller one that is solid."""

    def run(make, view=ABOVE, **settings):
        def fill(scene):
            panes.add_sheet(scene, "front", make(), z=panes.FRONT_Z)
            panes.add_sheet(scene, "back", panes.paint(), z=panes.BACK_Z, side=panes.BACK_SIDE)

        return labelled(write_blend(fill), sky, view, **settings)

    return run


def front(shown):
    return 2, panes.sheet(shown.record, z=panes.FRONT_Z)


def back(shown):
    return 1, panes.sheet(shown.record, z=panes.BACK_Z, side=panes.BACK_SIDE)


@pytest.mark.parametrize(
    ("make", "alpha"),
    [
        *(pytest.param(panes.paint, alpha, id=f"principled-{alpha}") for alpha in ALPHAS),
        *(
            pytest.param(make, alpha, id=f"{name}-{alpha}")
            for name, make in KINDS.items()
            for alpha in (0.3, 0.7)
        ),
    ],
)
def test_a_surface_is_labelled_from_half_opaque_on(before, make, alpha):
    shown = before(lambda: make(alpha))

    which = expect(shown, [front(shown), back(shown)] if alpha >= 0.5 else [back(shown)])

    assert shown.record.see_through
    assert ((which == 2).any(), (which == 1).any()) == (alpha >= 0.5, True)


@pytest.mark.parametrize("samples", [1, 4, 64])
@pytest.mark.parametrize("alpha", [0.3, 0.7])
def test_many_samples_and_one_tell_the_same(before, alpha, samples):
    shown = before(lambda: panes.paint(alpha), samples=samples)
    alone = before(lambda: panes.paint(alpha), passes=("depth", "index", "normal"))

    expect(shown, [front(shown), back(shown)] if alpha >= 0.5 else [back(shown)])
    for name in ("depth", "index", "normal"):
        assert shown.data(name) == alone.data(name), name


def test_uv_and_numbers_are_of_what_is_behind(before):
    shown = before(lambda: panes.paint(0.3))
    numbers = expect(shown, [back(shown)])
    local = (
        shown["position"]
        @ np.linalg.inv(np.array(shown.record.objects[0].world_from_file))[:3, :3].T
    )

    behind = numbers == 1

    expected = local[behind][:, :2] / panes.BACK_SIDE + 0.5
    np.testing.assert_allclose(shown["uv"][behind], expected, atol=1e-3)
    # The two paints are called `paint` and `paint.001`, in the order of making.
    assert set(np.unique(shown["material"])) == {0, 2}


def test_uv_beside_a_picture_is_that_of_the_mesh_without_a_texture_too(labelled, write_blend, sky):
    """Cycles takes it along only if it is asked for from the first render of a model on."""
    model = write_blend(lambda scene: panes.add_sheet(scene, "sheet", panes.paint(), z=0.0))
    alone = labelled(model, sky, ABOVE, passes=("uv",))

    beside = labelled(model, sky, ABOVE, passes=("rgb", "depth", "uv"))

    assert alone["uv"].max() > 0.9
    assert beside.data("uv") == alone.data("uv")


def test_the_mask_stays_the_share_that_is_covered(before):
    """Labels take sides, the picture does not."""
    shown = before(lambda: panes.paint(0.3), samples=64)
    alone = look(shown.record.camera, WIDE, [front(shown)[1]]).which > 0
    alone &= look(shown.record.camera, WIDE, [back(shown)[1]]).which == 0

    assert abs(shown["mask"][alone].mean() / 255 - 0.3) < 0.03
    assert not shown["index"][alone].any()


@pytest.mark.parametrize("count", [3, 12])
def test_layers_that_are_each_less_than_half_opaque_are_all_looked_through(
    labelled, write_blend, sky, count
):
    """More of them, too, than a picture looks through."""

    def fill(scene):
        for place in range(count):
            name = f"pane{place:02d}"
            panes.add_sheet(scene, name, panes.paint(0.4), z=0.5 - 0.05 * place)
        panes.add_sheet(scene, "zback", panes.paint(), z=panes.BACK_Z, side=panes.BACK_SIDE)

    shown = labelled(write_blend(fill), sky, ABOVE)

    number = count + 1
    expect(shown, [(number, panes.sheet(shown.record, z=panes.BACK_Z, side=panes.BACK_SIDE))])


def test_of_several_layers_the_first_that_is_half_opaque_counts(labelled, write_blend, sky):
    def fill(scene):
        for name, alpha, z in (("a", 0.4, 0.5), ("b", 0.6, 0.2), ("c", 0.6, 0.0)):
            panes.add_sheet(scene, name, panes.paint(alpha), z=z, side=0.6 if name == "b" else 1.0)

    shown = labelled(write_blend(fill), sky, ABOVE)

    which = expect(
        shown,
        [(2, panes.sheet(shown.record, z=0.2, side=0.6)), (3, panes.sheet(shown.record, z=0.0))],
    )
    assert {0, 2, 3} == set(np.unique(which))


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_a_leaf_ends_where_its_texture_is_less_than_half_opaque(before, soft):
    rng = np.random.default_rng(3)
    alphas = rng.uniform(0, 1, (panes.TEXTURE_PX,) * 2) if soft else rng.integers(0, 2, (8, 8))

    shown = before(lambda: panes.leaf(alphas.astype(np.float32), soft=soft))

    camera, (number, sheet) = shown.record.camera, front(shown)
    leaf, rest = look(camera, WIDE, [sheet]), look(camera, WIDE, [back(shown)[1]])
    alpha, edge = alpha_at(np.round(alphas * 255) / 255, leaf, shown.record, soft=soft)
    solid = (leaf.which > 0) & (alpha >= 0.5)
    seen = look(camera, WIDE, [sheet, back(shown)[1]])
    numbers = np.where(solid, number, rest.which)
    for name in ("depth", "distance", "position", "normal", "normal_world"):
        ours, others = getattr(leaf, name), getattr(rest, name)
        chosen = solid if ours.ndim == 2 else solid[..., None]
        object.__setattr__(seen, name, np.where(chosen, ours, others))
    sure = ~edge & settled(camera, WIDE, [sheet]) & settled(camera, WIDE, [back(shown)[1]])
    assert sure.mean() > 0.8
    assert len(np.unique(numbers[sure])) == 3
    compare(shown, numbers, seen, sure)


def alpha_at(alphas, seen, record, *, soft):
    """Return the texture's alpha (H, W) at the points that are seen, and where it may be other."""
    inverse = np.linalg.inv(np.array(record.objects[0].world_from_file))
    missed = seen.which == 0
    at = seen.position @ inverse[:3, :3].T + inverse[:3, 3]
    texel = (at[..., :2] / panes.SIDE + 0.5) * panes.TEXTURE_PX
    if not soft:
        x, y = np.clip(np.floor(texel), 0, panes.TEXTURE_PX - 1).astype(int).transpose(2, 0, 1)
        return alphas[y, x], ~missed & (np.abs(texel - np.round(texel)) < 0.02).any(axis=-1)
    low = np.floor(texel - 0.5).astype(int)
    part = texel - 0.5 - low
    found = np.zeros(texel.shape[:2])
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = np.mod(low[..., 0] + dx, 8), np.mod(low[..., 1] + dy, 8)
        share = (part[..., 0] if dx else 1 - part[..., 0]) * (
            part[..., 1] if dy else 1 - part[..., 1]
        )
        found += alphas[y, x] * share
    return found, ~missed & (np.abs(found - 0.5) < 0.02)


def test_glass_is_a_surface(before):
    shown = before(panes.glass)

    expect(shown, [front(shown), back(shown)])

    assert not shown.record.see_through


def test_fog_is_looked_through(labelled, write_blend, sky):
    def fill(scene):
        add_box(scene, size=(1.2, 1.2, 0.4), at=(0, 0, 0.3), name="fog", material=panes.fog())
        panes.add_sheet(scene, "sheet", panes.paint(), z=panes.BACK_Z)

    shown = labelled(write_blend(fill), sky, ABOVE)

    expect(shown, [(2, panes.sheet(shown.record, z=panes.BACK_Z))])
    assert shown.record.see_through


@pytest.mark.parametrize("alpha", [0.3, 0.7])
def test_hair_on_a_skin_that_is_hidden_has_its_material(labelled, write_blend, sky, alpha):
    def fill(scene):
        plate = panes.add_sheet(scene, "plate", panes.paint(alpha), z=0.0)
        plate.modifiers.new("hair", "PARTICLE_SYSTEM")
        settings = plate.particle_systems[0].settings
        settings.type, settings.count, settings.hair_length = "HAIR", 300, 1.0
        settings.root_radius = settings.tip_radius = 5.0
        plate.show_instancer_for_render = False

    shown = labelled(write_blend(fill), sky, some_view(pitch=10.0))

    assert len(shown.record.materials) == 2  # and what has none
    assert set(np.unique(shown["material"])) == ({0, 1} if alpha >= 0.5 else {0})
    agree(shown)


def test_normals_of_a_half_clear_surface_keep_their_bumps(before):
    def bumpy(alpha):
        material = panes.paint(alpha)
        tree = material.node_tree
        node = tree.nodes.new("ShaderNodeNormalMap")
        node.inputs["Color"].default_value = (0.8, 0.5, 0.9, 1.0)
        tree.links.new(node.outputs[0], panes.shader(material).inputs["Normal"])
        return material

    solid, pane = before(lambda: bumpy(1.0)), before(lambda: bumpy(0.0))
    both = before(lambda: bumpy(0.7))

    mine = (both["index"] == 2) & (solid["index"] == 2)
    tilt = solid["normal_world"][mine][:, 2]
    assert tilt.max() < 0.97  # the map bends it
    assert both["normal_world"][mine][:, 2].max() < 0.99
    agree(both)
    agree(pane)


@pytest.mark.parametrize("alpha", [0.3, 0.7])
def test_pictures_do_not_change_with_the_labels_beside_them(before, alpha):
    """Nor do they from view to view, when materials were switched in between."""
    alone = before(lambda: panes.paint(alpha), passes=("rgb", "mask"))
    first = before(lambda: panes.paint(alpha))
    again = before(lambda: panes.paint(alpha))

    for name in ("rgb", "mask"):
        assert alone.data(name) == first.data(name) == again.data(name), name


@pytest.mark.parametrize("alpha", [0.3, 0.7])
@pytest.mark.parametrize("mode", ["BLEND", "MASK"])
def test_gltf_says_how_it_is_half_clear(labelled, tmp_path, sky, mode, alpha):
    path = tmp_path / "panes.gltf"
    path.write_text(gltf_panes(mode, alpha))

    shown = labelled(asset_of(path), sky, ABOVE)

    layers = [(1, panes.sheet(shown.record, z=panes.BACK_Z, side=panes.BACK_SIDE))]
    if alpha >= 0.5:
        layers.append((2, panes.sheet(shown.record, z=panes.FRONT_Z)))
    expect(shown, layers)


def gltf_panes(mode: str, alpha: float) -> str:
    """Two squares, of which the upper one has an alpha; glTF's up is +Y."""

    def corners(side, height):
        h = side / 2
        return [(-h, height, h), (h, height, h), (h, height, -h), (-h, height, -h)]

    points = [corners(panes.BACK_SIDE, panes.BACK_Z), corners(panes.SIDE, panes.FRONT_Z)]
    data = np.array(points, "<f4").tobytes() + np.array([0, 1, 2, 0, 2, 3], "<u2").tobytes()
    look_of = {"baseColorFactor": [0.8, 0.2, 0.2, alpha]}
    bounds = [(np.min(each, axis=0).tolist(), np.max(each, axis=0).tolist()) for each in points]
    return json.dumps(
        {
            "asset": {"version": "2.0"},
            "scenes": [{"nodes": [0, 1]}],
            "scene": 0,
            "nodes": [{"mesh": n, "name": name} for n, name in enumerate(("back", "front"))],
            "meshes": [
                {"primitives": [{"attributes": {"POSITION": n}, "indices": 2, "material": n}]}
                for n in range(2)
            ],
            "materials": [
                {"name": "solid"},
                {"name": "pane", "alphaMode": mode, "pbrMetallicRoughness": look_of},
            ],
            "accessors": [
                {"bufferView": 0, "byteOffset": 48 * n, "componentType": 5126, "count": 4,
                 "type": "VEC3", "min": bounds[n][0], "max": bounds[n][1]}
                for n in range(2)
            ] + [{"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"}],
            "bufferViews": [
                {"buffer": 0, "byteLength": 96},
                {"buffer": 0, "byteOffset": 96, "byteLength": 12},
            ],
            "buffers": [
                {"byteLength": len(data), "uri": "data:application/octet-stream;base64,"
                 + base64.b64encode(data).decode()}
            ],
        }
    )  # fmt: skip


@pytest.mark.parametrize("alpha", [0.3, 0.7])
def test_obj_says_it_with_d(labelled, tmp_path, sky, alpha):
    lines = ["mtllib panes.mtl"]
    squares = (("back", panes.BACK_SIDE, panes.BACK_Z), ("front", panes.SIDE, panes.FRONT_Z))
    for n, (name, side, z) in enumerate(squares):
        h = side / 2
        lines += [f"o {name}", f"usemtl {name}"]
        lines += [f"v {x} {z} {y}" for x, y in ((-h, h), (h, h), (h, -h), (-h, -h))]
        lines.append("f " + " ".join(str(4 * n + k) for k in range(1, 5)))
    (tmp_path / "panes.obj").write_text("\n".join(lines) + "\n")
    (tmp_path / "panes.mtl").write_text(f"newmtl back\nKd 1 1 1\nnewmtl front\nd {alpha}\n")

    shown = labelled(asset_of(tmp_path / "panes.obj"), sky, ABOVE)

    expect(shown, ([front(shown)] if alpha >= 0.5 else []) + [back(shown)])


def test_what_only_cycles_can_tell_is_a_surface_wherever_it_is_not_clear(before):
    """No chance either: a shader out of a zone that repeats is not read."""

    def repeated():
        material = panes.paint(0.3)
        tree = material.node_tree
        start = tree.nodes.new("GeometryNodeRepeatInput")
        end = tree.nodes.new("GeometryNodeRepeatOutput")
        start.pair_with_output(end)
        end.repeat_items.new("SHADER", "what")
        tree.links.new(panes.shader(material).outputs[0], start.inputs["what"])
        tree.links.new(start.outputs["what"], end.inputs["what"])
        return panes.shown(material, end.outputs["what"])

    shown = before(repeated)

    expect(shown, [front(shown), back(shown)])


def test_a_solid_model_takes_no_other_way(blender, labelled, still, sky):
    labelled(still, sky, passes=("rgb", "mask", "depth", "index", "position"))

    assert not blender.wants_centres
    assert not blender._samplings[0].clear_cut
    assert not labelled(still, sky, passes=("rgb", "depth")).record.see_through


def test_a_group_that_is_told_to_be_solid_is_solid(before, blender):
    shown = before(lambda: panes.wrapped(0.9), passes=("rgb", "depth", "index"))
    assert shown.record.see_through  # its paint has an alpha of 0.9

    def solid():
        material = panes.wrapped(0.9)
        panes.shader(material).inputs["Alpha"].default_value = 1.0
        material.node_tree.nodes["Group"].inputs["Much"].default_value = 1.0
        assert may_let_through(material)
        return material

    assert not before(solid, passes=("rgb", "depth")).record.see_through
