"""Models of plain triangles, PLY, OBJ and STL, read without Blender.

In here: what their headers announce, whether that is all there, and the triangles themselves.
"""
