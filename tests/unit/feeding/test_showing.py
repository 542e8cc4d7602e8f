"""What was sent, as a view shows it."""

from __future__ import annotations

import pytest

from farm.errors import SpecError
from farm.feeding.feed import showing
from farm.spec.recipes.script import View as ScriptView
from tests.builders import a_view


def test_camera_and_light_are_changed_where_a_view_has_them():
    view = a_view(3)

    shown = showing(view, {"camera": {"yaw_deg": 12.0}, "light": {"strength": 0.5}})

    assert shown.camera == view.camera.model_copy(update={"yaw_deg": 12.0})
    assert shown.light.strength == 0.5
    assert shown.light.rotation_deg == view.light.rotation_deg
    assert (shown.name, shown.index, shown.seed) == (view.name, view.index, view.seed)


def test_parameters_of_a_script_are_told_to_its_view():
    view = ScriptView(
        kind="script",
        index=0,
        name="view_0",
        camera={"kind": "scene"},
        seed=1,
        episode=0,
        params={"x": 1, "colour": "red"},
    )

    shown = showing(view, {"x": 2.5, "size": [1, 2]})

    assert shown.params == {"x": 2.5, "colour": "red", "size": [1, 2]}


def test_nothing_sent_changes_nothing():
    view = a_view()

    assert showing(view, {}) is view


@pytest.mark.parametrize(
    ("params", "words"),
    [
        pytest.param({"size": 2}, "no 'size'; what can be sent is camera, light", id="unknown"),
        pytest.param({"camera": {"yaw": 3}}, "params: camera", id="an unknown part"),
        pytest.param({"light": {"strength": "much"}}, "light.strength", id="not a number"),
    ],
)
def test_what_a_view_has_not_is_refused(params, words):
    with pytest.raises(SpecError, match=words):
        showing(a_view(), params)
