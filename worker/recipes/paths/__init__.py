"""Paths of a camera of our own through a scene: where it is at each frame of a sequence.

Numbers alone: what stands in the scene is asked by rays, through `Scene`.
"""
