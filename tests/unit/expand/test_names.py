"""Names that a recipe makes up are looked at before anything is rendered."""

import pytest

from farm import expand
from farm.expand import recipe
from farm.expand.sod import SodExpansion
from farm.spec.recipes.sod import SodGrid, SodView
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


class Astray(SodExpansion):
    """Has its views write where a test says."""

    names_are_distinct = False
    path = ""

    def task(self, job, index):
        task = super().task(job, index)
        views = tuple(AstrayView(**view.model_dump(), path=self.path) for view in task.views)
        return task.model_copy(update={"views": views})


class AstrayView(SodView):
    path: str

    def path_of(self, of, *, picture_format):
        return self.path.replace("PASS", of).replace("NAME", self.name)


@pytest.mark.parametrize(
    "path",
    ["../PASS/NAME.png", "/PASS/NAME.png", "PASS//NAME.png", ".records/PASS/NAME.png",
     "PASS\\NAME.png", "", "PASS/NAME.png "],
)  # fmt: skip
def test_a_file_of_a_view_lies_in_its_dataset(monkeypatch, path):
    expansion = Astray()
    expansion.path = path
    monkeypatch.setattr(recipe, "expansion_of", lambda _recipe: expansion)

    (sentence,) = expand.mistakes(a_job(models=1, recipe=SodGrid(yaw=1, pitch=1)))

    assert "is not a plain path below the dataset" in sentence


def test_folders_and_patterns_of_a_recipe_are_fine(monkeypatch):
    expansion = Astray()
    expansion.path = "a b/PASS/frame NAME.v1.png"
    monkeypatch.setattr(recipe, "expansion_of", lambda _recipe: expansion)

    assert list(expand.mistakes(a_job(models=1, recipe=SodGrid(yaw=2, pitch=1)))) == []


def test_a_job_that_makes_no_views_is_refused(monkeypatch):
    class Idle(SodExpansion):
        def count(self, job):
            return expand.Count(tasks=0, views=0)

    monkeypatch.setattr(recipe, "expansion_of", lambda _recipe: Idle())

    assert list(expand.mistakes(a_job(models=1))) == ["recipe: makes no views: change its settings"]


def test_what_is_missing_is_said_once():
    job = a_job(models=1)
    without = job.model_copy(update={"assets": job.of("hdrs")})

    assert list(expand.mistakes(without)) == ["models: 0 is too few; the recipe needs 1"]
