"""What a plan refuses before anything is rendered or uploaded."""

from __future__ import annotations

import pytest

from farm.errors import SpecError
from farm.local.plan.prepare import NAMED, prepare, refuse_unfit
from farm.spec.job import JobSpec
from farm.spec.load import parse_spec
from tests.support.asset_bytes import a_blend, a_jpeg, a_radiance, an_exr


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "vase.blend").write_bytes(a_blend())

    def run(**hdrs: bytes):
        for name, data in hdrs.items():
            (tmp_path / f"{name}.hdr").write_bytes(data)
        spec = JobSpec(models=("vase.blend",), hdrs=("*.hdr",))
        return prepare(spec, base=tmp_path)[0]

    return run


def test_every_environment_of_another_shape_is_named(plan, tmp_path):
    with pytest.raises(SpecError) as raised:
        plan(cross=a_radiance(400, 300), good=a_radiance(64, 32), strip=an_exr(600, 100))

    cross, strip = str(raised.value).splitlines()
    assert cross.startswith(f"{tmp_path / 'cross.hdr'}: 400 x 300 pixels: ")
    assert "convert it to a panorama" in cross
    assert strip.startswith(f"{tmp_path / 'strip.hdr'}: 600 x 100 pixels: ")


def test_many_of_them_are_counted(plan):
    with pytest.raises(SpecError) as raised:
        plan(**{f"square{at}": a_radiance(100, 100, at) for at in range(NAMED + 3)})

    assert len(str(raised.value).splitlines()) == NAMED + 1
    assert str(raised.value).endswith("3 more cannot be used either")


def test_a_file_that_no_header_tells_of_is_for_the_worker(plan):
    """Among many good ones it costs its own tasks alone."""
    job = plan(picture=a_jpeg(), good=a_radiance(64, 32))

    assert len(job.of("hdrs")) == 2


def test_what_is_counted_is_named_by_the_recipes_own_role(tmp_path):
    files = [tmp_path / f"square{at}.hdr" for at in range(NAMED + 1)]
    for file in files:
        file.write_bytes(a_radiance(100, 100))

    with pytest.raises(SpecError, match="skies: 1 more cannot be used either"):
        refuse_unfit(files, field="skies")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param({"models": ["*.blend"], "hdrs": ["*.hdr"]}, True, id="sod"),
        pytest.param(
            {"objects": ["*.blend"], "recipe": {"kind": "tabletop"}}, False, id="tabletop"
        ),
    ],
)
def test_long_ids_are_told_where_names_of_views_show_them(tmp_path, asked, told):
    (tmp_path / "sky.hdr").write_bytes(a_radiance(64, 32))
    for name in ("yellow_bowl", "yellow_box", "red_can", "blue_can", "green_can", "black_can"):
        (tmp_path / f"{name}.blend").write_bytes(a_blend() + name.encode())

    _job, remarks = prepare(parse_spec(asked), base=tmp_path)

    assert any("also start with" in remark for remark in remarks) is told
