"""Formats for 3D learning: pictures of things that stand still, with their cameras."""
