"""`farm dataset`: one module per command, and what they share.

In here: what needs a dataset and no farm's address of its own.
"""
