"""Pictures, known by their headers: textures, and environments.

In here: sizes, channels and shapes. No pixel is decoded.
"""
