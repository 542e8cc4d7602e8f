import pytest

from farm.cli.render_run import agree
from farm.errors import SetupError
from farm.local.plan.estimate import make_estimate
from tests.builders import a_job


def plan_of(**changes):
    return make_estimate(a_job(), devices=["cpu"]).model_copy(update=changes)


def test_a_plan_that_does_not_fit_needs_a_yes(tmp_path):
    told = []

    agree(plan_of(size_bytes=10**18), tmp_path, told.append, yes=True)
    with pytest.raises(SetupError, match="pass --yes"):
        agree(plan_of(seconds=1e9), tmp_path, told.append, yes=False)

    assert told[0].startswith("about 1000.0 PB does not fit into the")
    assert told[1] == "roughly 11,574 d is longer than a week"


def test_a_plan_that_fits_needs_none(tmp_path):
    agree(plan_of(size_bytes=1, seconds=86_400.0), tmp_path, pytest.fail, yes=False)
