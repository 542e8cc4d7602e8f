"""Passes as the readers of other formats take them: pictures, depth, flow, points.

In here: one module per kind of thing that is made of a view's passes. Which formats want which is
in `formats`.
"""
