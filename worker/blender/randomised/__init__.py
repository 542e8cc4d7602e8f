"""What a view's `randomise` changes in the scene: lamps, materials, the look of the table.

All of it is put back before the next task; models stay in Blender from task to task.
"""
