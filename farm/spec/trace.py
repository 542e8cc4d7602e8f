"""Traces: what a worker did of a task, and when; where they lie and what their words mean."""

from __future__ import annotations

from farm.spec.task import RenderTask, dataset_key

TRACES_FOLDER = "traces"
RENDERER = "renderer"
"""Name of the thread that Blender runs in; all others work beside it."""
SAMPLE = "sample"
"""Name of the stage in which Cycles traces paths: what all else is measured against."""

STAGES = {
    "load": "assets are brought, read and checked; the environment, too",
    "ledger": "Redis is asked whether the task is still ours, and told what is done",
    "arrange": "the scene is set for a view: model, camera, light",
    "sync": "Blender evaluates the scene, Cycles takes over what has changed",
    "build": "Cycles builds what rays are traced through, and prepares the device",
    "map": "Cycles makes the map by which it finds an environment's light: once for each",
    SAMPLE: "Cycles traces paths, and denoises what it is to denoise",
    "hand over": "Cycles gives the passes to Blender, Blender to us",
    "read": "passes become arrays, whole pictures again",
    "develop": "pictures are developed, labels made and checked",
    "encode": "files are encoded, decoded again and compared",
    "write": "files go to the storage",
    "record": "the record is written",
    "wait": "the renderer waits for those who finish its views",
}
"""What happens, in about the order in which it happens to a view. Spans of other names, such as
`render` and `finish`, only hold these together."""

ONCE = ("load", "map")
"""Stages that a task, or an environment, has once, however many views follow."""


def trace_key(task: RenderTask, attempt: int) -> str:
    """Return the storage key of the trace of an attempt."""
    return dataset_key(task.dataset, TRACES_FOLDER, f"{task.task_id}.{attempt}.json")
