"""Sequences as people look at them: short films, and a page that plays them.

In here: how frames become a film. How a pass is coloured is told by `colour_maps`.
"""
