"""What the renderer's process may read, write, start, reach and take.

In here: the operating system's means (Landlock, seccomp, rlimits), and what the renderer needs of
its machine.
"""
