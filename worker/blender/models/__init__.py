"""Models in the scene: measured, numbered, shown through parents, one or several.

In here: what stands because a recipe asked for a model. Files are read by `loader`.
"""
