"""Names that a recipe makes up are looked at before anything is rendered."""

from farm import expand
from farm.expand import recipe
from farm.expand.sod import SodExpansion
from farm.spec.recipes.sod import SodGrid
from tests.builders import a_job


class Careless(SodExpansion):
    """Puts the views of all pairs into one dataset, under the names that they have in grids."""

    names_are_distinct = False

    def task(self, job, index):
        return super().task(job, index).model_copy(update={"dataset": "all"})


def test_two_views_that_would_write_one_file_are_named(monkeypatch):
    monkeypatch.setattr(recipe, "expansion_of", lambda _recipe: Careless())
    job = a_job(models=2, recipe=SodGrid(yaw=2, pitch=1))

    (sentence,) = expand.mistakes(job)

    assert "all/images/view_000_00.png would be written by" in sentence


def test_names_that_differ_are_fine(monkeypatch):
    monkeypatch.setattr(recipe, "expansion_of", lambda _recipe: Careless())

    assert list(expand.mistakes(a_job(models=1, recipe=SodGrid(yaw=2, pitch=1)))) == []
