"""The farm on one machine: a private Redis, workers, the dispatcher; up, and down again.

In here: processes, folders and ports of this machine. The rules of the farm are elsewhere.
"""
