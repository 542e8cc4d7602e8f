"""What goes wrong in a script: one sentence with the user's own line."""

import pytest

from farm.errors import ScriptError
from tests.support.blender.scripted import a_script_job, render, script_asset


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "def frame(scene, view, rng):\n    import bpy\n    bpy.ops.wm.quit_blender()\n",
            "cubes.py, line 3, in frame: bpy.ops.wm.quit_blender(): bpy.ops.wm.quit_blender is "
            "refused: Blender belongs to the farm and cannot be ended",
            id="quits",
        ),
        pytest.param(
            "def frame(scene, view, rng):\n    import bpy\n    bpy.ops.render.render()\n",
            "line 3, in frame: bpy.ops.render.render(): bpy.ops.render.render is refused: the farm "
            "renders each view",
            id="renders",
        ),
        pytest.param(
            "import sys\ndef frame(scene, view, rng):\n    sys.exit(0)\n",
            "line 3, in frame: sys.exit(0): it tried to end Blender",
            id="exits",
        ),
        pytest.param(
            "import os\ndef frame(scene, view, rng):\n    os._exit(0)\n",
            "line 3, in frame: os._exit(0): os._exit is refused",
            id="exits at once",
        ),
        pytest.param(
            "def frame(scene, view, rng):\n    scene.objects['Cub'].location.x = 1\n",
            "cubes.py, line 2, in frame: scene.objects['Cub'].location.x = 1: KeyError: ",
            id="fails",
        ),
        pytest.param(
            "def setup(scene, params):\n    return helper(params)\n\ndef helper(params):\n"
            "    return params['size']\n",
            "cubes.py, line 5, in helper: return params['size']: KeyError: 'size'",
            id="fails in its setup",
        ),
        pytest.param(
            "import nothing_of_this_name\n",
            "cubes.py, line 1: import nothing_of_this_name: ModuleNotFoundError: No module named",
            id="wants a package",
        ),
        pytest.param(
            "def frame(scene, view, rng)\n    pass\n",
            "cubes.py, line 1: def frame(scene, view, rng): expected ':'",
            id="is not Python",
        ),
        pytest.param(
            "def frame(scene, view, rng):\n    return {'a': object()}\n",
            "cubes.py, frame: field 'a' is an object: a field must be a number, a string or an",
            id="returns an object",
        ),
        pytest.param(
            "import numpy as np\ndef frame(scene, view, rng):\n"
            "    return {'image': np.zeros((480, 640, 3))}\n",
            "cubes.py, frame: field 'image' is an array of 480 x 640 x 3, which is more than 64 kB",
            id="returns a picture",
        ),
        pytest.param("x = 1\n", "cubes.py: it has no function frame(scene, view, rng)", id="empty"),
        pytest.param(
            "def frame(scene, view, rng):\n    scene.camera = None\n",
            "cubes.py: the scene has no camera",
            id="removes the camera",
        ),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_with_the_users_own_line(blender, tmp_path, text, words):
    with pytest.raises(ScriptError) as caught:
        render(blender, tmp_path / "out", a_script_job(script_asset(tmp_path, text)))

    assert words in str(caught.value)
    assert "worker/" not in str(caught.value)


def test_more_things_than_labels_tell_apart_are_refused(blender, tmp_path, monkeypatch):
    monkeypatch.setattr("worker.recipes.script.HIGHEST_INDEX", 1)
    text = "import bpy\ndef frame(scene):\n    bpy.ops.mesh.primitive_cone_add()\n"

    with pytest.raises(ScriptError, match=r"cubes\.py: the scene has 2 objects, and labels tell 1"):
        render(blender, tmp_path / "out", a_script_job(script_asset(tmp_path, text)))
