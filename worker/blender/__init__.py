"""The only package that imports Blender."""
