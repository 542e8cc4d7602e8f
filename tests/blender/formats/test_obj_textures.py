"""OBJ: textures of numbers are numbers, and a mask hides what it says, whatever its pixels are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support.blender.scenes import asset_of
from tests.support.blender.tiles import FROM_ABOVE, place_of

ROOM = 1 / 255
CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, -0.1))
PASSES = ("rgb", "mask", "index", "normal", "base_color", "roughness", "metallic", "opacity")
GREY, COLOUR, FLAT = (128, 128, 128), (128, 200, 64), (128, 128, 255)
LINEAR = (0.2159, 0.5776, 0.0513)
"""`COLOUR` as shares of light (IEC 61966-2-1)."""
PICTURES = {
    "grey.png": ("L", 128), "light.png": ("L", 200), "rgb.png": ("RGB", GREY),
    "photo.jpg": ("RGB", (200, 200, 200)), "solid.png": ("RGBA", (179, 179, 179, 255)),
    "cut.png": ("RGBA", (255, 255, 255, 179)), "grey_cut.png": ("LA", (30, 179)),
    "colour.png": ("RGB", COLOUR), "flat.png": ("RGB", FLAT),
}  # fmt: skip
KINDS = {
    "rough": ("map_Pr grey.png", {"roughness": 128 / 255}),
    "metal": ("map_Pm rgb.png", {"metallic": 128 / 255}),
    "shine": ("map_Ns grey.png", {"roughness": 128 / 255}),
    "both": ("map_Ns grey.png\nmap_Pr light.png", {"roughness": 200 / 255}),
    "both-metal": ("refl grey.png\nmap_Pm light.png", {"metallic": 200 / 255}),
    "paint": ("map_Kd colour.png", {"base_color": LINEAR}),
    "paint-and-rough": ("map_Kd colour.png\nmap_Pr colour.png", {
        "base_color": LINEAR, "roughness": np.dot((0.2126, 0.7152, 0.0722), COLOUR) / 255}),
    "mask": ("map_d light.png", {"opacity": 200 / 255}),
    "mask-photo": ("map_d photo.jpg", {"opacity": 200 / 255}),
    "mask-solid": ("map_d solid.png", {"opacity": 179 / 255}),
    "mask-alpha": ("map_d cut.png", {"opacity": 179 / 255}),
    "mask-grey-alpha": ("map_d grey_cut.png", {"opacity": 179 / 255}),
    "mask-of-colours": ("map_Kd colour.png\nmap_d colour.png", {"base_color": LINEAR}),
    "waves": ("map_Bump -bm 1 flat.png", {"normal": (0.0, 0.0, 1.0)}),
}  # fmt: skip


@pytest.fixture(scope="module")
def shown(labelled, sky, tmp_path_factory):
    """A tile of each material, side by side, seen from above."""
    folder = tmp_path_factory.mktemp("tiles")
    for name, (mode, value) in PICTURES.items():
        Image.new(mode, (8, 8), value).save(folder / name)
    lines = ["mtllib tiles.mtl"]
    for number, name in enumerate(KINDS):
        right, up = place_of(number)
        lines += [f"o {name}", *(f"v {x + right} {z} {-y - up}" for x, y, z in CORNERS)]
        lines += [*(f"vt {x} {y}" for x, y, _ in CORNERS), f"usemtl {name}"]
        first = number * len(CORNERS) + 1
        for face in ((0, 1, 2, 3), (0, 1, 4)):
            lines.append("f " + " ".join(f"{first + at}/{first + at}" for at in face))
    (folder / "tiles.obj").write_text("\n".join(lines) + "\n")
    (folder / "tiles.mtl").write_text(
        "".join(f"newmtl {name}\nKd 0.5 0.4 0.3\n{maps}\n" for name, (maps, _) in KINDS.items())
    )
    model = asset_of(folder / "tiles.obj")
    return labelled(model, sky, FROM_ABOVE, passes=PASSES, resolution_px=(160, 160))


@pytest.mark.parametrize("name", KINDS)
def test_a_texture_says_what_its_pixels_say(shown, name):
    [number] = [label.index for label in shown.record.indices if label.name == name]
    there = shown["index"] == number
    assert there.sum() > 50
    expected = {"base_color": (0.5, 0.4, 0.3), "opacity": 1.0} | KINDS[name][1]
    for each, numbers in expected.items():
        room = 2 * ROOM if each == "normal" else ROOM  # no byte says 0
        assert np.abs(shown[each][there] - numbers).max() <= room, (each, shown[each][there][0])
