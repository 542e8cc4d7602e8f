"""What a command is about to render: its files, its job, and what it will take.

In here: no process and no port. What a job is made of is in `farm.spec`.
"""
