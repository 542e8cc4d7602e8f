"""Labels from Cycles' passes and the geometry of the scene; numpy alone.

In here: arrays in, arrays and records out; neither Blender nor files.
"""
