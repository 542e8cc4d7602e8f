"""Datasets changed where they are: passes dropped, sentences paraphrased, records upgraded.

In here: one module per change. Each works on a dataset at rest, and loses nothing if it is stopped.
"""
