"""What a rig may be asked for, and the sentences about what it may not."""

import pytest

from farm.errors import SpecError
from farm.spec.load import parse_spec
from farm.spec.randomise import HOW
from farm.spec.rigs import HOW as HOW_ANGLES
from farm.spec.yaml_text import parse_yaml


def recipe_of(**asked):
    return parse_spec({"models": ["m"], "hdrs": ["h"], "recipe": asked}).recipe


@pytest.mark.parametrize(
    ("written", "angles"),
    [
        ("0,20,-10", (0, 20, -10)),
        ("0:360:45", (0, 45, 90, 135, 180, 225, 270, 315)),
        ("90:0:-30", (90, 60, 30)),
        ("-30:31:30", (-30, 0, 30)),
        ("0, 10:30:10", (0, 10, 20)),
        (15, (15,)),
        ([0, "90:180:45"], (0, 90, 135)),
    ],
)
def test_angles_are_read_as_people_write_them(written, angles):
    assert recipe_of(azimuths=written).azimuths == angles


def test_what_only_a_rig_has_means_the_mode():
    assert recipe_of(rig="lrm").mode == "rig"
    assert recipe_of(elevations="0").mode == "rig"
    assert recipe_of(orthographic=2).mode == "rig"
    assert recipe_of().mode == "grid"
    assert recipe_of(frame="unit-sphere").mode == "grid"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"rig": "zero123plus", "views": 4},
            "recipe.views: the rig zero123plus has 6, which is fixed: leave views out, or take "
            "fibonacci, hammersley or random",
        ),
        (
            {"elevations": "0,20", "azimuths": "0:360:45", "views": 4},
            "recipe.views: the rig rings has 16, its elevations times its azimuths: leave views "
            "out, or take other angles, or the rig fibonacci, hammersley or random",
        ),
        (
            {"rig": "lrm", "azimuths": "0"},
            "recipe.azimuths: say where rings are, and the rig is lrm: leave one of them out",
        ),
        (
            {"mode": "augmented", "rig": "lrm"},
            "recipe.rig: is of the mode rig, and this is augmented: leave one of them out",
        ),
        (
            {"mode": "grid", "orthographic": 2},
            "recipe.orthographic: is of the mode rig, and this is grid: leave one of them out",
        ),
        (
            {"orthographic": 2, "fov_deg": 30},
            "recipe.orthographic: its rays run side by side, and fov_deg is of a pinhole: leave "
            "one of them out, a dataset has one kind of lens",
        ),
        (
            {"orthographic": 2, "distance": "0.3..2"},
            "recipe.distance: 0.3 is inside of unit-cube, and an orthographic camera sees nothing "
            "behind it: use 0.866 or more; it changes no sizes",
        ),
        (
            {"rig": "wonder3d", "stereo": 0.1},
            "recipe.stereo: parallel rays see the same from both sides: leave it out, or take a "
            "pinhole",
        ),
        (
            {"fit": True, "distance": 2},
            "recipe.fit: finds how far off a pinhole stands: leave out distance, or fit",
        ),
        (
            {"rig": "zero123", "frame": "unit-sphere"},
            "recipe.frame: the distances of the rig zero123 are in units of unit-cube: leave frame "
            "out, or give distance, or fit",
        ),
        (
            {"frame": "file", "rig": "rings"},
            "recipe.frame: in units of the file nobody knows how far off cameras should stand: "
            "give distance, or fit",
        ),
        (
            {"frame": "file"},
            "recipe.frame: the distances of the mode grid are in sizes of the model: with file, "
            "take fit, or a rig with a distance of its own",
        ),
        (
            {"rig": "random", "randomise": "camera"},
            "recipe.randomise: a rig says where cameras stand: leave out camera, and give "
            "distance or fov_deg as a range instead",
        ),
        (
            {"frame": "file", "fit": True, "randomise": "lights"},
            "recipe.randomise: lights stand around a model of size 1: leave them out, or frame: "
            "file",
        ),
        (
            {"azimuths": "0:360:45,0"},
            "recipe.azimuths: two cameras stand at azimuth 0, elevation 20",
        ),
        (
            {"azimuths": "0,360"},
            "recipe.azimuths: two cameras stand at azimuth 360, elevation 20",
        ),
        ({"elevations": "100"}, "recipe.elevations: 100 is not within -90..90 degrees"),
        (
            {"azimuths": "0:360"},
            f"recipe.azimuths: '0:360' is not a row of angles: {HOW_ANGLES}",
        ),
        (
            {"azimuths": "0:360:0.01"},
            "recipe.azimuths: '0:360:0.01' has 36000 angles: name 3600 at most",
        ),
        (
            {"azimuths": "0:1:1e-320"},
            "recipe.azimuths: '0:1:1e-320' has inf angles: name 3600 at most",
        ),
        *(
            ({"azimuths": nothing}, f"recipe.azimuths: is empty; name at least one: {HOW_ANGLES}")
            for nothing in ("", " ", [])
        ),
        *(
            (
                asked,
                f"recipe.{next(iter(asked))}: nothing stands where an angle should be: "
                f"{HOW_ANGLES}",
            )
            for asked in (
                {"elevations": "0,,20"},
                {"azimuths": "0,20,"},
                {"azimuths": ["0", " "]},
                {"azimuths": ","},
            )
        ),
        (
            {"rig": "lrm", "elevation_range": [0, 90]},
            "recipe.elevation_range: is of the rigs fibonacci, hammersley, random, and this is "
            "lrm: leave it out, or take one of these as --rig (recipe.rig)",
        ),
        (
            {"rig": "random", "elevation_range": 5},
            "recipe.elevation_range: 5 is not a range of two numbers: write it as 0..90",
        ),
        (
            {"rig": "random", "elevation_range": ["1..2..3"]},
            "recipe.elevation_range: '1..2..3' is not a range of two numbers: write it as 0..90",
        ),
        (
            {"rig": "random", "distance": "nan"},
            f"recipe.distance: nan is not a finite number: {HOW}",
        ),
        (
            {"rig": "random", "fov_deg": "1..inf"},
            f"recipe.fov_deg: inf is not a finite number: {HOW}",
        ),
        (
            {"rig": "random", "distance": {"uniform": [1, 2]}},
            f"recipe.distance: {{'uniform': [1, 2]}} is not a range: {HOW}",
        ),
        (
            {"rig": "random", "distance": {"low": 1}},
            "recipe.distance: {'low': 1} lacks high: write it as {kind: uniform, low: 1, high: 5}",
        ),
        (
            {"rig": "random", "fov_deg": {"std": 4}},
            "recipe.fov_deg: {'std': 4} lacks mean: write it as {kind: normal, mean: 3, std: 1}",
        ),
        (
            {"rig": "random", "distance": {"kind": "choice"}},
            "recipe.distance: {} lacks values: write it as {kind: choice, values: [1, 5]}",
        ),
        (
            {"rig": "random", "distance": {"low": 1, "mean": 3}},
            "recipe.distance: {'low': 1, 'mean': 3} lacks high: write it as {kind: uniform, "
            "low: 1, high: 5}",
        ),
        (
            {"rig": "random", "distance": "1.."},
            f"recipe.distance: '1..' is not a range: {HOW}",
        ),
        (
            {"rig": "random", "elevation_range": "0.."},
            "recipe.elevation_range: '0..' is not a range of two numbers: write it as 0..90",
        ),
        (
            {"rig": "random", "distance": {"low": "near", "high": 2}},
            f"recipe.distance: 'near' is not a number: {HOW}",
        ),
        (
            {"rig": "random", "elevation_range": [50, 20]},
            "recipe.elevation_range: 50 is not below 20",
        ),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(asked, sentence):
    with pytest.raises(SpecError) as caught:
        recipe_of(**asked)

    assert str(caught.value) == sentence


@pytest.mark.parametrize("written", ["10..50", "10,50", [10, 50]])
def test_a_range_of_elevations_is_read_as_people_write_it(written):
    assert recipe_of(rig="random", elevation_range=written).elevation_range == (10, 50)


def test_a_rig_that_is_misspelled_is_guessed():
    with pytest.raises(SpecError, match="did you mean 'zero123plus'"):
        recipe_of(rig="zero123pluss")


def test_a_row_of_angles_that_yaml_reads_as_a_number_is_told_of():
    asked = parse_yaml("azimuths: -30:31:30", name="spec")

    with pytest.raises(SpecError, match="YAML reads some a:b:c as one number"):
        recipe_of(**asked)


def test_a_spec_of_a_rig_is_read_as_it_is_written():
    spec = parse_spec(
        {
            "models": ["m"],
            "hdrs": ["h"],
            "recipe": {"rig": "fibonacci", "views": 7, "distance": "1..2", "fov_deg": [30, 50]},
        }
    )

    assert parse_spec(spec.model_dump(mode="json")) == spec
