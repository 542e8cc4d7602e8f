"""The device of a worker: named by its user, or a free GPU by lease.

In here: what is known and claimed before Blender is imported.
"""
