"""The datasets of jobs over HTTP: which files there are, their bytes, their records.

In here: what reads storage for a route. What a record means is in `farm.dataset`.
"""
