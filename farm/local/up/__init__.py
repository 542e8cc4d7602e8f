"""`farm up`: a whole farm on one machine, kept up until somebody ends it.

In here: its processes, kept alive, and the folder in which it keeps its own files.
"""
