"""What is read from materials and changed in them: light, transparency, textures, colours."""
