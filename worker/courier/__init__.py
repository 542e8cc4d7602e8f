"""A process outside of the renderer's walls that brings it assets and takes its results.

In here: both ends of the channel between them, and the folder that they share.
"""
