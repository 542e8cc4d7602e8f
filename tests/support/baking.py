"""A recipe of two steps: sod's, of which every model is baked before its views are rendered."""

from __future__ import annotations

from pathlib import Path

from farm import products
from farm.expand.recipe import Count
from farm.expand.sod import SodExpansion
from farm.spec.job import Job
from farm.spec.task import Need, RenderTask, product_key
from farm.storage import Storage


class BakingExpansion(SodExpansion):
    """One maker per model, then sod's tasks."""

    def makers(self, job: Job) -> int:
        return len(job.of("models"))

    def count(self, job: Job) -> Count:
        count = super().count(job)
        return count.model_copy(update={"tasks": count.tasks + self.makers(job)})

    def waits_for(self, job: Job, index: int) -> int | None:
        makers = self.makers(job)
        if index < makers:
            return None
        return (index - makers) * makers // super().count(job).tasks

    def task(self, job: Job, index: int) -> RenderTask:
        maker = self.waits_for(job, index)
        made_by = index if maker is None else maker
        model = job.of("models")[made_by]
        product = product_key("bake", model.content)
        if maker is None:
            task = super().task(job, 0)
            made = {"product": product, "views": (), "task_id": f"{model.id}-bake"}
            return task.model_copy(update=made | {"index": index, "title": model.title})
        task = super().task(job, index - self.makers(job))
        need = Need(product=product, made_by=made_by)
        return task.model_copy(update={"index": index, "needs": need})


def keep(storage: Storage, product: str, folder: Path) -> None:
    """Store a product as a worker does."""
    products.seal(storage, product, products.bring(storage, product, folder))
