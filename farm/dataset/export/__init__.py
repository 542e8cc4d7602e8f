"""Datasets in other tools' formats: one module per format behind one small interface.

In here: what all formats share. A format's own words are in its module in `formats`.
"""
