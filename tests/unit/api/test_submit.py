from __future__ import annotations

import pytest

from farm.api.submission.checks import is_dependency_path, is_plain_name


@pytest.mark.parametrize("name", ["chair.blend", "Stuhl grün.blend", "a:b.exr", "...x", "椅子.glb"])
def test_names_that_people_give_are_taken(name):
    assert is_plain_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0b", "a\u2028b", "\ud800", "x" * 256, "ü" * 128],
)
def test_names_that_play_tricks_are_not(name):
    assert not is_plain_name(name)


@pytest.mark.parametrize("path", ["wood.png", "textures/wood.png", "../lib.blend", "../../a/b.png"])
def test_dependencies_lie_beside_or_above_their_asset(path):
    assert is_dependency_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../..",
        "/etc/x",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        "../" * 9 + "x",
        "a\\b",
        "\n",
    ],
)
def test_and_nowhere_else(path):
    assert not is_dependency_path(path)
