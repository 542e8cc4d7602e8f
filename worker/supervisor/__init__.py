"""A worker's main process: it never imports Blender, and it outlives its renderer.

In here: what watches, limits, ends or reports the renderer's process, and what Celery runs in the
main process. What the renderer itself does is in `attempt`.
"""
