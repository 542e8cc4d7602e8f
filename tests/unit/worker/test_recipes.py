"""Recipes are found by their names, without Blender."""

from __future__ import annotations

import subprocess
import sys

import pytest

from farm.errors import SpecError
from worker.recipes import find_recipe


@pytest.mark.parametrize("name", ["origami", "../sod", "sod.prepare", "", "__init__"])
def test_a_name_that_is_no_recipe_is_named(name):
    with pytest.raises(SpecError, match="is unknown to this worker"):
        find_recipe(name)


def test_rendering_can_be_imported_without_importing_blender():
    code = "import worker.render.task, sys; sys.exit('bpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
