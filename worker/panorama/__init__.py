"""HDR environments as their headers mean them: upright, whole, in the light of the scene.

In here: numpy and OpenColorIO; what becomes of a picture in the scene is in `blender`.
"""
