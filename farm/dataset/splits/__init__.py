"""Datasets split for training and testing, so that what must stay together does.

In here: how splits are drawn, kept as a dataset grows, and written. Readers of splits ask
`farm.dataset.split_lists`.
"""
