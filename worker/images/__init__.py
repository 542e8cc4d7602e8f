"""Pixels in and out: Cycles' multilayer EXR, the view transform, encoded files.

In here: arrays and bytes; nothing of tasks, views or labels.
"""
