"""Spec to tasks: pure, lazy, by index; the only place where chance is spent."""

from farm.expand.recipe import Count, count, datasets, expand, render_task

__all__ = ["Count", "count", "datasets", "expand", "render_task"]
