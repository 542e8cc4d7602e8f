"""Spec to tasks: pure, lazy, by index; the only place where chance is spent."""

from farm.expand.recipe import (
    Count,
    Expansion,
    affinity,
    assets_of,
    count,
    datasets,
    expand,
    mistakes,
    products,
    remarks,
    render_task,
    setup_s,
    tasks_of,
    tell_apart,
    waits_for,
)

__all__ = [
    "Count",
    "Expansion",
    "affinity",
    "assets_of",
    "count",
    "datasets",
    "expand",
    "mistakes",
    "products",
    "remarks",
    "render_task",
    "setup_s",
    "tasks_of",
    "tell_apart",
    "waits_for",
]
