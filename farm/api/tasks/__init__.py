"""The tasks of a job as people deal with them.

In here: which tasks are meant, what is done to these, what a job took in numbers.
"""
