"""The farm's API: FastAPI in front, plain functions behind.

In here: what answers over HTTP. Routes are thin; a function that needs no request is beside them.
"""
