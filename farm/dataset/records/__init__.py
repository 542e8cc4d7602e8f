"""The records of a dataset: read, folded, summed up.

In here: lines of `views.jsonl` and of tasks that still run; who made the assets. Nothing of pixels.
"""
