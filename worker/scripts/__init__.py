"""The user's own Python: read, run from view to view, and told where it fails.

In here: everything between a recipe and a user's file that takes no Blender of ours. What runs in
here runs in a sealed process (`worker.sealed`).
"""
