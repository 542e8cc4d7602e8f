"""The process in which a user's script runs, and the door between it and the farm.

It has one job, no network, no secret, no other job's files, and ends with its job.
"""
