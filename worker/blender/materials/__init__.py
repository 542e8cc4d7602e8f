"""What is read from materials and changed in them: light, transparency, textures, colours.

In here: node trees, read or added to; nothing of a file's format.
"""
