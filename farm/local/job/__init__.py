"""One job on this machine, start to end.

In here: its tasks, fed to a private farm and watched, and what is told of them in the end.
"""
