"""Shapes of things as other formats have them: boxes, meshes, outlines, paths through a sequence.

In here: numbers alone. Nothing knows of a format, or of an export.
"""
