"""Scenes of several things on a table: how they settle, what a view sees of them, what is said.

NumPy alone; what needs Blender is in `worker.blender`.
"""
