"""What a command means to render, before anything is: its files, its job, and what it will take.

In here: no process and no port. What a job is made of is in `farm.spec`.
"""
