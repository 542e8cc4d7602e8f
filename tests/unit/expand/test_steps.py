"""Expansions of which some tasks wait for others."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from farm import expand
from farm.expand import recipe
from farm.spec.task import Need, product_key, view_id
from tests.builders import a_job, a_task
from tests.support.baking import BakingExpansion


@pytest.fixture
def baking(monkeypatch):
    expansion = BakingExpansion()
    monkeypatch.setattr(recipe, "expansion_of", lambda name: expansion)
    return expansion


def test_nothing_waits_in_a_job_without_makers():
    assert expand.waits_for(a_job()) is None
    assert list(expand.products(a_job())) == []


def test_every_task_waits_for_what_makes_what_it_needs(baking):
    job = a_job(models=3, hdrs=2)
    waits_for = expand.waits_for(job)

    tasks = list(expand.expand(job))
    assert [waits_for(task.index) for task in tasks[:3]] == [None] * 3
    for task in tasks[3:]:
        assert waits_for(task.index) == task.needs.made_by
        assert tasks[task.needs.made_by].product == task.needs.product
    assert list(expand.products(job)) == [task.product for task in tasks[:3]]


def test_two_jobs_share_what_is_made_of_the_same(baking):
    first, second = a_job(models=2), a_job(models=2, views_per_task=1)
    assert first.job_id != second.job_id

    assert list(expand.products(first)) == list(expand.products(second))


def test_a_recipe_whose_tasks_wait_for_later_ones_is_told(baking, monkeypatch):
    monkeypatch.setattr(baking, "waits_for", lambda job, index: index)

    with pytest.raises(ValueError, match="task 1 waits for 1, not for an earlier maker"):
        expand.waits_for(a_job())(1)


def test_a_recipe_that_says_nothing_of_keys_has_none():
    assert expand.affinity(a_job()) is None
    assert expand.render_task(a_job(), 0).affinity is None


def test_a_key_is_known_without_making_the_task_and_stands_in_it(baking, monkeypatch):
    job = a_job(models=3, hdrs=2)
    views = [view_id(task, view) for task in expand.expand(job) for view in task.views]
    keys = [task.assets[0].content for task in expand.expand(job)]
    monkeypatch.setattr(type(baking), "affinity", lambda self, job, index: keys[index])

    affinity = expand.affinity(job)
    assert [affinity(index) for index in range(len(keys))] == keys
    assert [task.affinity for task in expand.expand(job)] == keys
    assert [view_id(task, view) for task in expand.expand(job) for view in task.views] == views


def test_a_view_is_another_one_if_what_it_needs_is():
    needs = [None, *(Need(product=product_key(seed), made_by=0) for seed in (1, 2))]
    tasks = [a_task(needs=need) for need in needs]

    assert len({view_id(task, task.views[0]) for task in tasks}) == 3
    moved = a_task(needs=Need(product=product_key(1), made_by=5, path="/here"))
    assert view_id(moved, moved.views[0]) == view_id(tasks[1], tasks[1].views[0])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"product": product_key(1)}, id="product and views"),
        pytest.param({"product": "assets/x", "views": ()}, id="elsewhere"),
        pytest.param({"needs": {"product": "products/../x", "made_by": 0}}, id="leads out"),
        pytest.param({"setup_s": float("nan")}, id="no time"),
    ],
)
def test_a_task_of_strange_products_is_refused(changes):
    with pytest.raises(ValidationError):
        type(a_task()).model_validate(a_task().model_dump() | changes)
