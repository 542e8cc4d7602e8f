"""The only package that imports Blender.

In here: what needs bpy. `session` alone changes the state of Blender as a whole.
"""
